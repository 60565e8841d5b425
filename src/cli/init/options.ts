import type { Argv } from 'yargs';
import type { Role } from '../../domain/settings/monitor.ts';
import { passwordVariable } from '../harden/admin.ts';

export interface InitArgs {
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
  role: Role | undefined;
  alertsTo: string | undefined;
  alertsHook: string | undefined;
  smtp: string;
  yes: boolean;
}

/** yargs keeps the last of several unless told so, for all options at once. */
const last = (value: unknown): unknown => (Array.isArray(value) ? (value as unknown[]).at(-1) : value);

export function initOptionsOf(yargs: Argv): Argv {
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
    .option('role', {
      requiresArg: true,
      choices: ['cache', 'queue', 'session', 'durable'] as const,
      describe: 'What the servers are used for, instead of a guess',
    })
    .option('alerts-to', {
      type: 'string',
      requiresArg: true,
      describe: 'E-mail address of who is to hear of trouble',
    })
    .option('alerts-hook', {
      type: 'string',
      requiresArg: true,
      describe: 'File with the address of a web hook that is to: of Slack, Discord, Teams or others',
    })
    .conflicts('alerts-to', 'alerts-hook')
    .option('smtp', {
      type: 'string',
      requiresArg: true,
      default: 'smtp://127.0.0.1:25',
      describe: 'Where mails are handed in',
    })
    .option('yes', {
      alias: 'y',
      type: 'boolean',
      default: false,
      describe: 'Go on to a running daemon: test, check, first backup, audit, start; ask nothing',
    })
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
        'role',
        'alerts-to',
        'alerts-hook',
        'smtp',
        'tls-ca',
        'tls-cert',
        'tls-key',
      ],
      last,
    );
}
