import type { SlowCommand } from '../../domain/sample.ts';
import type { Reply } from '../../redis/connection/connect.ts';
import type { Collector, Known } from './parts/collector.ts';
import { fingerprintOf } from './parts/fingerprint.ts';
import { listOf, numberOf, shortened, textOf } from './parts/numbers.ts';

/** As many as a poll usually finds; the poller asks again for more where they do not reach back to the last reading. */
const few = 16;
const many = 128;

/** The agent's connections call themselves so, and what they take is not the application's. */
export const ownName = 'redis-agent';

/** The slow log since the last reading, by ids: they go on after SLOWLOG RESET, and begin anew with the process. */
export const slowlogCollector: Collector = {
  name: 'slowlog',
  rights: ['+slowlog|get'],
  every: 0,
  frugal: 300_000,
  applies: ({ mode }) => mode !== 'sentinel',
  commands: () => [['SLOWLOG', 'GET', few]],
  read: ([reply], draft, known) => readSlowlog(reply, draft, known, few),
};

/** Reads on where the first few do not reach back to what is known. */
export const deepSlowlogCollector: Collector = {
  ...slowlogCollector,
  name: 'slowlog-rest',
  commands: () => [['SLOWLOG', 'GET', many]],
  read: ([reply], draft, known) => readSlowlog(reply, draft, known, many),
};

/** Does the reading have a gap that a longer one may close? */
export function needsMore(draft: { slow?: { lost: number } }): boolean {
  return (draft.slow?.lost ?? 0) > 0;
}

function readSlowlog(
  reply: Reply | undefined,
  draft: Parameters<Collector['read']>[1],
  { slow: cursor, runId: before, slowMax, seenAt }: Known,
  asked: number,
): void {
  const all = listOf(reply)
    .slice(0, asked)
    .map(readEntry)
    .filter((entry) => entry !== undefined)
    .toSorted((a, b) => a.id - b.id);
  const runId = draft.known.runId ?? before;
  // What another server at this address logged before it was ever seen here is as old as in a first reading.
  const unseen = seenAt === undefined ? 0 : draft.askedAt - seenAt;
  const wasThere = (draft.values['uptime_seconds'] ?? 0) * 1000 > unseen + 5000;
  const isFirst = cursor.id === undefined || (cursor.runId !== runId && wasThere);
  // Another process counts from 0 again.
  const since = cursor.runId === runId ? (cursor.id ?? -1) : -1;
  const fresh = all.filter(({ id }) => id > since);
  const oldest = fresh[0]?.id;
  const knows = all.some(({ id }) => id === since);
  const newest = fresh.at(-1)?.id ?? since;
  draft.known.slow = { runId, id: newest, present: knows || fresh.length > 0 };
  draft.slow = {
    entries: fresh.filter(isOthers).map(({ entry }) => entry),
    first: isFirst,
    lost: isFirst || oldest === undefined ? 0 : oldest - since - 1,
    // There was room for what we knew, and it is gone.
    reset: cursor.present && cursor.runId === runId && !knows && all.length < Math.min(asked, slowMax),
  };
}

interface Read {
  id: number;
  entry: SlowCommand;
  inner: boolean;
  own: boolean;
}

/** Commands that a script calls have the address `?:0` and are in the script's own time already. */
const isOthers = ({ inner, own }: Read): boolean => !inner && !own;

function readEntry(reply: Reply): Read | undefined {
  const [id, at, micros, args, address, name] = listOf(reply);
  const number = numberOf(id);
  const took = numberOf(micros);
  if (number === undefined || took === undefined) return undefined;
  const words = listOf(args).slice(0, 128).map(textOf);
  const client = textOf(name) === '' ? textOf(address).replace(/:\d+$/, '') : textOf(name);
  return {
    id: number,
    entry: {
      id: number,
      at: numberOf(at) ?? 0,
      micros: took,
      ...fingerprintOf(words),
      client: shortened(client),
    },
    inner: textOf(address) === '?:0',
    own: textOf(name) === ownName,
  };
}
