import { dirname } from 'node:path';
import type { Argv } from 'yargs';
import { flagOf, guardFlags } from '../../../backup/restore/judge-guards.ts';
import { fetchBackupJob } from '../../../jobs/fetch/fetch-backup-job.ts';
import type { FetchReport } from '../../../jobs/fetch/fetch-backup.ts';
import { planRestoreJob } from '../../../jobs/restore/plan-restore-job.ts';
import { undoLiveJob } from '../../../jobs/restore/undo-live-job.ts';
import type { RestoreReport } from '../../../jobs/restore/files/look-at-server.ts';
import { AgentError } from '../../../domain/errors.ts';
import { formatBytes } from '../../../lib/text/bytes.ts';
import { printable } from '../../../lib/text/printable.ts';
import { isPath } from '../../../jobs/local/local-backup.ts';
import type { RestoreKeysReport } from '../../../jobs/keys/restore-keys-options.ts';
import { defineCommand, type CommandContext } from '../../define-command.ts';
import { exitCodes } from '../../exit-code.ts';
import { renderRestoreKeys } from '../../render/restore-keys.ts';
import { renderRestoreReport } from '../../render/restore-report.ts';
import type { LiveJobReport } from '../../../jobs/restore/live/restore-live-job.ts';
import { runFiles } from './files.ts';
import { liveOptions, renderLive, runLive } from './live.ts';
import type { WhyNot } from './run.ts';
import { intoExitCode, intoOptions, runInto, type IntoArgs } from './into.ts';

interface Args {
  id: string;
  into: string | undefined;
  dryRun: boolean;
  yes: boolean;
  undo: boolean;
  method: 'files' | 'live' | undefined;
  preBackup: boolean;
  proveAgain: boolean;
  to: string | undefined;
  /** `allowOld` and the others. */
  [allow: string]: unknown;
}

type Done =
  | { kind: 'fetched'; fetched: FetchReport }
  | { kind: 'files'; report: RestoreReport; why_not: WhyNot }
  | { kind: 'live'; report: LiveJobReport; why_not: WhyNot }
  | { kind: 'keys'; keys: RestoreKeysReport };

/** `declined`: the plan was shown, and the answer was no. */
type Result = Done & { declined: boolean };

export const restoreCommand = defineCommand<Args, Result>({
  usage: 'restore [id]',
  summary: 'Put a backup back: prove it, set the old data aside, place it, start, compare',
  sharesRoot: byOthers,
  // The unit would have it in a folder of its own.
  unit: (args) => (args.to === undefined ? byOthers(args) : undefined),
  // Beside its manifest lies the rest of an append only file.
  lends: ({ id }) => (isPath(id) ? [id.endsWith('.manifest') ? dirname(id) : id] : []),
  fills({ to }) {
    if (to === '') throw new AgentError('usage', '--to names no folder', { hint: 'see: restore --help' });
    return to;
  },
  options,
  examples: [
    ['redis-agent restore --dry-run', 'What it would do, and why'],
    ['redis-agent restore', 'The newest backup; asks before it touches anything'],
    ['redis-agent restore --undo', 'Put back what the last restore has set aside'],
    ['redis-agent restore ./dump.rdb', 'A dump, or an append only file, that lies somewhere'],
    ['redis-agent restore latest --to /tmp/look', 'Only fetch and decode'],
    [
      "redis-agent restore latest --keys 'user:*' --into rediss://host:6379 --password-file F",
      'Some keys into a running server',
    ],
  ],
  async run(context, args) {
    const done = await restore(context, args);
    return { ...done, declined: !args.dryRun && isOnlyPlanned(done) };
  },
  render(result, { style, width }) {
    if (result.declined) return 'nothing was changed';
    if (result.kind === 'files') return renderRestoreReport(result.report, result.why_not, style, width);
    if (result.kind === 'keys') return renderRestoreKeys(result.keys, style, width);
    if (result.kind === 'live') return renderLive(result.report, result.why_not, style, width);
    const { file, backup, bytes } = result.fetched;
    return `${printable(file)}: backup ${backup}, ${formatBytes(bytes)}, proven (SHA-256, every record read)`;
  },
  document(result) {
    if (result.kind === 'keys') return result.keys;
    if (result.kind === 'fetched') return result.fetched;
    return { ...result.report, why_not: result.why_not };
  },
  exitCode: (result) => (result.kind === 'keys' ? intoExitCode(result.keys) : exitCodes.ok),
});

