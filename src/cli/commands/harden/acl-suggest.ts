import { suggestAcl, type Suggestion } from '../../../app/acl/suggest.ts';
import { AgentError } from '../../../domain/errors.ts';
import { parseDuration } from '../../../lib/duration.ts';
import { printable } from '../../../lib/printable.ts';
import { defineCommand } from '../../define-command.ts';
import { wrap } from '../../render/wrap.ts';

export const hardenAclSuggestCommand = defineCommand<{ user: string; fromTraffic: string }, Suggestion>({
  usage: 'harden acl suggest <user>',
  summary: 'What an ACL user really uses, as a rule, with what it rests on; without MONITOR',
  options: (yargs) =>
    yargs
      .positional('user', { type: 'string', demandOption: true, describe: 'An ACL user that is at work' })
      .option('from-traffic', {
        type: 'string',
        default: '10m',
        requiresArg: true,
        describe: 'How long it is watched',
      }),
  examples: [['$0 harden acl suggest worker --from-traffic 10m', 'while the application works']],
  async run(context, { user, fromTraffic }) {
    const span = parseDuration(fromTraffic);
    if (span === undefined)
      throw new AgentError('usage', `--from-traffic: ${JSON.stringify(fromTraffic)} is no duration`, {
        hint: 'write 30s, 10m or 1h',
      });
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    const connection = await app.connect(instance, context.signal);
    try {
      return await suggestAcl(connection, instance, user, { ...context, span });
    } finally {
      connection.close();
    }
  },
  render: ({ user, instance, seconds, command, profile, notes }, { width }) =>
    [
      `${printable(user)} on ${printable(instance)}, watched for ${seconds} s${profile === null ? '' : `: looks like ${profile}`}`,
      ...notes.flatMap((note) => wrap(`- ${printable(note)}`, width).split('\n')),
      `redis-cli ${printable(command)}`,
      ...(profile === null ? [] : [`redis-agent audit --profile ${profile} --user ${printable(user)}`]),
    ].join('\n'),
});
