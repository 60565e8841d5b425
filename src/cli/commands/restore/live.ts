import { totalKeys } from '../../../domain/backup.ts';
import { counted } from '../../../lib/text/counted.ts';
import type { Server } from 'node:net';
import type { Argv } from 'yargs';
import type { PlannedRestore } from '../../../jobs/restore/plan-restore.ts';
import { restoreLiveJob, type LiveJobReport } from '../../../jobs/restore/live/restore-live-job.ts';
import { requireAllowed } from '../../../jobs/restore/live/restore-live.ts';
import { AgentError, hasReason, type Reason } from '../../../domain/errors.ts';
import { formatDuration } from '../../../lib/time/duration.ts';
import { printable } from '../../../lib/text/printable.ts';
import { shellWord } from '../../../lib/process/shell-word.ts';
import type { CommandContext } from '../../define-command.ts';
import { renderPlan, shownWidth } from '../../render/restore-plan.ts';
import { createStyle, type Style } from '../../render/style.ts';
import type { RestoreTarget, WhyNot } from './run.ts';

/** Options of a live restore; those of the command itself besides. */
export interface LiveArgs {
  dryRun: boolean;
  yes: boolean;
  preBackup: boolean;
  proveAgain: boolean;
}

export function liveOptions(yargs: Argv): Argv {
  return yargs.option('pre-backup', {
    type: 'boolean',
    default: true,
    describe: 'Live: back up first what is there now (--no-pre-backup)',
  });
}

/** Shows the plan, asks, and restores. */
export async function runLive(
  context: CommandContext,
  { app, instance, allow }: RestoreTarget,
  { dryRun, yes, preBackup, proveAgain }: LiveArgs,
  {
    report,
    local,
    listener,
    choice: { why_not: other },
  }: PlannedRestore & { method: 'live'; listener: Server | undefined },
): Promise<{ kind: 'live'; report: LiveJobReport; why_not: WhyNot }> {
  const done = (said: LiveJobReport) => ({ kind: 'live' as const, report: said, why_not: other });
  if (dryRun) return done(report);
  requireAllowed({ instance }, report.plan.guards, new Set(allow));
  if (!context.globals.json)
    context.show(renderPlan({ ...report, why_not: other }, createStyle(false), shownWidth));
  if (!yes && !(await context.confirm(`Restore ${report.instance}?`))) return done(report);
  app.leaveRoot();
  // The one that was shown, whatever is the latest by now.
  const agreed = { which: report.plan.backup, local, listener, preBackup, proveAgain, allow, dryRun: false };
  try {
    return done(await app.run(restoreLiveJob, instance, agreed, context));
  } catch (error) {
    throw withOtherWay(error, report.plan.backup);
  }
}

/** What a server that starts with the file ends at as well, or what has happened already. */
const neitherWay: readonly Reason[] = ['persist', 'unloadable', 'stale-streams', 'listpacks', 'databases'];

/** Where the other method may help: not for a backup that is bad, and not where the server has changed already. */
function withOtherWay(error: unknown, backup: string): unknown {
  if (!(error instanceof AgentError) || !['failed', 'refused', 'redis'].includes(error.code)) return error;
  const other = `redis-agent restore ${shellWord(backup)} --method files`;
  if (error.hint?.includes('--method files') === true || hasReason(error, ...neitherWay)) return error;
  return error.retold(
    error.message,
    error.hint === undefined ? `or use: ${other}` : `${error.hint}; or use: ${other}`,
  );
}

export function renderLive(report: LiveJobReport, other: WhyNot, style: Style, width: number): string {
  const { restored, interrupted } = report;
  if (restored === null)
    return `${renderPlan({ ...report, why_not: other }, style, width)}\nnothing was changed`;
  const { seconds, databases, expired, proven, pre_backup: before } = restored;
  const keys = totalKeys(databases);
  const total = (seconds.verify + seconds.load + seconds.settle) * 1000;
  return [
    ...(interrupted === null ? [] : [printable(interrupted)]),
    `${style.good(`restored ${printable(restored.backup)}`)} in ${formatDuration(total)}: ${describeLoaded(keys, expired)}`,
    `proven before: ${printable(proven)}; the next start loads the same`,
    ...(before === null
      ? []
      : [`what was there before is backup ${before}; to put it back: redis-agent restore --undo`]),
  ].join('\n');
}

/** `expired`: of them; null where nobody has counted. */
function describeLoaded(keys: number, expired: number | null): string {
  if (expired === null)
    return `${counted(keys, 'key')} loaded, those that have expired since it was read among them`;
  return `${counted(keys - expired, 'key')} loaded${expired > 0 ? `, ${expired} had expired` : ', as many as it holds'}`;
}
