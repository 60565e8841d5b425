import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Argv } from 'yargs';
import { giveRights, type RightsReport } from '../../app/init/give-rights.ts';
import { initialise } from '../../app/init/init.ts';
import { findSystemUser } from '../../app/init/files.ts';
import type { InitOptions, InitReport } from '../../app/init/report.ts';
import { configPath } from '../../config/load.ts';
import { readSecret } from '../../config/secrets.ts';
import { AgentError } from '../../domain/errors.ts';
import { shellWord } from '../../lib/shell-word.ts';
import { defineCommand, type CommandContext } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { writeUnits, type UnitsReport } from '../../app/init/units.ts';
import { renderUnits } from '../render/units.ts';
import { adminOf as adminFor } from '../harden/admin.ts';
import { renderInit, type InitResult } from '../render/init-result.ts';
import { renderRights } from '../render/rights.ts';

interface Args {
  url: string[] | undefined;
  username: string | undefined;
  passwordFile: string | undefined;
  user: string;
  acl: boolean;
  state: string;
  repository: string | undefined;
  tlsCa: string | undefined;
  tlsCert: string | undefined;
  tlsKey: string | undefined;
  force: boolean;
  dryRun: boolean;
  rights: boolean;
  units: boolean;
}

/** On argv everybody could read it. */
const passwordVariable = 'REDIS_AGENT_ADMIN_PASSWORD';
/** The package's system user, whom the daemon runs as. */
const systemUser = 'redis-agent';

export const initCommand = defineCommand<Args, InitResult | RightsReport[] | UnitsReport>({
  usage: 'init',
  summary: 'Find the servers of this host, make the agent’s own user there, write a first configuration',
  options,
  examples: [
    ['redis-agent init', 'Every server on this host'],
    ['redis-agent init --dry-run', 'Only say what it would do'],
    ['redis-agent init --url rediss://cache.internal:6380 --tls-ca ca.pem', 'A server elsewhere'],
    ['redis-agent init --password-file admin.txt', 'Where the server asks for a password'],
    ['redis-agent init --rights', 'Give the agent’s user what it lacks, after an upgrade for example'],
    ['redis-agent init --units', 'Let members of the group redis-agent-admin restore without sudo'],
  ],
  async run(context, args) {
    if (args.rights && args.units)
      throw new AgentError('usage', '--rights and --units are two things: one after the other');
    if (args.rights) return await rightsOf(context, args);
    if (args.units) {
      requireNothingElse(args, '--units');
      return await writeUnits(await context.app(), { dryRun: args.dryRun, signal: context.signal });
    }
    const report = await initialise(await initOptions(context, args));
    return { ...report, next: nextSteps(report, context) };
  },
  render(result, { style, width }) {
    if (Array.isArray(result)) return renderRights(result, style, width);
    return 'outcome' in result ? renderUnits(result, style, width) : renderInit(result, style, width);
  },
  exitCode: (result) =>
    Array.isArray(result) && result.some(({ outcome }) => outcome === 'by-hand')
      ? exitCodes.findings
      : exitCodes.ok,
  // As the configuration of a first installation is written; files of users are the server’s own.
  keepsRoot: ({ rights, units }) => rights || units,
});

/** Options of a first installation. */
function requireNothingElse(args: Args, mode: string): void {
  for (const [option, given] of [
    ['--url', args.url],
    ['--repository', args.repository],
    ['--force', args.force || undefined],
    ['--tls-ca', args.tlsCa],
    ['--tls-cert', args.tlsCert],
  ] as const)
    if (given !== undefined)
      throw new AgentError('usage', `${option} does not go with ${mode}`, {
        hint: 'servers, users and TLS are those of the configuration; --instance NAME picks one',
      });
}

/** Nothing is found or written: the servers and users are those of the configuration. */
async function rightsOf(context: CommandContext, args: Args): Promise<RightsReport[]> {
  requireNothingElse(args, '--rights');
  const app = await context.app();
  const admin = args.acl ? adminFor(app, args, context.env) : undefined;
  const reports: RightsReport[] = [];
  for (const instance of app.instances(context.globals.instance)) {
    context.progress.report({ phase: `looking at ${instance.name}` });
    const dryRun = args.dryRun || !args.acl;
    reports.push(await giveRights(app, instance, { admin, dryRun, signal: context.signal }));
  }
  return reports;
}

/** yargs keeps the last of several unless told so, for all options at once. */
const last = (value: unknown): unknown => (Array.isArray(value) ? (value as unknown[]).at(-1) : value);

