import { join } from 'node:path';
import { isOurs } from '../../backup/restore/begun-note.ts';
import { journalFolder, type Journal } from '../../backup/restore/journal.ts';
import type { Guard } from '../../backup/restore/judge-guards.ts';
import { AgentError, hasReason } from '../../domain/errors.ts';
import { printable } from '../../lib/text/printable.ts';
import { endInterrupted, type EndedRestore } from './files/end-interrupted.ts';
import type { JobContext, JobResult } from '../job.ts';
import { withLocal } from '../local/local-backup.ts';
import { interruptedRule } from './rules.ts';
import { interruptedLive, recoverLive } from './live/recover-live.ts';
import { describeServed, restoreFiles, undoRestore } from './files/files.ts';
import {
  lookAtServer,
  refuse,
  requireService,
  type RestoreTarget,
  type RestoreOptions,
  type RestoreReport,
} from './files/look-at-server.ts';
import { NotServing } from './files/server.ts';
import { begunNoteOf, noticesOf, clearNotices } from './files/steps.ts';

export async function restoreByFiles(
  context: JobContext,
  options: RestoreOptions,
): Promise<JobResult<RestoreReport>> {
  const start = context.clock.monotonic();
  const report = await restore(withLocal(context, options.local), options).catch((error: unknown) => {
    if (!(error instanceof NotServing)) throw error;
    const said = error.lines.map((line) => `\n  ${line}`).join('');
    throw new AgentError('failed', `the server does not come up: ${error.message}${said}`, {
      cause: error,
      hint: 'see its log; when the cause is gone, run the same command again',
    });
  });
  const seconds = Math.round(context.clock.monotonic() - start) / 1000;
  return {
    value: { ...report, duration_seconds: seconds },
    summary:
      `${context.instance.name}: ${report.outcome} ${report.plan?.backup ?? report.undo?.backup ?? ''}`.trim(),
    findings: [],
    // What was cut off before was brought to its end first.
    evaluated: options.dryRun ? [] : [{ rules: [interruptedRule.id] }],
  };
}

async function restore(context: JobContext, options: RestoreOptions): Promise<RestoreReport> {
  const empty: RestoreReport = {
    instance: context.instance.name,
    outcome: 'planned',
    interrupted: null,
    plan: null,
    undo: null,
    proven: null,
    load: null,
    set_aside: [],
    duration_seconds: 0,
    seconds: {},
  };
  const live = await endLive(context, options.dryRun);
  const target = await lookAtServer(context, options);
  // What was put right by hand has left its notice.
  if (target.interrupted === undefined) clearNotices(context, 'gone');
  if (target.interrupted === undefined)
    return await begun(context, options, target, { ...empty, interrupted: live });
  const { undo, dryRun, which } = options;
  const { kind, backup, started_at: started, step } = target.interrupted;
  const what = `a ${kind} of ${backup}, begun ${started}, was interrupted at ${step}`;
  const unmatched = judgeOrigin(context, target, target.interrupted);
  if (dryRun) {
    const whose = unmatched.length === 0 ? '' : ', as a journal says that this agent knows nothing of';
    const report = { ...empty, interrupted: `${what}${whose}: ${forecast(target.interrupted, undo)}` };
    // What there will be to undo shows only when it is settled.
    if (undo) return report;
    const { plan, ...others } = await begun(context, options, target, report);
    return { ...others, plan: plan && { ...plan, guards: [...unmatched, ...plan.guards] } };
  }
  refuse(unmatched, options.allow);
  const { outcome, served } = await endInterruptedOf(target, target.interrupted, undo);
  const now = outcome === 'finished' ? 'finished now' : 'rolled back now';
  const report = { ...empty, interrupted: `${what}: ${now}` };
  const wanted = undo
    ? outcome === 'rolled-back'
    : outcome === 'finished' && backup === (await meant(context, which));
  if (wanted) return { ...report, ...describeServed(served), outcome };
  return await begun(context, options, await lookAtServer(context, options), report);
}

/** Ends what an interrupted run has left, and begins nothing. Resolves with what that was, for people; null: nothing. */
export async function recoverRestore(context: JobContext): Promise<string | null> {
  const live = await endLive(context, false);
  const options: RestoreOptions = { which: 'latest', undo: false, dryRun: false, allow: [] };
  const target = await lookAtServer(context, options);
  if (target.interrupted === undefined) {
    clearNotices(context, 'gone');
    return live;
  }
  const { kind, backup, step } = target.interrupted;
  refuse(judgeOrigin(context, target, target.interrupted), []);
  const { outcome } = await endInterruptedOf(target, target.interrupted, false);
  return `a ${kind} of ${backup}, interrupted at ${step}: ${outcome}`;
}

/** Of `latest` the id, as far as the repository can be asked: one may have been taken since. */
async function meant({ repository, signal }: JobContext, which: string): Promise<string> {
  return which === 'latest' ? (await repository.find(which, signal)).id : which;
}

/**
 * A live restore that was interrupted has left the server as a replica of nobody. A server that is down since then knows
 * nothing of that any more. Returns what was found, for people.
 */
async function endLive(context: JobContext, dryRun: boolean): Promise<string | null> {
  const interrupted = interruptedLive(context);
  if (interrupted === null || dryRun) return interrupted;
  try {
    await recoverLive(context);
  } catch (error) {
    if (!hasReason(error, 'refused')) throw error;
  }
  return interrupted;
}

/** With nothing left of an earlier run. */
async function begun(
  context: JobContext,
  options: RestoreOptions,
  target: RestoreTarget,
  report: RestoreReport,
): Promise<RestoreReport> {
  return options.undo
    ? await undoRestore(context, options, target, report)
    : await restoreFiles(context, options, target, report);
}

/** Whoever may write into the data directory could have put the journal there. */
function judgeOrigin(
  context: JobContext,
  {
    run: {
      folder: { dir },
    },
  }: RestoreTarget,
  journal: Journal,
): Guard[] {
  const notes = { begun: begunNoteOf(context).readIfSound(), stopped: noticesOf(context).read() };
  if (isOurs(journal, dir, notes)) return [];
  const { kind, backup, started_at: started, step } = journal;
  const folder = join(dir, journalFolder);
  return [
    {
      name: 'unmatched',
      allowable: true,
      why: `a journal in ${folder} tells of a ${kind} of ${printable(backup)}, begun ${printable(started)} and cut off at ${step}, and this agent has no record of it: an older version's, or somebody has put it there`,
      instead: `see what it says; if no restore was cut off here, move it away: mv ${folder} ${folder}.found`,
    },
  ];
}

function forecast({ step }: Journal, undoing: boolean): string {
  const early = ['stage', 'verify', 'save', 'stop'].includes(step);
  const late = ['place', 'start', 'compare', 'commit'].includes(step) && !(undoing && step !== 'commit');
  if (early) return 'nothing was placed, so it is given up first';
  return late ? 'it is finished first' : 'it is rolled back first';
}

async function endInterruptedOf(
  target: RestoreTarget,
  journal: Journal,
  back: boolean,
): Promise<EndedRestore> {
  requireService(target);
  const { run: at } = target;
  try {
    return await endInterrupted(at, journal, back);
  } finally {
    await at.service.release();
  }
}
