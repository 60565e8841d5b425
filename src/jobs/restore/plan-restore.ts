import {
  chooseMethod,
  chosenByHand,
  type Choice,
  type Method,
  type Prospect,
} from '../../backup/restore/choose-method.ts';
import { AgentError, hasReason, messageOf } from '../../domain/errors.ts';
import type { LocalBackup } from '../local/describe-local.ts';
import type { JobContext, JobResult } from '../job.ts';
import { isPath, openLocal } from '../local/local-backup.ts';
import { interruptedLive } from './live/recover-live.ts';
import { restoreLiveJob, type LiveJobReport } from './live/restore-live-job.ts';
import type { RestoreReport } from './files/look-at-server.ts';
import { noticesOf } from './files/steps.ts';
import { restoreJob } from './restore-job.ts';

export interface PlanRestoreOptions {
  /** A backup id, `latest`, or the path of a dump or an append only file. */
  which: string;
  /** As asked for; undefined: the one that is possible, live before files. */
  method: Method | undefined;
  /** Of a live one: back up first what is there now. */
  preBackup: boolean;
  proveAgain?: boolean;
  /** Names of guards that are insisted on. */
  allow: readonly string[];
}

/** A restore as it would be, by the method that was chosen. `local`: of what lies at a path, held open for it. */
export type PlannedRestore = Planned & { local: LocalBackup | undefined };

type Planned = { choice: Choice } & (
  | { method: 'files'; report: RestoreReport }
  | { method: 'live'; report: LiveJobReport }
);

export async function planRestore(
  context: JobContext,
  options: PlanRestoreOptions,
): Promise<JobResult<PlannedRestore>> {
  const local = isPath(options.which) ? await openLocal(context, options.which) : undefined;
  try {
    // A backup that is not there is nobody's method.
    const { id } = local?.manifest ?? (await context.repository.find(options.which, context.signal));
    const planned = await plan(context, {
      ...options,
      which: local === undefined ? options.which : id,
      local,
    });
    if (options.which === 'latest') planned.report.plan?.notes.push(...(await passedOver(context, id)));
    return {
      value: { ...planned, local },
      summary: `${context.instance.name}: planned ${id}, by ${planned.method}`,
      findings: [],
      evaluated: [],
    };
  } catch (error) {
    await local?.[Symbol.asyncDispose]();
    throw error;
  }
}

/** The newest backup that can be read is not always the newest that was taken. */
async function passedOver({ repository, signal }: JobContext, chosen: string): Promise<string[]> {
  const { backups } = await repository.list(signal);
  return backups
    .slice(backups.findIndex(({ id }) => id === chosen) + 1)
    .flatMap((entry) =>
      'problem' in entry
        ? [`${entry.id} is newer and passed over: ${entry.problem.replace(`backup ${entry.id}: `, '')}`]
        : [],
    );
}

async function plan(
  context: JobContext,
  { method: asked, preBackup, allow, ...source }: PlanRestoreOptions & Pick<PlannedRestore, 'local'>,
): Promise<Planned> {
  const planFiles = async (): Promise<RestoreReport> => {
    const options = { ...source, undo: false, dryRun: true, allow: [] };
    return (await restoreJob.run(context, options)).value;
  };
  const planLive = async (): Promise<LiveJobReport> => {
    const options = { ...source, dryRun: true, preBackup, allow: [] };
    return (await restoreLiveJob.run(context, options)).value;
  };
  if (asked === 'files') return { method: asked, choice: chosenByHand(asked), report: await planFiles() };
  const files = await attempt(context, planFiles);
  // Of what lies half placed nobody knows more, whatever the method.
  if ('problem' in files && (isUnreadable(files.problem) || wasCutOff(context))) throw files.problem;
  const halfPlaced = 'done' in files && files.done.interrupted !== interruptedLive(context);
  if (asked === 'live') {
    if (halfPlaced) throw notEnded(files.done);
    return { method: asked, choice: chosenByHand(asked), report: await planLive() };
  }
  const live = await attempt(context, planLive);
  const choice = chooseMethod({ files: prospectOf(files), live: prospectOf(live), halfPlaced, allow });
  if (choice.method === 'live' && 'done' in live) return { method: 'live', choice, report: live.done };
  if ('done' in files) return { method: 'files', choice, report: files.done };
  throw neither(files.problem, choice);
}

type Attempt<Report> = { done: Report } | { problem: unknown };

/** A method that cannot be planned is not possible. */
async function attempt<Report>(context: JobContext, work: () => Promise<Report>): Promise<Attempt<Report>> {
  try {
    return { done: await work() };
  } catch (problem) {
    context.signal.throwIfAborted();
    if (!(problem instanceof AgentError)) throw problem;
    return { problem };
  }
}

/** Who may not look into the data directory knows it by the notice. */
function wasCutOff(context: JobContext): boolean {
  return noticesOf(context).read() !== undefined;
}

function isUnreadable(problem: unknown): boolean {
  return hasReason(problem, 'journal');
}

function prospectOf(attempted: Attempt<RestoreReport> | Attempt<LiveJobReport>): Prospect {
  if ('problem' in attempted) return attempted;
  return { guards: attempted.done.plan?.guards ?? [] };
}

/** What lies half placed would be what the server's next start reads. */
function notEnded({ interrupted }: RestoreReport): AgentError {
  return new AgentError('refused', interrupted ?? 'a restore was interrupted', {
    reason: 'interrupted',
    hint: 'end that first: run it without --method live',
  });
}

function neither(problem: unknown, { why_not: { why } }: Choice): unknown {
  if (!(problem instanceof AgentError)) return problem;
  if (why === problem.message) return problem;
  return problem.retold(`${messageOf(problem)}; and it cannot be done live: ${why}`);
}
