import type { DataFolder } from '../../../backup/restore/folder/data-folder.ts';
import {
  journalFolder,
  type Journal,
  type RestoreStep,
  type RollbackStep,
} from '../../../backup/restore/journal.ts';
import { incomingFrom, type Workplace } from '../../../backup/restore/workplace.ts';
import { begunNote, type BegunNote } from '../../../backup/restore/begun-note.ts';
import { StopNotices } from '../../../backup/restore/stop-notice.ts';
import { planSwap, type DataFiles } from '../../../backup/restore/swap-plan.ts';
import { AgentError, messageOf, systemCode } from '../../../domain/errors.ts';
import type { ServiceControl } from '../../../redis/service/service.ts';
import type { Note } from '../../../state/notes/note.ts';
import type { JobContext } from '../../job.ts';
import { endStrays, onward, requireGone, serverProcesses, untilGone } from './server.ts';

/** One restore or undo at work. */
export interface RestoreRun {
  context: JobContext;
  /** The data directory. */
  folder: DataFolder;
  service: ServiceControl;
  logfile: string | null;
  /** Told when a step begins, and before each move of files. */
  onStep: (step: string) => void | Promise<void>;
  /** The steps of this run so far, and when (monotonic) each began. */
  begun: { step: string; at: number }[];
  /** Names of what somebody's server had put where files of this run were to go: set aside, and not what an undo takes. */
  inTheWay: string[];
}

/** Seconds of each step until the next one began; of the last until now. */
export function stepSeconds({ begun, context }: RestoreRun): Record<string, number> {
  const times: Record<string, number> = {};
  begun.forEach(({ step, at }, index) => {
    const until = begun[index + 1]?.at ?? context.clock.monotonic();
    times[step] = Math.round((times[step] ?? 0) * 1000 + until - at) / 1000;
  });
  return times;
}

/** Notes in the journal that a step begins: after a kill the next run knows that it may have been done, or in part. */
export async function begin(
  run: RestoreRun,
  journal: Journal,
  step: RestoreStep | RollbackStep,
  change: Partial<Journal> = {},
): Promise<Journal> {
  const next: Journal = { ...journal, ...change, step };
  if (run.begun.length === 0) noteBegun(run, next);
  try {
    await run.folder.writeJournal(next);
  } catch (error) {
    throw cannotGoOn(run, `note the step ${step}`, error, step);
  }
  if (step === 'stop') leaveNotice(run, next);
  run.begun.push({ step, at: run.context.clock.monotonic() });
  run.context.log.info({ step, token: next.token }, 'restore');
  run.context.progress.report({ phase: step });
  await run.onStep(step);
  return next;
}

/** Where it cannot be noted, what is left by a kill is taken for somebody else's. */
function noteBegun(
  { context, folder: { dir } }: RestoreRun,
  { token, kind, backup, started_at }: Journal,
): void {
  try {
    begunNoteOf(context).write({ schema: 1, token, kind, backup, started_at, dir });
  } catch (error) {
    context.log.warn({ cause: messageOf(error) }, 'cannot note in the state directory that a restore begins');
  }
}

/** A restore needs no state directory: what cannot be told there is not told. */
function leaveNotice({ context, folder: { dir }, service }: RestoreRun, journal: Journal): void {
  const { kind, backup, started_at } = journal;
  try {
    noticesOf(context).write({ schema: 1, kind, backup, started_at, dir, service: service.description });
  } catch (error) {
    context.log.warn({ cause: messageOf(error) }, 'cannot note in the state directory that the server stops');
  }
}

export function begunNoteOf({
  settings,
  instance,
}: Pick<JobContext, 'settings' | 'instance'>): Note<BegunNote> {
  return begunNote(settings.state.path, instance.name);
}

export function noticesOf({ settings, instance }: Pick<JobContext, 'settings' | 'instance'>): StopNotices {
  return new StopNotices(settings.state.path, instance.name);
}

/** `outcome`: of the restore that it tells of; `gone` when nobody knows. */
export function clearNotices(context: JobContext, outcome: 'done' | 'rolled-back' | 'gone'): void {
  const notices = noticesOf(context);
  try {
    begunNoteOf(context).clear();
    if (outcome === 'done') notices.keep();
    else notices.clear();
  } catch (error) {
    context.log.warn(
      { cause: messageOf(error) },
      'cannot clear in the state directory that the server stops',
    );
  }
}

/** Before these steps the server was stopped, and it is not started when they cannot be noted. */
const downAt: ReadonlySet<string> = new Set<RestoreStep | RollbackStep>(['start', 'put-back', 'start-again']);

