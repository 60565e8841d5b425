import { sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, isAnotherServer, levelOf, minute, within } from '../view.ts';

const span = 15 * minute;

export const restartLoop: Evaluator = {
  rule: sampleRule({
    id: 'restart-loop',
    severity: 'critical',
    title: 'The server restarts again and again',
    why: 'Each outage is too short to be told as one, and together they are one.',
    inhibitedBy: [],
  }),
  always: true,
  judge(view) {
    const seen = within(view, span).filter(({ runId }) => runId !== undefined);
    const restarts = seen.filter((sample, index) => {
      const before = seen[index - 1];
      return before !== undefined && before.runId !== sample.runId && !isAnotherServer(before, sample);
    }).length;
    const severity = levelOf(restarts, view.thresholds.restarts, {
      was: view.was('restart-loop', view.instance),
    });
    if (severity === undefined) return [];
    return [
      {
        severity,
        summary: `the server was restarted ${restarts === 1 ? 'once' : `${restarts} times`} within 15 minutes`,
        remedy: 'see why it ends: journalctl of its unit, its log, and dmesg for the out-of-memory killer',
        evidence: { restarts, threshold: boundOf(view.thresholds.restarts, severity) },
      },
    ];
  },
};
