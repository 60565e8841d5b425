import { silence } from '../../../app/alerts/change-alerts.ts';
import { AgentError } from '../../../domain/errors.ts';
import { nowCalled } from '../../../domain/former-names.ts';
import type { SilenceMatch } from '../../../domain/alert.ts';
import { parseDuration } from '../../../lib/time/duration.ts';
import { printable } from '../../../lib/text/printable.ts';
import { defineCommand } from '../../define-command.ts';
import { formatAge } from '../../render/time.ts';

interface Args {
  what: string;
  for?: string;
  why?: string;
  resource?: string;
}

interface Value {
  silence: number;
  match: SilenceMatch;
  until: string;
}

export const alertsSilenceCommand = defineCommand<Args, Value>({
  usage: 'alerts silence <what>',
  summary: 'Tell nobody of a rule or an alert for a while',
  options: (yargs) =>
    yargs
      .positional('what', { type: 'string', describe: 'A rule (* stands for anything) or an alert’s number' })
      .option('for', { type: 'string', requiresArg: true, describe: 'How long: 30m, 2h, 7d; at most 90d' })
      .option('why', { type: 'string', requiresArg: true, describe: 'The reason, for those who wonder' })
      .option('resource', {
        type: 'string',
        requiresArg: true,
        describe: 'Only of this resource (* stands for anything)',
      }),
  examples: [['$0 alerts silence backup-stale --for 2h --why "disk swap"', '']],
  async run(context, { what, for: span, why, resource }) {
    const ms = span === undefined ? undefined : parseDuration(span);
    if (ms === undefined)
      throw new AgentError(
        'usage',
        span === undefined ? 'a silence needs an end' : `--for ${JSON.stringify(span)} is no duration`,
        {
          hint: 'say how long: --for 30m, --for 2h or --for 7d',
        },
      );
    if (why === undefined)
      throw new AgentError('usage', 'a silence needs a reason', { hint: 'say it with --why "disk swap"' });
    const app = await context.app();
    const { instance } = context.globals;
    const { id, until, match } = silence(app, { what, instance, resource, span: ms, why });
    return { silence: id, match, until: new Date(until).toISOString() };
  },
  render: ({ silence: id, match, until }, { now }) =>
    `silence ${id}: nobody is told of ${printable(match.alert === undefined ? calledNow(match.rule) : `alert ${match.alert}`)}; it ends ${formatAge(Date.parse(until), now)} (before: redis-agent alerts unsilence ${id})`,
});

function calledNow(rule = 'anything'): string {
  const now = nowCalled(rule);
  return now.length === 0 ? rule : `${rule} (${now.join(' and ')} now)`;
}