/** Of the system's own refusals, a full disk most of all; others as they are. */
export function cannotGoOn(
  { folder: { dir } }: RestoreRun,
  what: string,
  error: unknown,
  step = '',
): unknown {
  if (error instanceof AgentError || systemCode(error) === undefined) return error;
  const now = downAt.has(step) ? '; nothing is lost, and the server is down' : '';
  return new AgentError('failed', `cannot ${what} in ${dir}: ${messageOf(error)}${now}`, {
    cause: error,
    reason: 'place',
    hint: 'put that right (room, rights), then run the same command again',
  });
}

/** Down it is when this resolves, and kept from being started where its manager lets us. */
export async function stopServer({ context, folder: { dir }, service }: RestoreRun): Promise<void> {
  const running = await serverProcesses(context, dir);
  await service.stop(onward).catch(async (error: unknown) => {
    // A stop command fails where there is nothing to stop.
    await requireGone(context, dir).catch(() => {
      throw error;
    });
  });
  await untilGone(context, dir, running);
}

export function workplace(
  { folder }: RestoreRun,
  { token, layout }: Pick<Journal, 'token' | 'layout'>,
): Workplace {
  return { folder, work: `${journalFolder}/${token}`, layout };
}

/** Behind the names of what is set aside: by a restore, by an undo, on the way back from data that was no good. */
const suffixes = { restore: '.before-restore-', undo: '.before-undo-', back: '.from-restore-' };

/** One that is free. `kind` is the journal's, or `back`. */
export async function suffixFor(
  { folder }: RestoreRun,
  { token, layout }: Journal,
  kind: keyof typeof suffixes,
): Promise<string> {
  return await folder.freeSuffix(Object.values(layout.names), `${suffixes[kind]}${token.slice(0, 15)}Z`);
}

/** Puts the incoming files in their places, what is there aside. */
export async function place(
  run: RestoreRun,
  journal: Journal,
  incoming: DataFiles,
  rdb: string | undefined,
): Promise<Journal> {
  const { folder } = run;
  await requireGone(run.context, folder.dir);
  const swap = planSwap({
    layout: journal.layout,
    present: await folder.lookAtFiles(journal.layout.names),
    incoming,
    bridge: await folder.buildBridge(workplace(run, journal).work, rdb ?? null),
    suffix: await suffixFor(run, journal, journal.kind),
  });
  const moves = await folder.identify(swap.moves);
  const placing = await begin(run, journal, 'place', { incoming, kept: swap.kept, moves });
  await makeMoves(run, placing);
  return placing;
}

/**
 * All moves of the journal, also those that were made before a kill. A server that something starts between two of them
 * has read what lay there at that moment: it has to go, and before the next move, since at the end of its load it writes
 * a manifest into the folder that has its name by then. One that starts later reads what lies there now.
 */
export async function makeMoves(run: RestoreRun, { moves, step }: Journal): Promise<void> {
  for (const [index, move] of moves.entries()) {
    await run.onStep(`${step} ${index + 1} of ${moves.length}`);
    await endStrays(run.context, run.folder.dir);
    const aside = await run.folder.makeMove(move);
    if (aside === undefined) continue;
    run.inTheWay.push(aside);
    run.context.log.warn({ aside }, 'something was in the way and is set aside too');
  }
  await endStrays(run.context, run.folder.dir);
}

/** Ends it: what is left of ours goes, the journal is kept for an undo. */
export async function close(
  run: RestoreRun,
  journal: Journal,
  outcome: 'done' | 'rolled-back',
): Promise<void> {
  try {
    await run.folder.remove(workplace(run, journal).work);
    await run.folder.archiveJournal({ ...journal, outcome });
  } catch (error) {
    throw cannotGoOn(run, 'note that all is done', error);
  }
  clearNotices(run.context, outcome);
}

/**
 * Old data in a form that the next start loads: where it was in dump.rdb only, and the next start reads an AOF (redis.conf
 * says so, the server ran without), it is made one.
 */
export async function asLoadable(
  run: RestoreRun,
  { token, layout, source }: Pick<Journal, 'token' | 'layout' | 'source'>,
  files: DataFiles,
): Promise<{ files: DataFiles; rdb: string | undefined }> {
  if (source === 'aof' || layout.authority === 'rdb' || files.dump === undefined)
    return { files, rdb: undefined };
  const incoming = await incomingFrom(workplace(run, { token, layout }), files.dump);
  return { files: incoming, rdb: files.dump };
}
