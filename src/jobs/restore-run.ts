import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { buildBridge, incomingFrom, type Workplace } from '../backup/restore/build-incoming.ts';
import type { Journal, JournalFolder, RestoreStep, RollbackStep } from '../backup/restore/journal.ts';
import { judgeLoad, reportLoad, type LoadReport } from '../backup/restore/judge-load.ts';
import { makeWork, removeWork, type FileManners } from '../backup/restore/stage-files.ts';
import { freeSuffix, listFiles, lookAtFiles, makeMove } from '../backup/restore/swap.ts';
import { planSwap, type DataFiles } from '../backup/restore/swap-plan.ts';
import { AgentError, messageOf } from '../domain/errors.ts';
import type { Info } from '../formats/info/parse-info.ts';
import type { ServiceControl } from '../redis/service.ts';
import type { JobContext } from './job.ts';
import {
  askInfo,
  followLog,
  NotServing,
  onward,
  requireGone,
  untilGone,
  untilServing,
  type ServerLog,
} from './restore-server.ts';

/** One restore or undo at work. */
export interface RestoreRun {
  context: JobContext;
  /** The data directory, without symbolic links. */
  dir: string;
  manners: FileManners;
  journals: JournalFolder;
  service: ServiceControl;
  logfile: string | null;
  /** Told when a step begins, and before each move of files. */
  onStep: (step: string) => void | Promise<void>;
}

export interface Served {
  load: LoadReport;
  /** Absolute paths of what was set aside. */
  setAside: string[];
}

/** Notes in the journal that a step begins: after a kill the next run knows that it may have been done, or in part. */
export async function begin(
  run: RestoreRun,
  journal: Journal,
  step: RestoreStep | RollbackStep,
  change: Partial<Journal> = {},
): Promise<Journal> {
  const next: Journal = { ...journal, ...change, step };
  run.journals.write(next);
  run.context.log.info({ step, token: next.token }, 'restore');
  run.context.progress.report({ phase: step });
  await run.onStep(step);
  return next;
}

export async function stopServer({ context, dir, service }: RestoreRun): Promise<void> {
  await service.stop(onward).catch(async (error: unknown) => {
    // A stop command fails where there is nothing to stop.
    await requireGone(context, dir).catch(() => {
      throw error;
    });
  });
  await untilGone(context, dir);
}

export function workplace(
  { dir, manners, journals }: RestoreRun,
  { token, layout }: Pick<Journal, 'token' | 'layout'>,
): Workplace {
  return { dir, work: `${journals.name}/${token}`, layout, manners };
}

const suffixes = { restore: '.before-restore-', undo: '.before-undo-', back: '.from-restore-' };

/** Puts the incoming files in their places, what is there aside. */
export async function place(
  run: RestoreRun,
  journal: Journal,
  incoming: DataFiles,
  rdb: string | undefined,
): Promise<Journal> {
  const { dir } = run;
  await requireGone(run.context, dir);
  const { names } = journal.layout;
  const stamp = `${suffixes[journal.kind]}${journal.token.slice(0, 15)}Z`;
  const swap = planSwap({
    layout: journal.layout,
    present: lookAtFiles(dir, names),
    incoming,
    bridge: buildBridge(workplace(run, journal), rdb),
    suffix: freeSuffix(dir, Object.values(names), stamp),
  });
  const placing = await begin(run, journal, 'place', { incoming, ...swap });
  await makeMoves(run, placing);
  return placing;
}

/** All of them, also those that were made before a kill. */
async function makeMoves(run: RestoreRun, { moves }: Journal): Promise<void> {
  for (const [index, move] of moves.entries()) {
    await run.onStep(`move ${index + 1} of ${moves.length}`);
    const aside = makeMove(run.dir, move, run.manners.owner);
    if (aside !== undefined) run.context.log.warn({ aside }, 'something was in the way and is set aside too');
  }
}

/** From placed files to served data; what does not come up, or is not what it should be, goes back. */
export async function serve(run: RestoreRun, placed: Journal): Promise<Served> {
  const log = followLog(run.dir, run.logfile, run.manners.owner);
  try {
    const started = await begin(run, placed, 'start');
    await run.service.start(onward);
    const info = await untilServing(run.context, run.dir, run.service, log);
    return await compareAndCommit(run, started, info, { fresh: true, log });
  } catch (error) {
    if (!(error instanceof NotServing)) throw error;
    throw await takeBack(run, placed, error);
  }
}

async function compareAndCommit(
  run: RestoreRun,
  started: Journal,
  info: Info,
  { fresh, log }: { fresh: boolean; log: ServerLog },
): Promise<Served> {
  const comparing = await begin(run, started, 'compare');
  const problem = judgeLoad(comparing.expected, info, fresh);
  if (problem !== undefined) throw new NotServing(problem, await log.lines(run.service));
  return await commit(run, comparing, reportLoad(comparing.expected, info));
}

async function commit(run: RestoreRun, journal: Journal, load: LoadReport): Promise<Served> {
  const committed = await begin(run, journal, 'commit');
  close(run, committed, 'done');
  return { load, setAside: listFiles(run.dir, journal.kept) };
}

function close(run: RestoreRun, journal: Journal, outcome: 'done' | 'rolled-back'): void {
  removeWork(run.dir, workplace(run, journal).work, run.manners.owner);
  run.journals.archive({ ...journal, outcome });
}

