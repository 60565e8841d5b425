import { counted } from '../../../lib/text/counted.ts';
import { formatDuration } from '../../../lib/time/duration.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, isOff, levelOf, minute, within } from '../view.ts';

const span = 5 * minute;

export const slowCommands: Evaluator = {
  rule: sampleRule({
    id: 'slow-commands',
    severity: 'critical',
    title: 'There are slow commands',
    why: 'While one runs everybody else waits.',
  }),
  judge(view) {
    const threshold = view.thresholds.slow_commands;
    if (isOff(threshold)) return [];
    // The first one marks where the span begins: what it has may be as old as an outage, or the agent's own absence.
    const [, ...seen] = within(view, span).flatMap(({ slow }) => slow ?? []);
    const readings = seen.filter(({ first }) => !first);
    if (readings.length === 0) return undefined;
    const slow = readings
      .flatMap(({ entries }) => entries)
      .filter(({ micros }) => micros > view.slowCommand * 1000);
    const lost = readings.reduce((sum, reading) => sum + reading.lost, 0);
    const count = slow.length + lost;
    const severity = levelOf(count, threshold, { was: view.was('slow-commands', view.instance) });
    if (severity === undefined || count === 0) return [];
    const worst = slow.toSorted((a, b) => b.micros - a.micros)[0];
    const most =
      worst === undefined ? '' : `, the worst ${worst.fingerprint} at ${formatDuration(worst.micros / 1000)}`;
    const gone = lost === 0 ? '' : ` (${lost} of them no longer in the slow log: raise slowlog-max-len)`;
    return [
      {
        severity,
        summary: `${counted(count, 'slow command')} in 5 minutes${gone}${most}`,
        remedy: 'see which: redis-agent slowlog',
        evidence: { count, lost, worst: worst?.fingerprint ?? null, threshold: boundOf(threshold, severity) },
      },
    ];
  },
};
