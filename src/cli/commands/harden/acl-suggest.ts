import { suggestAcl, type Suggestion } from '../../../app/acl/suggest.ts';
import { AgentError } from '../../../domain/errors.ts';
import { parseDuration } from '../../../lib/time/duration.ts';
import { printable } from '../../../lib/text/printable.ts';
import { connectRedis } from '../../../redis/connection/connect.ts';
import { defineCommand } from '../../define-command.ts';
import { adminFrom, adminOptions, namedFiles, type AdminArgs } from '../../harden/admin.ts';
import { wrap } from '../../render/wrap.ts';

interface Args extends AdminArgs {
  user: string;
  fromTraffic: string;
}

export const hardenAclSuggestCommand = defineCommand<Args, Suggestion>({
  usage: 'harden acl suggest <user>',
  summary: 'What an ACL user really uses, as a rule, with what it rests on; without MONITOR',
  sharesRoot: () => 'files',
  lends: namedFiles,
  options: (yargs) =>
    adminOptions(yargs)
      .positional('user', { type: 'string', demandOption: true, describe: 'An ACL user that is at work' })
      .option('from-traffic', {
        type: 'string',
        default: '10m',
        requiresArg: true,
        describe: 'How long it is watched',
      }),
  examples: [['$0 harden acl suggest worker --from-traffic 10m', 'while the application works']],
  async run(context, { user, fromTraffic, ...login }) {
    const span = parseDuration(fromTraffic);
    if (span === undefined)
      throw new AgentError('usage', `--from-traffic: ${JSON.stringify(fromTraffic)} is no duration`, {
        hint: 'write 30s, 10m or 1h',
      });
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    // The agent's own user may look; an administrator where it may not, and somebody names him.
    const admin = adminFrom(login, context.env);
    const connection =
      admin === undefined
        ? await app.connect(instance, context.signal)
        : await connectRedis({ ...instance, ...admin }, { signal: context.signal });
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
