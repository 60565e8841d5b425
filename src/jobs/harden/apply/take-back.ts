import { sha256Of } from '../../../harden/apply/fingerprint.ts';
import type { Journal, KeptFile } from '../../../harden/apply/journal.ts';
import { setAtRunTime } from '../../../harden/apply/run-time.ts';
import { AgentError, messageOf } from '../../../domain/errors.ts';
import { engineOf, readInfo } from '../../../redis/server.ts';
import { begin, cannotWrite, reach, closeJournal, type HardenRun } from './run.ts';
import { restartServer, startAgain } from './restart.ts';
import { dropPasswords, undoUsers } from './users.ts';

/**
 * Puts files and values back as they were before `journal`, from whichever step it had come to; each step may be done a
 * second time. The files come first: until the run time follows, a start goes by what was there before.
 */
export async function takeBack(run: HardenRun, journal: Journal, problem: string | null): Promise<Journal> {
  let current = await begin(run, journal, 'undo-files', problem === null ? {} : { problem });
  const token = journal.undoes ?? journal.token;
  for (const [index, file] of journal.files.entries()) {
    await run.onStep(`undo-files ${index + 1} of ${journal.files.length}`);
    await putBack(run, file, () => run.journals.kept(token, index));
  }
  if (journal.users.length > 0) current = await begin(run, current, 'undo-users');
  const reached = await reach(run);
  if (reached !== undefined) await undoUsers(run, reached, journal);
  dropPasswords(run, journal);
  current = await begin(run, current, 'undo-runtime');
  const isUp = await undoRunTime(run, current);
  if (current.restart) {
    current = await begin(run, current, 'undo-restart');
    if (isUp) await restartServer(run);
    else await startAgain(run);
  }
  current = await begin(run, current, 'close');
  return await closeJournal(run, current, journal.kind === 'rollback' ? 'done' : 'rolled-back');
}

/** One that somebody has edited since is left alone: his change is worth more than ours. */
async function putBack(run: HardenRun, file: KeptFile, bytes: () => Promise<Uint8Array>): Promise<void> {
  const { path, before, after } = file;
  try {
    const now = await run.files.hash(path);
    if (now === before) return;
    if (now !== after)
      throw new AgentError('refused', `${path} was changed by somebody else since`, {
        reason: 'edited',
        hint: `what it was before is in ${run.journals.path}; put it right by hand`,
      });
    const kept = await bytes();
    if (sha256Of(kept) !== before)
      throw new AgentError('failed', `what was kept of ${path} is not what it was`, { reason: 'kept' });
    await run.files.replace(path, kept, file, after);
  } catch (error) {
    throw cannotWrite(`put ${path} back`, error);
  }
}

/** False: the server is down, and its next start goes by the files. */
async function undoRunTime(run: HardenRun, { changes }: Journal): Promise<boolean> {
  const connection = await reach(run);
  if (connection === undefined) return false;
  const { context } = run;
  const settings = changes.filter((change) => change.class === 'run time');
  const engine = { ...engineOf(await readInfo(connection)), docker: false };
  try {
    await setAtRunTime(
      { connection, engine, clock: context.clock, signal: new AbortController().signal },
      settings.map(({ directive, run_time: value }) => ({ directive, value })),
      [],
    );
  } catch (error) {
    throw new AgentError('failed', `the values of before could not be set again: ${messageOf(error)}`, {
      cause: error,
      reason: 'undo',
      hint: `the files are as they were, so that a restart puts it right: ${settings.map(({ directive }) => directive).join(', ')}`,
    });
  }
  return true;
}