function options(yargs: Argv): Argv {
  return yargs
    .parserConfiguration({ 'strip-aliased': true, 'greedy-arrays': false })
    .option('url', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe:
        'A server to look after instead of those found here: redis://, rediss://, unix://; may be repeated',
    })
    .option('username', {
      type: 'string',
      requiresArg: true,
      describe: 'Who may create users on the server, when it is not default',
    })
    .option('password-file', {
      type: 'string',
      requiresArg: true,
      describe: `File with that user’s password (or set $${passwordVariable})`,
    })
    .option('user', {
      type: 'string',
      requiresArg: true,
      default: 'redis-agent',
      describe: 'Name of the agent’s own ACL user',
    })
    .option('acl', {
      type: 'boolean',
      default: true,
      describe: 'Create that user (--no-acl: only say how)',
    })
    .option('state', {
      type: 'string',
      requiresArg: true,
      default: '/var/lib/redis-agent',
      describe: 'Folder for history, and for the repository',
    })
    .option('repository', {
      type: 'string',
      requiresArg: true,
      describe: 'Folder for backups, when it is not in --state',
    })
    .option('tls-ca', { type: 'string', requiresArg: true, describe: 'Certificate of the authority (PEM)' })
    .option('tls-cert', { type: 'string', requiresArg: true, describe: 'Client certificate (PEM)' })
    .option('tls-key', { type: 'string', requiresArg: true, describe: 'Its key (PEM)' })
    .implies({ 'tls-cert': 'tls-key', 'tls-key': 'tls-cert' })
    .option('rights', {
      type: 'boolean',
      default: false,
      describe: 'Of the users that the configuration names: show what they lack, and give it',
    })
    .option('units', {
      type: 'boolean',
      default: false,
      describe: 'Write and start the units by which a restore needs no sudo, for the configured servers',
    })
    .option('force', {
      type: 'boolean',
      default: false,
      describe: 'Replace a configuration (kept as .bak), secrets and an ACL user that are there',
    })
    .option('dry-run', { type: 'boolean', default: false, describe: 'Change nothing, say what would be' })
    .coerce(
      [
        'config',
        'instance',
        'username',
        'password-file',
        'user',
        'state',
        'repository',
        'tls-ca',
        'tls-cert',
        'tls-key',
      ],
      last,
    );
}

/** Relative paths count from the working directory. */
function file(path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(path);
}

async function initOptions({ globals, env, signal }: CommandContext, args: Args): Promise<InitOptions> {
  const { user, state, repository, url, acl, force, dryRun } = args;
  if (user === 'default' || !/^[^\s\p{Cc}]+$/u.test(user))
    throw new AgentError('usage', `--user: ${JSON.stringify(user)} cannot be the agent’s own user`, {
      hint: 'choose a name without blanks, and another one than default, which init never changes',
    });
  const root = process.geteuid?.() === 0;
  return {
    config: configPath(globals.config, env),
    state: resolve(state),
    repository: file(repository) ?? join(resolve(state), 'repository'),
    urls: url ?? [],
    tls:
      (args.tlsCa ?? args.tlsCert) === undefined
        ? undefined
        : { ca: file(args.tlsCa), cert: file(args.tlsCert), key: file(args.tlsKey) },
    admin: adminOf(args, env),
    user,
    createUser: acl,
    force,
    dryRun,
    owner: root ? await findSystemUser(systemUser) : undefined,
    signal,
  };
}

function adminOf({ username, passwordFile }: Args, env: NodeJS.ProcessEnv): InitOptions['admin'] {
  if (passwordFile !== undefined)
    return {
      username,
      password: readSecret({ file: resolve(passwordFile) }, { env, what: '--password-file' }),
    };
  if (env[passwordVariable] !== undefined)
    return {
      username,
      password: readSecret({ env: passwordVariable }, { env, what: 'the admin’s password' }),
    };
  if (username === undefined) return {};
  throw new AgentError('usage', '--username is given without a password', {
    hint: `give it with --password-file FILE or in $${passwordVariable}`,
  });
}

function nextSteps({ config }: InitReport, { env }: CommandContext): string[] {
  const usual = configPath(undefined, env) === config;
  const command = usual ? 'redis-agent' : `redis-agent --config ${shellWord(config)}`;
  const installed = ['/etc', '/usr/lib', '/lib'].some((folder) =>
    existsSync(`${folder}/systemd/system/redis-agent.service`),
  );
  const start = usual && installed ? 'systemctl enable --now redis-agent' : `${command} run`;
  return [`${command} check`, `${command} backup`, start];
}
