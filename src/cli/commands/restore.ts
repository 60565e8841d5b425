import type { Argv } from 'yargs';
import { guardFlags } from '../../backup/restore/judge-guards.ts';
import { fetchBackupJob, type FetchReport } from '../../jobs/fetch-backup.ts';
import { restoreJob } from '../../jobs/restore.ts';
import type { RestoreReport } from '../../jobs/restore-scene.ts';
import { AgentError } from '../../domain/errors.ts';
import { formatBytes } from '../../lib/bytes.ts';
import { printable } from '../../lib/printable.ts';
import type { RestoreKeysReport } from '../../jobs/restore-keys-options.ts';
import { defineCommand, type CommandContext } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { renderRestoreKeys } from '../render/restore-keys.ts';
import { renderRestorePlan, renderRestoreReport } from '../render/restore-report.ts';
import { createStyle } from '../render/style.ts';
import type { LiveJobReport } from '../../jobs/restore-live-job.ts';
import { liveOptions, renderLive, runLive } from '../restore/live.ts';
import { intoExitCode, intoOptions, runInto, type IntoArgs } from '../restore/into.ts';

interface Args {
  id: string;
  into: string | undefined;
  dryRun: boolean;
  yes: boolean;
  undo: boolean;
  method: 'files' | 'live' | undefined;
  preBackup: boolean;
  to: string | undefined;
  /** `allowOld` and the others. */
  [allow: string]: unknown;
}

type Result =
  | { kind: 'fetched'; fetched: FetchReport }
  | { kind: 'restore'; report: RestoreReport }
  | { kind: 'live'; live: LiveJobReport }
  | { kind: 'keys'; keys: RestoreKeysReport };

export const restoreCommand = defineCommand<Args, Result>({
  usage: 'restore [id]',
  summary: 'Put a backup back: prove it, set the old data aside, place it, start, compare',
  // Placing files may take root's rights; a server that is written to is only connected to.
  keepsRoot: ({ into, method }) => into === undefined && method !== 'live',
  options,
  examples: [
    ['redis-agent restore --dry-run', 'What it would do, and why'],
    ['redis-agent restore', 'The newest backup; asks before it touches anything'],
    ['redis-agent restore --undo', 'Put back what the last restore has set aside'],
    ['redis-agent restore latest --to /tmp/look', 'Only fetch and decode'],
    [
      "redis-agent restore latest --keys 'user:*' --into rediss://host:6379 --password-file F",
      'Some keys into a running server',
    ],
  ],
  async run(context, args) {
    if (args.into !== undefined)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- intoOptions gives them these types
      return { kind: 'keys', keys: await runInto(context, args as unknown as IntoArgs) };
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    const { id: which, undo, dryRun, to } = args;
    // yargs' own conflicts take an option with a default for given.
    if (to !== undefined && (undo || dryRun))
      throw new AgentError(
        'usage',
        '--to only fetches a backup: --undo and --dry-run have no meaning with it',
      );
    if (to !== undefined)
      return {
        kind: 'fetched',
        fetched: await app.run(fetchBackupJob, instance, { which, directory: to }, context),
      };
    const allow = Object.keys(guardFlags).filter((name) => args[`allow-${name}`] === true);
    if (args.method === 'live' && !undo) return { kind: 'live', live: await runLive(context, args, allow) };
    const what = { which, undo, allow };
    const planned = await app.run(restoreJob, instance, { ...what, dryRun: true }, context);
    if (dryRun || !(await agreed(context, planned, args, allow))) return { kind: 'restore', report: planned };
    return {
      kind: 'restore',
      report: await app.run(restoreJob, instance, { ...what, dryRun: false }, context),
    };
  },
  render(result, { style, width }) {
    if (result.kind === 'restore') return renderRestoreReport(result.report, style);
    if (result.kind === 'keys') return renderRestoreKeys(result.keys, style, width);
    if (result.kind === 'live') return renderLive(result.live, style);
    const { file, backup, bytes } = result.fetched;
    return `${printable(file)}: backup ${backup}, ${formatBytes(bytes)}, proven (SHA-256, CRC64)`;
  },
  document(result) {
    if (result.kind === 'keys') return result.keys;
    if (result.kind === 'live') return result.live;
    return result.kind === 'restore' ? result.report : result.fetched;
  },
  exitCode: (result) => (result.kind === 'keys' ? intoExitCode(result.keys) : exitCodes.ok),
});

function options(yargs: Argv): Argv {
  let result = liveOptions(intoOptions(yargs))
    .positional('id', {
      type: 'string',
      default: 'latest',
      describe: 'A backup id, or latest; with --into also a dump.rdb, or - for standard input',
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
    .option('to', {
      type: 'string',
      requiresArg: true,
      describe: 'Only fetch, prove and decode into this folder; no server is touched',
    })
    .option('method', {
      choices: ['files', 'live'] as const,
      describe: 'files: placed while the server is down; live: the running server takes the backup over',
    });
  for (const [name, describe] of Object.entries(guardFlags))
    result = result.option(`allow-${name}`, { type: 'boolean', default: false, describe });
  return result;
}

/** Asks, unless that was said before, or the run would be refused anyway. */
async function agreed(
  context: CommandContext,
  planned: RestoreReport,
  { yes, undo }: Args,
  allow: readonly string[],
): Promise<boolean> {
  const guards = (planned.plan ?? planned.undo)?.guards ?? [];
  if (guards.some((guard) => !guard.allowable || !allow.includes(guard.name))) return true;
  if (!context.globals.json) context.show(renderRestorePlan(planned, createStyle(false)));
  return yes || (await context.confirm(undo ? 'Put the old data back?' : `Restore ${planned.instance}?`));
}
