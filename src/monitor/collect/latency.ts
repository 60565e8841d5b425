import { atLeastVersion, type Collector } from './parts/collector.ts';
import { listOf, numberOf, textOf } from './parts/numbers.ts';

/**
 * How long the busiest commands take to execute, as differences of the server's histograms. Their edges double and their
 * last one is near a second, so a quantile is a bound and never a measurement. Servers before 7.0 have none, and count
 * each question as an error.
 */
export const latencyCollector: Collector = {
  name: 'latency',
  rights: ['+latency|histogram'],
  every: 60_000,
  frugal: null,
  applies: (known) => known.mode !== 'sentinel' && known.busiest.length > 0 && atLeastVersion(known, 7),
  commands: ({ busiest }) => [['LATENCY', 'HISTOGRAM', ...busiest]],
  read([reply], draft, { histograms: before, runId }) {
    const now = readHistograms(listOf(reply));
    draft.known.histograms = now;
    if (before === undefined) return;
    const same = draft.known.runId === undefined || draft.known.runId === runId;
    const sum = new Map<number, number>();
    const commands: string[] = [];
    for (const [command, buckets] of now) {
      const then = same ? before.get(command) : undefined;
      // One that was not asked for before: its counts reach back to the start.
      if (then === undefined) continue;
      commands.push(command);
      let above = 0;
      for (const [micros, cumulative] of buckets) {
        const earlier = cumulativeAt(then, micros);
        const added = cumulative >= earlier ? cumulative - earlier : cumulative;
        sum.set(micros, (sum.get(micros) ?? 0) + Math.max(0, added - above));
        above = Math.max(above, added);
      }
    }
    const buckets = [...sum]
      .map(([micros, count]) => ({ micros, count }))
      .toSorted((a, b) => a.micros - b.micros);
    const calls = buckets.reduce((total, { count }) => total + count, 0);
    draft.latency = { commands, calls, buckets };
    for (const [name, share] of quantiles) {
      const bound = boundOf(buckets, calls * share);
      if (bound !== undefined) draft.values[name] = bound / 1e6;
    }
  },
};

const quantiles = [
  ['command_p50_seconds', 0.5],
  ['command_p95_seconds', 0.95],
  ['command_p99_seconds', 0.99],
] as const;

/** The edge of the bucket in which the so manieth value lies. */
function boundOf(buckets: readonly { micros: number; count: number }[], rank: number): number | undefined {
  let seen = 0;
  for (const { micros, count } of buckets) {
    seen += count;
    if (seen >= rank && seen > 0) return micros;
  }
  return undefined;
}

/** Of each command its buckets: upper edge in microseconds, and how many took at most that. */
function readHistograms(reply: readonly unknown[]): Map<string, Map<number, number>> {
  const found = new Map<string, Map<number, number>>();
  for (let index = 0; index + 1 < reply.length && index < 64; index += 2) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parts of a reply are replies
    const [name, body] = [reply[index], reply[index + 1]] as [never, never];
    const fields = listOf(body);
    const at = fields.findIndex((field) => field === 'histogram_usec');
    const pairs = at < 0 ? [] : listOf(fields[at + 1]);
    const buckets = new Map<number, number>();
    for (let place = 0; place + 1 < pairs.length && place < 200; place += 2) {
      const [micros, count] = [numberOf(pairs[place]), numberOf(pairs[place + 1])];
      if (micros !== undefined && count !== undefined) buckets.set(micros, count);
    }
    found.set(textOf(name), buckets);
  }
  return found;
}

/** The server leaves out buckets to which nothing was added: then the one below counts. */
function cumulativeAt(buckets: ReadonlyMap<number, number>, micros: number): number {
  let count = 0;
  for (const [edge, cumulative] of buckets) if (edge <= micros) count = Math.max(count, cumulative);
  return count;
}
