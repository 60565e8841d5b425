import type { Journal } from '../../../backup/restore/journal.ts';
import { reportLoad } from '../../../backup/restore/judge-load.ts';
import { putBack, rollBack, serveOld, startAgain, takeBack } from './roll-back.ts';
import { askInfo, followLog, NotServing, untilServing } from './server.ts';
import { commit, compareAndCommit, startAndCompare, type Served } from './start-and-compare.ts';
import { close, makeMoves, stopServer, type RestoreRun } from './steps.ts';

/** What became of a restore that was interrupted. */
export type EndedRestore =
  | { outcome: 'finished'; served: Served }
  | { outcome: 'rolled-back'; served: undefined };

/**
 * Ends what an interrupted run has left. Until its files were being placed nothing but copies of ours exist: they go, and
 * a server that was stopped is started. From then on it is finished, or, where it was on its way back or `back` is asked
 * for, brought back.
 */
export async function endInterrupted(
  run: RestoreRun,
  journal: Journal,
  back: boolean,
): Promise<EndedRestore> {
  const { step } = journal;
  const rolledBack: EndedRestore = { outcome: 'rolled-back', served: undefined };
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
  if (journal.step === 'stop' && journal.was_running) await serveOld(run, journal);
  await close(run, journal, 'rolled-back');
}

/**
 * What must be there is known of what was placed. Where somebody has started the server since, and it has written, it is
 * their data by now: then that there is some has to do, or what they wrote would be taken back.
 */
async function asFarAsKnown({ folder }: RestoreRun, journal: Journal): Promise<Journal> {
  const { expected } = journal;
  if (expected === null || (await folder.isAsPlaced(journal))) return journal;
  return { ...journal, expected: { ...expected, exact: false } };
}

async function finish(run: RestoreRun, left: Journal): Promise<Served> {
  const journal = left.step === 'place' ? left : await asFarAsKnown(run, left);
  const info = journal.step === 'place' ? undefined : await askInfo(run.context).catch(() => undefined);
  if (info !== undefined) {
    const log = await followLog(run.folder, run.logfile);
    const loaded =
      info.get('loading') === '0' ? info : await untilServing(run.context, run.folder.dir, run.service, log);
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
  return await startAndCompare(run, await asFarAsKnown(run, left));
}
