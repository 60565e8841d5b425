import { numberOf, listOf, textOf } from '../parts/numbers.ts';
import { jobFacts } from './job-facts.ts';
import { nothing, type QueueReader } from './raw.ts';

/** A list, pushed at one end and popped at the other; which is which shows in how its ends change. */
export const listReader: QueueReader = {
  commands({ name, settings }, _memory, { content }) {
    const ends = content
      ? [
          ['LINDEX', name, 0],
          ['LINDEX', name, -1],
        ]
      : [];
    const counters = [settings?.processing, settings?.completed].flatMap((key) =>
      key === undefined ? [] : [['GET', key]],
    );
    return [['LLEN', name], ...ends, ...counters];
  },
  read(replies, { settings }, memory, { content }) {
    const waiting = numberOf(replies[0] ?? null);
    if (waiting === undefined) return undefined;
    const [head, tail] = content ? [textOf(replies[1]), textOf(replies[2])] : ['', ''];
    const facts = [head, tail].map(jobFacts);
    const oldest = facts.toSorted((a, b) => (a.at ?? Infinity) - (b.at ?? Infinity))[0];
    const signature = `${fnv(head)}|${fnv(tail)}`;
    const before = memory?.signature.split('|') ?? [];
    const both = content && before[0] !== fnv(head) && before[1] !== fnv(tail);
    const counters = replies.slice(content ? 3 : 1).map((reply) => numberOf(reply) ?? 0);
    const active = settings?.processing === undefined ? 0 : (counters.shift() ?? 0);
    const done = settings?.completed === undefined ? 0 : (counters.shift() ?? 0);
    const grew = memory === undefined ? 0 : done - memory.reading.completed;
    return {
      ...nothing,
      waiting,
      active: Math.max(0, active),
      completed: done,
      // A counter of the day begins anew.
      newCompleted: grew >= 0 ? grew : done,
      signature,
      moved: memory !== undefined && (waiting < memory.reading.waiting || (waiting > 0 && both)),
      dueSince: oldest?.at ?? null,
      oldestName: oldest?.name ?? null,
    };
  },
};

/** A sorted set, popped at its lowest score. Scores that are times divide what is due from what is later. */
export const zsetReader: QueueReader = {
  commands({ name }, _memory, { now, content }) {
    return [
      ['ZCARD', name],
      ['ZCOUNT', name, '-inf', now],
      ['ZCOUNT', name, '-inf', now / 1000],
      content ? ['ZRANGE', name, 0, 0, 'WITHSCORES'] : ['ZCARD', name],
    ];
  },
  read(replies, _ref, memory, { now, content }) {
    const [all, ms = 0, seconds = 0] = replies.slice(0, 3).map((reply) => numberOf(reply));
    if (all === undefined) return undefined;
    const [member, scored] = content ? listOf(replies[3]) : [];
    const first = textOf(member);
    const score = numberOf(scored ?? null);
    const at = score === undefined ? undefined : timeOf(score);
    const waiting = at === undefined ? all : at.unit === 'ms' ? ms : seconds;
    const facts = jobFacts(first);
    const before = memory?.signature.split('|') ?? [];
    const later = score !== undefined && Number(before[1] ?? Infinity) < score;
    const due = facts.at ?? (at !== undefined && at.ms <= now ? at.ms : null);
    return {
      ...nothing,
      waiting,
      delayed: all - waiting,
      signature: `${fnv(first)}|${score ?? ''}`,
      moved:
        memory !== undefined &&
        (all < memory.reading.waiting + memory.reading.delayed || (before[0] !== fnv(first) && later)),
      dueSince: waiting > 0 ? due : null,
      oldestName: facts.name,
    };
  },
};

/** A score or field that is a time of this century, in seconds or milliseconds. */
function timeOf(value: number): { ms: number; unit: 'ms' | 's' } | undefined {
  if (value > 1e12 && value < 4e12) return { ms: value, unit: 'ms' };
  return value > 1e9 && value < 4e9 ? { ms: value * 1000, unit: 's' } : undefined;
}

/** A short mark of a job, which is not to be kept itself. FNV-1a. */
function fnv(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return `${text.length}-${hash.toString(16)}`;
}
