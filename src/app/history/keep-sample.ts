import { patternSubject, patternValues } from '../../domain/pattern.ts';
import { queueRows, queueSubject } from '../../domain/queue.ts';
import type { Sample } from '../../domain/sample.ts';
import { inTransaction } from '../../state/db/transaction.ts';
import type { Point, Series } from '../../state/series/series.ts';
import { addSlow, type KeptCursor } from '../../state/series/slow.ts';
import { addClients, addCosts, forgetTallies } from '../../state/series/tallies.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** Writes down all that one poll saw. */
export function keepSample(series: Series, instance: string, sample: Sample, cursor: KeptCursor): void {
  const { at, values, slow, clients, commands, runId } = sample;
  series.append(instance, at, values);
  keepQueues(series, instance, sample);
  if (runId === undefined && clients === undefined && commands === undefined) return;
  inTransaction(series.state, () => {
    if (slow !== undefined && (slow.entries.length > 0 || slow.first || slow.lost > 0))
      addSlow(series, instance, { at, entries: slow.entries, lost: slow.lost, cursor });
    if (commands !== undefined) addCosts(series, instance, at, commands);
    if (clients !== undefined) {
      addClients(series, instance, at, clients);
      forgetTallies(series, at);
    }
  });
}

function keepQueues(series: Series, instance: string, { at, queues = [], patterns = [] }: Sample): void {
  const rows = queueRows(queues, at).map(({ label, values }) => ({
    subject: queueSubject(instance, label),
    values,
  }));
  for (const pattern of patterns)
    rows.push({ subject: patternSubject(instance, pattern.name), values: patternValues(pattern) });
  series.appendAll(at, rows);
}

/** Commands of the last 24 hours, the agent's own taken off; undefined where the history is shorter. */
export function commandsInADay(series: Series, instance: string, now: number): number | undefined {
  const span = { since: now - day - hour, until: now + 1, step: hour };
  const points = series.read(instance, 'commands_total', span);
  const first = points[0]?.at;
  if (first === undefined || first > now - day + hour) return undefined;
  const own = series.read(instance, 'own_commands_total', span);
  return Math.max(0, growthOf(points) - growthOf(own));
}

/** What a counter grew by from the first point to the last: one that went back has begun at 0. */
function growthOf(points: readonly Point[]): number {
  let sum = 0;
  for (const [index, { mean }] of points.entries()) {
    const before = points[index - 1]?.mean;
    if (before !== undefined) sum += mean >= before ? mean - before : mean;
  }
  return sum;
}
