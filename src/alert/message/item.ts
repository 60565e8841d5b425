import type { Notice, NoticeItem } from '../../domain/alert.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import { printable } from '../../lib/text/printable.ts';
import { factsOf } from './facts.ts';

/** What messages need beside the notice. */
export interface MessageContext {
  /** The host that the agent runs on. */
  host: string;
  /** IANA zone of the times shown. */
  timezone: string;
  publicUrl?: string | undefined;
  /** Where somebody who is told can take an alert on without a terminal; none when left out. */
  link?: ((item: NoticeItem, notice: Notice) => string | undefined) | undefined;
}

/** One alert in words; safe to be shown as text, and to be escaped for anything else. */
export interface ItemText {
  item: NoticeItem;
  /** `CRITICAL`, `now CRITICAL`, `still HIGH`, `resolved`. */
  state: string;
  /** Is it over? */
  over: boolean;
  /** `backup-failed`, `backup-damaged 20261121T060000Z-7f3a`. */
  name: string;
  summary: string;
  /** What else there is to say, in order. */
  details: { label: string; text: string }[];
}

/** Evidence in the words of programs: the summary says it in those of people. */
const forPrograms = new Set(['code', 'class']);

/** What stands before a link of ours: no other text is one, whatever it looks like. */
export const linkLabel = 'or';
/** What a link says where it need not show its address. */
export const linkWords = 'acknowledge it or silence it';

export function describeItem(item: NoticeItem, context: MessageContext, link?: string): ItemText {
  const { change, rule, resource, instance, resolved_at: resolved } = item;
  const over = change === 'resolved' || change === 'passed';
  const name = resource === instance ? rule : `${rule} ${resource}`;
  const since = formatTime(item.fired_at, context.timezone);
  const details: ItemText['details'] = [];
  const add = (label: string, text: string): void => {
    if (text !== '') details.push({ label, text: printable(text) });
  };
  if (over && resolved !== null) {
    const lasted = formatDuration(Math.max(0, resolved - item.fired_at));
    add('when', `${since} to ${formatTime(resolved, context.timezone)}, ${lasted}`);
    if (item.resolution === 'unwatched') add('why', 'it is not watched any more');
    return {
      item,
      state: over ? overWord(item) : '',
      over,
      name: printable(name),
      summary: printable(summaryBeside(item)),
      details,
    };
  }
  add('since', since);
  if (change === 'flapping')
    add(
      'note',
      `it came and went ${item.flips} times within the last hour; told once an hour until it is calm`,
    );
  if (item.escalated) add('note', 'nobody has acknowledged it, so you hear of it too');
  add(
    'facts',
    factsOf(item.evidence)
      .filter(({ label, text }) => !forPrograms.has(label) && !isSaid(text, item))
      .map((fact) => `${fact.label}: ${fact.text}`)
      .join(', '),
  );
  add('do', item.remedy);
  if (item.episode > 0) {
    add('more', `redis-agent explain ${rule}`);
    add('quiet', item.acknowledged ? 'acknowledged' : `redis-agent alerts ack ${item.episode}`);
    if (link !== undefined) add(linkLabel, link);
  }
  return {
    item,
    state: openWord(item),
    over,
    name: printable(name),
    summary: printable(summaryBeside(item)),
    details,
  };
}

/** A name that stands in the headline or the sentence is no further fact. */
function isSaid(text: string, { resource, summary }: NoticeItem): boolean {
  return text === resource || (text.length >= 6 && summary.includes(text));
}

/** What is wrong, beside the rule's name and the instance, which stand before it: `backup failed: instance main: …` says them twice. */
export function summaryBeside({
  rule,
  instance,
  summary,
}: Pick<NoticeItem, 'rule' | 'instance' | 'summary'>): string {
  const failed = `${rule.replace(/-failed$/, ' failed')}: `;
  let left = summary.startsWith(failed) ? summary.slice(failed.length) : summary;
  for (const where of [`instance ${instance}: `, `${instance}: `])
    if (left.startsWith(where)) left = left.slice(where.length);
  return left === '' ? summary : left;
}

function openWord({ change, severity }: NoticeItem): string {
  const word = severity.toUpperCase();
  if (change === 'raised') return `now ${word}`;
  if (change === 'repeated' || change === 'open') return `still ${word}`;
  if (change === 'flapping') return `${word}, comes and goes`;
  return word;
}

function overWord({ change, resolution }: NoticeItem): string {
  if (change === 'passed') return 'came and went';
  return resolution === 'unwatched' ? 'no longer watched' : 'resolved';
}

/** `2026-11-21 06:00:00`. */
export function formatTime(at: number, timezone: string): string {
  return new Intl.DateTimeFormat('sv-SE', {
    dateStyle: 'short',
    timeStyle: 'medium',
    timeZone: timezone,
  }).format(at);
}
