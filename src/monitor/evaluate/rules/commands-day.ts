import { counted } from '../../../lib/text/counted.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, isOff, latest, levelOf } from '../view.ts';

export const commandsDay: Evaluator = {
  rule: sampleRule({
    id: 'commands-day',
    severity: 'critical',
    title: 'More commands in a day than planned',
    why: 'Where a provider bills by command, a plan ends or costs more; off by default.',
  }),
  judge(view) {
    const threshold = view.thresholds.commands_day;
    if (isOff(threshold)) return [];
    const commands = latest(view, 'commands_day');
    if (commands === undefined) return undefined;
    const severity = levelOf(commands, threshold, { was: view.was('commands-day', view.instance) });
    if (severity === undefined) return [];
    return [
      {
        severity,
        summary: `${counted(Math.round(commands), 'command')} in the last 24 hours, without the agent’s own (bound ${boundOf(threshold, severity)})`,
        remedy:
          'see which: redis-agent latency; the agent’s own come on top, and frugal: true of the instance makes them fewer',
        evidence: { commands: Math.round(commands), threshold: boundOf(threshold, severity) },
      },
    ];
  },
};
