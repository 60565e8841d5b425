import { upClasses, type UpClass } from '../../../domain/sample.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { minute, nowOf } from '../view.ts';

const down: readonly UpClass[] = ['refused', 'timeout', 'unreachable'];
/** How long it has to be so before anybody is told: a restart is over by then. */
export const downFor = minute;
const remedies: Partial<Record<UpClass, string>> = {
  refused: 'is it running? systemctl status of its unit, then its log; redis-agent runbook down',
  timeout:
    'is it stopped, swapping or in a long command? See its host (top, dmesg) and its log; redis-agent runbook down',
  unreachable:
    'redis-agent check tries the whole path to it, and redis-agent runbook down goes through the rest',
};

export const serverDown: Evaluator = {
  rule: sampleRule({
    id: 'server-down',
    severity: 'critical',
    title: 'The server does not answer',
    why: 'Nobody can use it, or the agent cannot see whether anybody can.',
    for: downFor,
    keepFiring: 0,
  }),
  always: true,
  judge(view) {
    const { up, detail } = nowOf(view);
    if (!isDown(up)) return [];
    return [
      {
        severity: 'critical',
        summary: `the server ${upClasses[up].means}${detail === undefined ? '' : `: ${detail}`}`,
        remedy: remedies[up] ?? 'see: redis-agent check',
        evidence: { class: up },
      },
    ];
  },
};

export function isDown(up: UpClass): boolean {
  return down.includes(up);
}
