import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { findSystemUser } from '../../app/init/files.ts';
import { firstChannel, type FirstChannel } from '../../app/init/first-channel.ts';
import type { InitOptions } from '../../app/init/report.ts';
import type { GuessedRole } from '../../app/init/role.ts';
import { configPath } from '../../config/load.ts';
import { readSecret } from '../../config/secrets.ts';
import { AgentError } from '../../domain/errors.ts';
import type { CommandContext } from '../define-command.ts';
import { adminFrom } from '../harden/admin.ts';
import type { InitArgs } from './options.ts';

/** The package's system user, whom the daemon runs as. */
const systemUser = 'redis-agent';

/** Relative paths count from the working directory. */
function file(path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(path);
}

export async function installOptions(context: CommandContext, args: InitArgs): Promise<InitOptions> {
  const { globals, env, signal } = context;
  const { user, state, repository, url, acl, force, dryRun, role } = args;
  if (user === 'default' || !/^[^\s\p{Cc}]+$/u.test(user))
    throw new AgentError('usage', `--user: ${JSON.stringify(user)} cannot be the agent’s own user`, {
      hint: 'choose a name without blanks, and another one than default, which init never changes',
    });
  const root = process.geteuid?.() === 0;
  const config = configPath(globals.config, env);
  const asks = !args.yes && !dryRun && (force || !existsSync(config));
  return {
    config,
    state: resolve(state),
    repository: file(repository) ?? join(resolve(state), 'repository'),
    urls: url ?? [],
    tls:
      (args.tlsCa ?? args.tlsCert) === undefined
        ? undefined
        : { ca: file(args.tlsCa), cert: file(args.tlsCert), key: file(args.tlsKey) },
    admin: adminFrom(args, env) ?? {},
    user,
    createUser: acl,
    role,
    askRole: asks ? async (name, guess) => await askRole(context, name, guess) : undefined,
    alerts: await channelOf(context, args, { config, asks }),
    force,
    dryRun,
    owner: root ? await findSystemUser(systemUser) : undefined,
    signal,
  };
}

/** Who is to hear of trouble: as the flags say, else as somebody answers. */
async function channelOf(
  context: CommandContext,
  { alertsTo, alertsHook, smtp }: InitArgs,
  { config, asks }: { config: string; asks: boolean },
): Promise<FirstChannel | undefined> {
  const place = { host: hostname(), smtp, secrets: join(dirname(config), 'secrets') };
  if (alertsHook !== undefined) {
    const what = '--alerts-hook';
    return firstChannel(
      readSecret({ file: resolve(alertsHook) }, { env: context.env, what }).reveal(),
      place,
    );
  }
  if (alertsTo?.includes('://') === true)
    throw new AgentError('usage', 'the address of a web hook is a secret, and everybody can read it here', {
      hint: 'put it into a file: --alerts-hook FILE',
    });
  if (alertsTo !== undefined) return firstChannel(alertsTo, place);
  for (;;) {
    const answer = asks
      ? await context.question('Who is to hear of trouble? An e-mail address or a web hook (Enter: nobody): ')
      : undefined;
    if (answer === undefined || answer === '') return undefined;
    try {
      return firstChannel(answer, place);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      context.show(`${error.message}: ops@example.org, or https://…`);
    }
  }
}

async function askRole(
  context: CommandContext,
  name: string,
  guess: GuessedRole | undefined,
): Promise<GuessedRole | undefined> {
  const nothing = guess === undefined ? 'Enter: not said' : `Enter: ${guess.role}, since ${guess.why}`;
  for (;;) {
    const answer = await context.question(
      `What is ${name} used for: cache, queue, session or durable? (${nothing}) `,
    );
    if (answer === undefined || answer === '') return guess;
    const role = (['cache', 'queue', 'session', 'durable'] as const).find((each) => each === answer);
    if (role !== undefined) return { role, why: 'as was answered' };
  }
}