function isOnlyPlanned(done: Done): boolean {
  if (done.kind === 'files') return done.report.outcome === 'planned';
  if (done.kind === 'live') return done.report.restored === null;
  return done.kind === 'keys' && done.keys.result === null;
}

async function restore(context: CommandContext, args: Args): Promise<Done> {
  if (args.into !== undefined)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- intoOptions gives them these types
    return { kind: 'keys', keys: await runInto(context, args as unknown as IntoArgs) };
  const { undo, dryRun, to, method } = args;
  // While we are root: the app may give that up.
  const reserve = to === undefined && !dryRun && method !== 'files';
  await using listener = reserve ? await context.reservePort() : undefined;
  const app = await context.app();
  const instance = app.instance(context.globals.instance);
  // yargs' own conflicts take an option with a default for given.
  if (to !== undefined && (undo || dryRun))
    throw new AgentError('usage', '--to only fetches a backup: --undo and --dry-run have no meaning with it');
  const allow = Object.keys(guardFlags).filter((name) => args[flagOf(name).slice(2)] === true);
  if (to !== undefined) {
    const what = { which: args.id, directory: to, allow };
    return { kind: 'fetched', fetched: await app.run(fetchBackupJob, instance, what, context) };
  }
  // The last restore of either kind is the one that is undone.
  const replaced = undo ? await app.run(undoLiveJob, instance, {}, context) : null;
  if (undo && replaced === null)
    return await runFiles(context, { app, instance, allow }, args, { which: 'latest', undo });
  // What was there before may well be less: it is wanted back all the same.
  if (replaced !== null) allow.push('fewer-keys');
  const wanted = {
    which: replaced ?? args.id,
    method,
    preBackup: args.preBackup,
    proveAgain: args.proveAgain,
    allow,
  };
  const planned = await app.run(planRestoreJob, instance, wanted, context);
  await using local = planned.local;
  const which = local?.manifest.id ?? wanted.which;
  return planned.method === 'files'
    ? await runFiles(context, { app, instance, allow }, args, { which, undo: false, planned })
    : await runLive(context, { app, instance, allow }, args, { ...planned, listener });
}

/** A server that is written to is only connected to. */
function byOthers({ into }: Args): 'restore' | undefined {
  return into === undefined ? 'restore' : undefined;
}

function options(yargs: Argv): Argv {
  let result = liveOptions(intoOptions(yargs))
    .positional('id', {
      type: 'string',
      default: 'latest',
      describe:
        'A backup id, latest, or a path: dump.rdb, appendonlydir; with --into also - for standard input',
    })
    .option('dry-run', {
      type: 'boolean',
      alias: 'n',
      default: false,
      describe: 'Print the plan and change nothing',
    })
    .option('yes', { type: 'boolean', alias: 'y', default: false, describe: 'Do not ask' })
    .option('undo', {
      type: 'boolean',
      default: false,
      describe: 'Put back what the last restore has set aside',
    })
    .option('prove-again', {
      type: 'boolean',
      default: false,
      describe: 'Load it into a scratch server first, although the same bytes were loaded before',
    })
    .option('to', {
      type: 'string',
      requiresArg: true,
      describe: 'Only fetch, prove and decode into this folder; no server is touched',
    })
    .option('method', {
      requiresArg: true,
      choices: ['files', 'live'] as const,
      describe:
        'files: placed while the server is down; live: the running server takes it over; default: live, if it can',
    });
  for (const [name, describe] of Object.entries(guardFlags))
    result = result.option(flagOf(name).slice(2), { type: 'boolean', default: false, describe });
  return result;
}
