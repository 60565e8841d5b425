import type { Argv } from 'yargs';
import { restoreLiveJob, type LiveJobReport } from '../../jobs/restore-live-job.ts';
import { requireAllowed } from '../../jobs/restore-live.ts';
import { formatBytes } from '../../lib/bytes.ts';
import { formatDuration } from '../../lib/duration.ts';
import { printable } from '../../lib/printable.ts';
import type { CommandContext } from '../define-command.ts';
import { describeEstimate } from '../render/restore-report.ts';
import { createStyle, type Style } from '../render/style.ts';

/** Options of `restore --method live`; those of the command itself besides. */
export interface LiveArgs {
  id: string;
  dryRun: boolean;
  yes: boolean;
  preBackup: boolean;
}

export function liveOptions(yargs: Argv): Argv {
  return yargs.option('pre-backup', {
    type: 'boolean',
    default: true,
    describe: 'With --method live: back up first what is there now (--no-pre-backup)',
  });
}

/** Plans, shows the plan, asks, and restores. */
export async function runLive(
  context: CommandContext,
  { id: which, dryRun, yes, preBackup }: LiveArgs,
  allow: readonly string[],
): Promise<LiveJobReport> {
  const app = await context.app();
  const instance = app.instance(context.globals.instance);
  const options = { which, preBackup, allow };
  const planned = await app.run(restoreLiveJob, instance, { ...options, dryRun: true }, context);
  if (dryRun) return planned;
  requireAllowed({ instance }, planned.plan.guards, new Set(allow));
  if (!context.globals.json) context.show(renderPlan(planned, createStyle(false)));
  if (!yes && !(await context.confirm(`Restore ${planned.instance}?`))) return planned;
  // The one that was shown, whatever is the latest by now.
  const agreed = { ...options, which: planned.plan.backup, dryRun: false };
  return await app.run(restoreLiveJob, instance, agreed, context);
}

function renderPlan({ instance, plan, interrupted }: LiveJobReport, style: Style): string {
  const lines = [
    ...(interrupted === null ? [] : [style.warning(printable(interrupted))]),
    `${style.strong(`Restore ${instance} from ${plan.backup}`)}, taken ${formatDuration(plan.age_seconds * 1000)} ago: ` +
      `${plan.keys} keys, ${formatBytes(plan.bytes)}, into ${printable(plan.server)}`,
    `method live: ${plan.why}`,
    `lost: ${plan.lost}`,
    describeEstimate(plan.expected),
    ...plan.notes.map((note) => style.warning(`note: ${printable(note)}`)),
    ...plan.guards.map(({ name, allowable, why, instead }) =>
      style.bad(
        `refused: ${printable(why)}; ${printable(instead)}${allowable ? `; or insist with --allow-${name}` : ''}`,
      ),
    ),
  ];
  return lines.join('\n');
}

export function renderLive(report: LiveJobReport, style: Style): string {
  const { restored, interrupted } = report;
  if (restored === null) return `${renderPlan(report, style)}\nnothing was changed`;
  const { seconds, databases, pre_backup: before } = restored;
  const keys = Object.values(databases).reduce((sum, database) => sum + database.keys, 0);
  const total = (seconds.verify + seconds.load + seconds.settle) * 1000;
  return [
    ...(interrupted === null ? [] : [printable(interrupted)]),
    `${style.good(`restored ${restored.backup}`)} in ${formatDuration(total)}: ${keys} keys loaded, as many as it holds`,
    'every value was decoded before; the next start loads the same',
    ...(before === null ? [] : [`what was there before is backup ${before}: redis-agent restore ${before}`]),
  ].join('\n');
}
