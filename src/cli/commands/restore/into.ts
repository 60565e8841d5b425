import type { Argv } from 'yargs';
import type { App } from '../../../app/build-app.ts';
import { requireNotRestored } from '../../../app/being-restored.ts';
import { intoTarget, type IntoOptions } from '../../../app/into-target.ts';
import type { KeyPlan } from '../../../backup/restore-keys/judge-key-plan.ts';
import type { TtlChoice } from '../../../backup/restore-keys/times-to-live.ts';
import type { ExistingKeys } from '../../../backup/restore-keys/writer-options.ts';
import { refuseClear } from '../../../backup/refuse-clear.ts';
import { AgentError, hasReason } from '../../../domain/errors.ts';
import type { InstanceSettings } from '../../../domain/settings.ts';
import { restoreKeys } from '../../../jobs/keys/restore-keys.ts';
import type { RestoreKeysReport } from '../../../jobs/keys/restore-keys-options.ts';
import type { CommandContext } from '../../define-command.ts';
import { openDump } from '../../../app/dumps/dump-source.ts';
import { exitCodes } from '../../exit-code.ts';
import { renderKeyPlan } from '../../render/restore-keys.ts';
import { createStyle } from '../../render/style.ts';
import { DamagedList } from './damaged-list.ts';

const types = ['string', 'list', 'set', 'zset', 'hash', 'stream', 'module'] as const;

/** Of the plan before the question. */
const columns = 80;

/** Options of `restore … --into`. */
export interface IntoArgs extends IntoOptions {
  id: string;
  /** Patterns, with a zero byte between them. */
  keys: string | undefined;
  db: string | undefined;
  type: (typeof types)[number] | undefined;
  toDb: string | undefined;
  replace: boolean | undefined;
  skipExisting: boolean | undefined;
  restart: boolean | undefined;
  ttl: TtlChoice | undefined;
  withFunctions: boolean | undefined;
  skipDamaged: boolean | undefined;
  damagedList: string | undefined;
  dryRun: boolean;
  yes: boolean;
  /** Of the other ways to restore. */
  [other: string]: unknown;
}

/** Adds the options that go with --into; `dry-run` and `yes` are the command's own. */
export function intoOptions(yargs: Argv): Argv {
  const words = {
    username: text('User of that server'),
    'password-file': text('File with that user’s password'),
    'password-env': text('Environment variable with that password'),
    'ca-file': text('Certificate (PEM) of the authority that the server’s is signed by'),
    'cert-file': text('Client certificate (PEM)'),
    'key-file': text('Its key (PEM)'),
    'server-name': text('Name in the server’s certificate, where it is not the one in the URL'),
  };
  const others = {
    keys: text("Which keys: a pattern as KEYS takes it, '*' for all; may be given more than once"),
    db: text('Only keys of this database, by its number'),
    type: { choices: types, requiresArg: true, describe: 'Only keys of this type' },
    'to-db': text('Write them into the database of this number'),
    replace: { type: 'boolean' as const, describe: 'Overwrite keys that are there already' },
    'skip-existing': { type: 'boolean' as const, describe: 'Leave keys as they are that are there already' },
    ttl: {
      choices: ['keep', 'shift', 'drop'] as const,
      requiresArg: true,
      describe: 'Times to live: as they are (those that are over are left out), as at the backup, or none',
    },
    'with-functions': { type: 'boolean' as const, describe: 'Load the function libraries of the dump, too' },
    'skip-damaged': {
      type: 'boolean' as const,
      describe: 'Leave out values that are damaged, name them, and write the others',
    },
    'damaged-list': text('Name all of those in this file, a line of JSON for each'),
    restart: { type: 'boolean' as const, describe: 'Begin anew where an earlier run was cut off' },
  };
  const group = { ...others, ...words };
  return yargs
    .option('into', text('Write keys into this running server: a URL, env:NAME, file:PATH or an instance'))
    .options(group)
    .implies(Object.fromEntries(Object.keys(group).map((name) => [name, 'into'])))
    .conflicts('replace', 'skip-existing')
    .conflicts('password-file', 'password-env')
    .group(['into', ...Object.keys(group)], 'Keys into a running server:');
}

function text(describe: string): { type: 'string'; requiresArg: true; describe: string } {
  return { type: 'string', requiresArg: true, describe };
}

