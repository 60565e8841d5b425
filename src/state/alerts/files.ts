import type { NoticeFile } from '../../domain/alert.ts';
import type { State } from '../db/open.ts';

/** Keeps what goes along with the notices of a thread. To be called in the transaction that takes those in. */
export function keepFiles(state: State, thread: string, files: readonly NoticeFile[]): void {
  const insert = state.db.prepare(
    'INSERT OR REPLACE INTO notice_files (thread, name, type, content) VALUES (?, ?, ?, ?)',
  );
  for (const { name, type, content } of files) insert.run(thread, name, type, content);
}

/** What goes along with the notices of a thread, in the order in which it came. */
export function filesOf(state: State, thread: string): NoticeFile[] {
  return state.db
    .prepare('SELECT name, type, content FROM notice_files WHERE thread = ? ORDER BY rowid')
    .all(thread)
    .map(({ name, type, content }) => ({
      name: String(name),
      type: String(type),
      content: content instanceof Uint8Array ? content : new Uint8Array(),
    }));
}

/** Drops what belongs to nothing that still waits. */
export function forgetFiles(state: State): void {
  state.db
    .prepare('DELETE FROM notice_files WHERE thread NOT IN (SELECT thread FROM outbox WHERE outcome IS NULL)')
    .run();
}
