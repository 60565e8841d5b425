import { percent, sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, covered, growth, latest, levelOf, minute, nowOf } from '../view.ts';

const span = 10 * minute;

export const serverCpu: Evaluator = {
  rule: sampleRule({
    id: 'server-cpu',
    severity: 'critical',
    title: 'The server is short of processor time',
    why: 'Commands are executed by one thread: at 100 % of a core they queue.',
  }),
  judge(view) {
    const name =
      latest(view, 'cpu_main_thread_seconds_total') === undefined
        ? 'cpu_seconds_total'
        : 'cpu_main_thread_seconds_total';
    const used = growth(view, name, span);
    if (used === undefined || covered(view, span) < span * 0.9) return undefined;
    const share = (100 * used.amount * 1000) / used.ms;
    const threshold = view.thresholds.cpu_percent;
    const severity = levelOf(share, threshold, { was: view.was('server-cpu', view.instance) });
    if (severity === undefined) return [];
    const costly = nowOf(view).commands ?? view.samples.findLast(({ commands }) => commands)?.commands ?? [];
    const worst = costly.slice(0, 3).map(({ command }) => command.toUpperCase());
    return [
      {
        severity,
        summary: `the server has taken ${percent(share)} of a core for 10 minutes${worst.length === 0 ? '' : `, most of it for ${worst.join(', ')}`}`,
        remedy: 'see which commands take it: redis-agent latency',
        evidence: {
          core_percent: Math.round(share),
          thread: name.includes('main') ? 'main' : 'all',
          threshold_percent: boundOf(threshold, severity),
        },
      },
    ];
  },
};