/** Goes back to the old data, and gives the error that says so. */
export async function takeBack(run: RestoreRun, journal: Journal, cause: NotServing): Promise<AgentError> {
  const said = cause.lines.map((line) => `\n  ${line}`).join('');
  const what = journal.kind === 'undo' ? 'the data that was put back' : `backup ${journal.backup}`;
  const failed = `the server does not serve ${what}: ${cause.message}`;
  try {
    const served = await rollBack(run, { ...journal, problem: failed });
    const now = served
      ? 'is in its place and served'
      : 'is in its place; the server is down, as it was before';
    return new AgentError(
      'failed',
      `${failed}; the old data ${now}${said === '' ? '' : `. The server's log:${said}`}`,
      {
        reason: 'rolled-back',
        cause,
        hint: 'nothing is lost; find out why, or choose another backup: redis-agent backups list',
      },
    );
  } catch (error) {
    return new AgentError(
      'failed',
      `${failed}, and going back failed too: ${messageOf(error)}${said === '' ? '' : `. The server's log:${said}`}`,
      {
        reason: 'roll-back',
        cause: error,
        hint: `nothing is deleted: the old data is in ${run.dir}; when the cause is gone, run: redis-agent restore --undo`,
      },
    );
  }
}

/** True when the old data is served again; false when the server was down before and is left so. */
async function rollBack(run: RestoreRun, journal: Journal): Promise<boolean> {
  const stopping = await begin(run, journal, 'stop-again');
  await stopServer(run);
  makeWork(run.dir, workplace(run, journal).work, run.manners);
  return await putBack(run, await planPutBack(run, stopping));
}

async function planPutBack(run: RestoreRun, journal: Journal): Promise<Journal> {
  const { dir } = run;
  const { layout, kept } = journal;
  const there = (name: string | undefined): boolean =>
    name !== undefined && lstatSync(join(dir, name), { throwIfNoEntry: false }) !== undefined;
  const now = lookAtFiles(dir, layout.names);
  const incoming: DataFiles = {};
  const present = { ...now };
  for (const part of ['dump', 'aofFile', 'aofDir'] as const) {
    const aside = kept[part];
    // What was to be set aside and was not is still in its place: it stays there.
    if (aside !== undefined && !there(aside)) present[part] = false;
    else if (aside !== undefined) incoming[part] = aside;
  }
  const old = await asLoadable(run, journal, incoming);
  const stamp = `${suffixes.back}${journal.token.slice(0, 15)}Z`;
  const swap = planSwap({
    layout,
    present,
    incoming: old.files,
    bridge: buildBridge(workplace(run, journal), old.rdb),
    suffix: freeSuffix(dir, Object.values(layout.names), stamp),
  });
  return await begin(run, journal, 'put-back', { moves: swap.moves });
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

async function putBack(run: RestoreRun, journal: Journal): Promise<boolean> {
  await makeMoves(run, journal);
  return await startAgain(run, journal);
}

async function startAgain(run: RestoreRun, journal: Journal): Promise<boolean> {
  let last = journal;
  if (journal.was_running) {
    last = await begin(run, journal, 'start-again');
    await serveOld(run);
  }
  close(run, await begin(run, last, 'close'), 'rolled-back');
  return journal.was_running;
}

async function serveOld(run: RestoreRun): Promise<void> {
  const log = followLog(run.dir, run.logfile, run.manners.owner);
  const info = await askInfo(run.context).catch(() => undefined);
  if (info?.get('loading') === '0') return;
  await run.service.start(onward);
  await untilServing(run.context, run.dir, run.service, log);
}

/** What became of a restore that was interrupted. */
export type Settled = { outcome: 'finished'; served: Served } | { outcome: 'rolled-back'; served: undefined };

/**
 * Ends what an interrupted run has left. Until its files were being placed nothing but copies of ours exist: they go, and
 * a server that was stopped is started. From then on it is finished, or, where it was on its way back or `back` is asked
 * for, brought back.
 */
export async function settle(run: RestoreRun, journal: Journal, back: boolean): Promise<Settled> {
  const { step } = journal;
  const rolledBack: Settled = { outcome: 'rolled-back', served: undefined };
  if (step === 'stage' || step === 'verify' || step === 'save' || step === 'stop') {
    await abandon(run, journal);
    return rolledBack;
  }
  if (step === 'put-back') await stopServer(run);
  if (step === 'put-back') await putBack(run, journal);
  else if (step === 'start-again' || step === 'close') await startAgain(run, journal);
  else if (step === 'stop-again' || (back && step !== 'commit')) await rollBack(run, journal);
  else return { outcome: 'finished', served: await finish(run, journal) };
  return rolledBack;
}

/** Leaves everything as it was before anything was placed. */
export async function abandon(run: RestoreRun, journal: Journal): Promise<void> {
  if (journal.step === 'stop' && journal.was_running) await serveOld(run);
  close(run, journal, 'rolled-back');
}

async function finish(run: RestoreRun, journal: Journal): Promise<Served> {
  const info = journal.step === 'place' ? undefined : await askInfo(run.context).catch(() => undefined);
  if (info !== undefined) {
    const log = followLog(run.dir, run.logfile, run.manners.owner);
    const loaded =
      info.get('loading') === '0' ? info : await untilServing(run.context, run.dir, run.service, log);
    if (journal.step === 'commit') return await commit(run, journal, reportLoad(journal.expected, loaded));
    try {
      return await compareAndCommit(run, journal, loaded, { fresh: false, log });
    } catch (error) {
      if (!(error instanceof NotServing)) throw error;
      throw await takeBack(run, journal, error);
    }
  }
  await stopServer(run);
  if (journal.step === 'place') await makeMoves(run, journal);
  return await serve(run, journal);
}
