import { formatDuration } from '../../../lib/time/duration.ts';
import { sampleRule, type Evaluator, type Verdict } from '../evaluator.ts';
import { boundOf, latest, minute, nowOf, othersGrowth, within, type View } from '../view.ts';

const span = 5 * minute;
const fewest = 20;

/**
 * Is the 95th of 100 commands slower than the threshold? The server's histograms end near one second and double from edge
 * to edge, so they can never prove more than that. The slow log can: p95 > T exactly when more than 5 of 100 commands
 * took longer than T, as long as the log keeps all of those and none was lost.
 */
export const commandP95: Evaluator = {
  rule: sampleRule({
    id: 'command-p95',
    severity: 'critical',
    title: 'Commands take long',
    why: 'More than 5 of 100 commands exceed the bound. It is time of execution, without the way through the network.',
  }),
  judge(view) {
    return exactly(view) ?? roughly(view);
  },
};

function exactly(view: View): Verdict[] | undefined {
  const threshold = view.thresholds.command_p95;
  const lowest = Math.min(...Object.values(threshold));
  const logged = latest(view, 'slowlog_threshold_seconds');
  const calls = othersGrowth(view, 'commands_total', 'own_commands_total', span);
  // The first sample that tells the calls only marks where counting begins: what it saw slow may be as old as an outage.
  const [, ...counted] = within(view, span).filter(({ values }) => values['commands_total'] !== undefined);
  const complete = counted.every(({ slow }) => slow === undefined || (slow.lost === 0 && !slow.first));
  if (logged === undefined || logged < 0 || logged * 1000 > lowest || calls === undefined) return undefined;
  if (!complete || counted.every(({ slow }) => slow === undefined)) return undefined;
  if (calls.amount < fewest) return [];
  const took = counted.flatMap(({ slow }) => slow?.entries ?? []).map(({ micros }) => micros / 1000);
  const was = view.was('command-p95', view.instance);
  const exceeds = (bound: number): number => took.filter((ms) => ms > bound).length;
  for (const severity of ['critical', 'high', 'warning'] as const) {
    const bound = threshold[severity];
    if (bound === undefined) continue;
    // What fires ends below 0.9 of its share.
    const share = was === severity || was === 'critical' ? 0.045 : 0.05;
    const slow = exceeds(bound);
    if (slow <= share * calls.amount) continue;
    return [
      {
        severity,
        summary: `${slow} of ${calls.amount} commands took longer than ${formatDuration(bound)} within ${formatDuration(calls.ms)}: p95 is above that`,
        remedy: 'see which: redis-agent slowlog',
        evidence: { slow, calls: calls.amount, bound_ms: bound, method: 'slowlog' },
      },
    ];
  }
  return [];
}

/** From the histograms: an edge proves only that it was passed, and the last one nothing beyond itself. */
function roughly(view: View): Verdict[] | undefined {
  const threshold = view.thresholds.command_p95;
  const reading =
    nowOf(view).latency ?? view.samples.findLast(({ latency }) => latency !== undefined)?.latency;
  if (reading === undefined) return undefined;
  if (reading.calls < fewest) return [];
  const bound = threshold.warning;
  if (bound === undefined) return [];
  // Only what lies wholly above the bound counts: buckets whose lower edge is at least the bound.
  let above = 0;
  let lower = 0;
  for (const { micros, count } of reading.buckets) {
    if (lower / 1000 >= bound) above += count;
    lower = micros;
  }
  if (above <= 0.05 * reading.calls) return [];
  return [
    {
      severity: 'warning',
      summary: `at least ${above} of ${reading.calls} commands took longer than ${formatDuration(bound)} (${reading.commands.join(', ')}; how much longer, the server’s histogram does not tell)`,
      remedy: `set slowlog-log-slower-than to at most ${boundOf(threshold, 'warning') * 1000} for exact figures, then: redis-agent slowlog`,
      evidence: { slow: above, calls: reading.calls, bound_ms: bound, method: 'histogram' },
    },
  ];
}
