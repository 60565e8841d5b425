import { askedBy } from '../../lib/process/asked-by.ts';
import { resolve } from 'node:path';
import { AgentError } from '../../domain/errors.ts';
import { rotatePasswordJob } from '../../jobs/harden/rotate-password-job.ts';
import type { RotateOptions, RotationResult } from '../../jobs/harden/rotate-password.ts';
import { parseDuration } from '../../lib/time/duration.ts';
import { defineCommand } from '../define-command.ts';
import { adminOf, adminOptions, namedFiles, type AdminArgs } from '../harden/admin.ts';
import { exitCodes } from '../exit-code.ts';
import { renderRotation } from '../render/rotation.ts';

interface Args extends AdminArgs {
  user: string;
  secretFile: string[] | undefined;
  hook: string[] | undefined;
  node: string[] | undefined;
  sentinel: string[] | undefined;
  wait: string;
  byHand: boolean;
  dryRun: boolean;
  yes: boolean;
}

export const rotatePasswordCommand = defineCommand<Args, RotationResult>({
  usage: 'rotate-password <user>',
  summary: 'Give an ACL user a new password on every node, while its clients go on',
  options: (yargs) =>
    adminOptions(yargs)
      .positional('user', { type: 'string', demandOption: true, describe: 'The ACL user, or default' })
      .option('secret-file', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'A file that a consumer reads the password from: it is replaced, with its mode and owner',
      })
      .option('hook', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe:
          'A program that hands it on: reads { instance, user, password } on stdin, ends with 0 when done',
      })
      .option('node', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'A server with that user besides those that are found (redis://HOST:PORT)',
      })
      .option('sentinel', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'Every Sentinel that logs in as that user (redis://HOST:26379)',
      })
      .option('wait', {
        type: 'string',
        default: '1m',
        requiresArg: true,
        describe: 'How long connections with the old password may go on; then they are closed',
      })
      .option('by-hand', {
        type: 'boolean',
        default: false,
        describe: 'Go on although files of a node cannot be written from here',
      })
      .option('dry-run', { type: 'boolean', default: false, describe: 'Only show what would be done' })
      .option('yes', { type: 'boolean', default: false, describe: 'Do not ask' }),
  examples: [
    ['$0 rotate-password app --secret-file /etc/app/redis.secret', 'the application reads it from there'],
    [
      '$0 rotate-password app --hook /usr/local/bin/tell-app --dry-run',
      'who is connected, and what would be done',
    ],
    ['$0 rotate-password redis-agent', 'the agent’s own'],
  ],
  async run(context, args) {
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    const password =
      instance.password && app.secret(instance.password, `password of instance ${instance.name}`);
    const options: RotateOptions = {
      user: args.user,
      admin: adminOf(app, args, context.env),
      own: { username: instance.username, password },
      nodes: apart(args.node),
      sentinels: apart(args.sentinel),
      ...toldBy(args),
      byHand: args.byHand,
      wait: waitOf(args.wait),
      dryRun: true,
      by: askedBy(context.env),
    };
    const plan = await app.run(rotatePasswordJob, instance, options, context);
    if (args.dryRun) return plan;
    if (!args.yes) {
      context.show(renderRotation(plan, 80));
      const sure = await context.confirm(`Give ${args.user} a new password?`);
      if (!sure) throw new AgentError('interrupted', 'nothing was changed');
    }
    return app.run(rotatePasswordJob, instance, { ...options, dryRun: false }, context);
  },
  render: (result, { width }) => renderRotation(result, width),
  exitCode: ({ refused }) => (refused.length > 0 ? exitCodes.findings : exitCodes.ok),
  sharesRoot: () => 'apply',
  lends: namedFiles,
  tells: (args) => ({ user: args.user, ...toldBy(args) }),
});

function toldBy({ secretFile, hook }: Args): { secretFiles: string[]; hooks: string[] } {
  return { secretFiles: apart(secretFile).map((path) => resolve(path)), hooks: apart(hook) };
}

/** An option that was given several times comes joined. */
function apart(words: string[] | undefined): string[] {
  return words?.flatMap((word) => word.split('\0').filter(Boolean)) ?? [];
}

function waitOf(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : parseDuration(text);
  if (ms !== undefined) return ms;
  throw new AgentError('usage', `--wait: ${JSON.stringify(text)} is no duration`, {
    hint: 'write 30s, 5m or 0',
  });
}