/** Writes keys of a backup, a dump or standard input into a running server. */
export async function runInto(context: CommandContext, args: IntoArgs): Promise<RestoreKeysReport> {
  refuseOthers(args);
  const patterns = args.keys?.split('\0') ?? [];
  // A variable that is not set, where somebody wanted some.
  if (patterns.every((pattern) => pattern === ''))
    throw new AgentError('usage', '--into needs to know which keys', {
      hint: "say --keys 'user:*', or --keys '*' for all; a whole backup goes back without --into",
    });
  const app = await appIfAny(context);
  const database = wholeNumber(args.db, '--db');
  const toDatabase = wholeNumber(args.toDb, '--to-db');
  const target = intoTarget(placeOf(args), {
    env: context.env,
    instance: (name) => instanceNamed(app, name),
  });
  const source = await openDump(context, args.id);
  if (!source.again && toDatabase !== undefined && database === undefined)
    throw new AgentError('usage', '--to-db needs --db where the dump can be read only once', {
      hint: 'say from which database with --db, or name a file instead of -',
    });
  if (source.kind === 'report')
    throw new AgentError('usage', `${args.id} is a report of keys, which holds no values`, {
      hint: 'name a backup id, latest, a dump.rdb, or - for standard input',
    });
  const { manifest } = source;
  if (manifest !== undefined && app !== undefined && args['accept-unencrypted'] !== true)
    refuseClear(manifest, app.settings.repository.encryption.age_recipients);
  if (app !== undefined && !args.dryRun) requireNotRestored(app.settings, target.url);
  using list = openDamagedList(args);
  return await restoreKeys(
    { ...context, stateDirectory: app?.settings.state.path },
    {
      source,
      target,
      choice: { patterns, database, type: args.type },
      toDatabase,
      existing: existingOf(args),
      ttl: args.ttl,
      withFunctions: args.withFunctions,
      skipDamaged: args.skipDamaged,
      onDamaged: list?.add,
      dryRun: args.dryRun,
      restart: args.restart === true,
      unasked: args.yes,
      agree: (plan) => agreed(context, args, plan),
    },
  );
}

/** The server, without what else was said. */
function placeOf(args: IntoArgs): IntoOptions {
  const { into, username, passwordFile, passwordEnv, caFile, certFile, keyFile, serverName } = args;
  return { into, username, passwordFile, passwordEnv, caFile, certFile, keyFile, serverName };
}

/** 1 where some of the keys could not be written, or may be gone again. */
export function intoExitCode({ plan, result }: RestoreKeysReport): number {
  const failed = result === null ? (plan.survey?.impossible ?? []) : result.failed;
  const functions = result?.functions?.failed ?? [];
  const problems = (result ?? plan.survey)?.problems ?? [];
  const lost = [failed, functions, problems].some(({ length }) => length > 0);
  return lost || (result?.evicted ?? 0) > 0 ? exitCodes.failed : exitCodes.ok;
}

function openDamagedList({ damagedList, skipDamaged, dryRun }: IntoArgs): DamagedList | undefined {
  if (damagedList === undefined) return undefined;
  if (skipDamaged !== true)
    throw new AgentError('usage', '--damaged-list goes with --skip-damaged', {
      hint: 'without that the first damaged value ends the restore, and the error names it',
    });
  return dryRun ? undefined : new DamagedList(damagedList);
}

/** Here, because an option with a default counts as given where options exclude each other. */
function refuseOthers(args: IntoArgs): void {
  const other = Object.keys(args).find(
    (name) => /^(?:to|undo|method|allow-.*)$/.test(name) && args[name] !== undefined && args[name] !== false,
  );
  if (other === undefined) return;
  throw new AgentError('usage', `--${other} does not go with --into`, {
    hint: 'with --into a running server is written to; without it a whole backup is put back',
  });
}

function existingOf({ replace, skipExisting }: IntoArgs): ExistingKeys {
  if (replace === true) return 'replace';
  return skipExisting === true ? 'skip' : 'stop';
}

async function agreed(context: CommandContext, { yes }: IntoArgs, plan: KeyPlan): Promise<boolean> {
  const { survey } = plan;
  const nothing = survey !== null && survey.keys + survey.impossible.length === 0;
  if (yes || nothing) return true;
  if (!context.globals.json) context.show(renderKeyPlan(plan, createStyle(false), columns));
  return await context.confirm(`Write these keys into ${plan.target.name}?`);
}

/** A dump goes into a server without any configuration; then nobody remembers how far it came. */
async function appIfAny(context: CommandContext): Promise<App | undefined> {
  try {
    return await context.app();
  } catch (error) {
    const missing = hasReason(error, 'config-missing');
    if (missing && context.globals.config === undefined) return undefined;
    throw error;
  }
}

function instanceNamed(app: App | undefined, name: string): InstanceSettings {
  if (app !== undefined && app.settings.instances.some((instance) => instance.name === name))
    return app.instance(name);
  const names = app?.settings.instances.map((instance) => instance.name).join(', ');
  throw new AgentError('usage', `--into ${JSON.stringify(name)} is neither a URL nor an instance`, {
    hint: `write redis://, rediss:// or unix://, env:NAME or file:PATH${names === undefined ? '' : `, or one of: ${names}`}`,
  });
}

/** Not left to the parser: an empty one, a variable that is not set, would be the first database. */
function wholeNumber(value: string | undefined, option: string): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new AgentError('usage', `${option} takes the number of a database`, {
    hint: `${option} 0 is the first`,
  });
}
