import { sha256Of } from '../../../harden/apply/fingerprint.ts';
import type { Journal, JournalFolder, KeptFile } from '../../../harden/apply/journal.ts';
import type { ServerFiles } from '../../../harden/apply/server-files.ts';
import { isAofOn, saveBeforeAofEnds, setAtRunTime, type SetContext } from '../../../harden/apply/run-time.ts';
import { AgentError, hasReason, messageOf } from '../../../domain/errors.ts';
import type { RedisConnection } from '../../../redis/connection/connect.ts';
import { engineOf, readInfo } from '../../../redis/server.ts';
import { begin, cannotWrite, reach, closeJournal, type HardenRun } from './run.ts';
import { restartServer, startAgain } from './restart.ts';
import { dropPasswords, undoUsers } from './users.ts';

/**
 * Puts files and values back as they were before `journal`, from whichever step it had come to; each step may be done a
 * second time. The files come first: until the run time follows, a start goes by what was there before. By files without an
 * append only file it would load the last snapshot, so that one is taken before.
 */
export async function takeBack(run: HardenRun, journal: Journal, problem: string | null): Promise<Journal> {
  let current = await begin(run, journal, 'undo-files', problem === null ? {} : { problem });
  const token = journal.undoes ?? journal.token;
  const saved = await saveFirst(run, journal);
  for (const [index, file] of journal.files.entries()) {
    await run.onStep(`undo-files ${index + 1} of ${journal.files.length}`);
    const kept = `${run.journals.path}/${token}/${index}.before`;
    await putBack(run, file, { kept, read: () => run.journals.kept(token, index) });
  }
  if (journal.users.length > 0) current = await begin(run, current, 'undo-users');
  const reached = await reach(run);
  if (reached !== undefined) await undoUsers(run, reached, journal);
  dropPasswords(run, journal);
  current = await begin(run, current, 'undo-runtime');
  const isUp = await undoRunTime(run, current, saved);
  if (current.restart) {
    current = await begin(run, current, 'undo-restart');
    if (isUp) await restartServer(run);
    else await startAgain(run);
  }
  current = await begin(run, current, 'close');
  return await closeJournal(run, current, journal.kind === 'rollback' ? 'done' : 'rolled-back');
}

/** Only where the append only file is to go, and may hold what the last snapshot has not. */
async function saveFirst(run: HardenRun, { changes }: Journal): Promise<boolean> {
  if (!changes.some(({ directive, run_time: before }) => directive === 'appendonly' && before === 'no'))
    return false;
  const connection = await reach(run);
  if (connection === undefined || !(await isAofOn({ connection }))) return false;
  await saveBeforeAofEnds(await setContext(run, connection));
  return true;
}

/** One that somebody has edited since is left alone: his change is worth more than ours. */
async function putBack(
  run: HardenRun,
  file: KeptFile,
  { kept, read }: { kept: string; read: () => Promise<Uint8Array> },
): Promise<void> {
  const { path, before, after } = file;
  try {
    const now = await run.files.hash(path);
    if (now === before) return;
    if (now !== after)
      throw edited(path, `bring it back to what it was before, ${kept}, then run the same command again`);
    const bytes = await read();
    if (sha256Of(bytes) !== before)
      throw new AgentError('failed', `what was kept of ${path} is not what it was`, { reason: 'kept' });
    await run.files.replace(path, bytes, file, after);
  } catch (error) {
    throw cannotWrite(`put ${path} back`, error);
  }
}

/** Before anything is put back: one file that is not could hold up the others half way. */
export async function requireFilesUnedited(
  files: ServerFiles,
  journals: JournalFolder,
  { token, files: changed }: Journal,
): Promise<void> {
  for (const [index, { path, before, after }] of changed.entries()) {
    const now = await files.hash(path).catch((error: unknown) => {
      throw cannotWrite(`put ${path} back`, error);
    });
    if (now !== before && now !== after)
      throw edited(
        path,
        `nothing was changed; what it was before is in ${journals.path}/${token}/${index}.before: put it right by hand`,
      );
  }
}

function edited(path: string, hint: string): AgentError {
  return new AgentError('refused', `${path} was changed since, by a rotation or by somebody else`, {
    reason: 'edited',
    hint,
  });
}

/** False: the server is down, and its next start goes by the files. */
async function undoRunTime(run: HardenRun, { changes }: Journal, saved: boolean): Promise<boolean> {
  const connection = await reach(run);
  if (connection === undefined) return false;
  const settings = changes.filter((change) => change.class === 'run time');
  try {
    await setAtRunTime(
      await setContext(run, connection),
      settings.map(({ directive, run_time: value }) => ({ directive, value })),
      [],
      { saved },
    );
  } catch (error) {
    // It says itself that a restart would put nothing right.
    if (hasReason(error, 'bgsave')) throw error;
    throw new AgentError('failed', `the values of before could not be set again: ${messageOf(error)}`, {
      cause: error,
      reason: 'undo',
      hint: `the files are as they were, so that a restart puts it right: ${settings.map(({ directive }) => directive).join(', ')}`,
    });
  }
  return true;
}

/** Whoever takes something back is not interrupted. */
async function setContext({ context }: HardenRun, connection: RedisConnection): Promise<SetContext> {
  const engine = { ...engineOf(await readInfo(connection)), docker: false };
  return { connection, engine, clock: context.clock, signal: new AbortController().signal };
}
