import { Note } from '../../state/notes/note.ts';
import type { Journal } from './journal.ts';
import type { StopNotice } from './stop-notice.ts';

/** Of a restore by files, since before its journal: that this agent has begun it. */
export type BegunNote = { schema: 1; dir: string } & Pick<
  Journal,
  'token' | 'kind' | 'backup' | 'started_at'
>;

/**
 * In the agent's state directory, where the server's user cannot write: a journal lies in the data directory, and whoever
 * may write there may have put it there.
 */
export function begunNote(stateDirectory: string, instance: string): Note<BegunNote> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only ever compared
  return new Note(stateDirectory, `restore/${instance}.files.json`, (value) => value as BegunNote);
}

/** Has this agent begun the restore that a journal in `dir` tells of? Older versions noted only that they stopped a server. */
export function isOurs(
  { token, kind, backup, started_at: started }: Journal,
  dir: string,
  { begun, stopped }: { begun: Partial<BegunNote> | undefined; stopped: StopNotice | undefined },
): boolean {
  const tells = (note: Partial<StopNotice> | undefined): boolean =>
    note?.dir === dir && note.kind === kind && note.backup === backup && note.started_at === started;
  return (tells(begun) && begun?.token === token) || tells(stopped);
}
