import type { PlannedRestore } from '../../../jobs/restore/plan-restore.ts';
import type { RestoreReport } from '../../../jobs/restore/files/look-at-server.ts';
import { restoreJob } from '../../../jobs/restore/restore-job.ts';
import type { CommandContext } from '../../define-command.ts';
import { shownWidth } from '../../render/restore-plan.ts';
import { renderRestorePlan } from '../../render/restore-report.ts';
import { createStyle } from '../../render/style.ts';
import type { RestoreTarget, WhyNot } from './run.ts';

interface FilesArgs {
  dryRun: boolean;
  yes: boolean;
  proveAgain: boolean;
}

/** What is to be done: an undo, or what was planned. */
interface FilesTask {
  which: string;
  undo: boolean;
  planned?: PlannedRestore & { method: 'files' };
}

/** Plans an undo; shows the plan, asks, and does it. */
export async function runFiles(
  context: CommandContext,
  { app, instance, allow }: RestoreTarget,
  { dryRun, yes, proveAgain }: FilesArgs,
  { which, undo, planned }: FilesTask,
): Promise<{ kind: 'files'; report: RestoreReport; why_not: WhyNot }> {
  const what = { which, undo, proveAgain, allow, local: planned?.local };
  const other = planned?.choice.why_not ?? null;
  const plan = planned?.report ?? (await app.run(restoreJob, instance, { ...what, dryRun: true }, context));
  const done = (report: RestoreReport) => ({ kind: 'files' as const, report, why_not: other });
  if (dryRun) return done(plan);
  const refused = isRefused(plan, allow);
  if (!refused) {
    if (!context.globals.json) context.show(renderRestorePlan(plan, other, createStyle(false), shownWidth));
    const question = undo ? 'Put the old data back?' : `Restore ${plan.instance}?`;
    if (!yes && !(await context.confirm(question))) return done(plan);
  }
  // The one that was shown, whatever is the latest by now. One that was interrupted is ended by the name that was given.
  const agreed = refused || plan.interrupted !== null ? which : (plan.plan?.backup ?? which);
  return done(await app.run(restoreJob, instance, { ...what, which: agreed, dryRun: false }, context));
}

/** Nobody is asked about what would be refused anyway. */
function isRefused({ plan, undo }: RestoreReport, allow: readonly string[]): boolean {
  const guards = (plan ?? undo)?.guards ?? [];
  return guards.some((guard) => !guard.allowable || !allow.includes(guard.name));
}
