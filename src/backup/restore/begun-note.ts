import { mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { actAs, type UserId } from '../../lib/act-as.ts';
import { longestNote, readForeignSync } from '../../lib/foreign-file.ts';
import { replace, type Journal } from './journal.ts';
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
export class BegunNotes {
  readonly #path: string;
  readonly #owner: UserId | undefined;

  constructor(stateDirectory: string, instance: string) {
    this.#path = join(stateDirectory, 'restore', `${instance}.files.json`);
    this.#owner = statSync(stateDirectory, { throwIfNoEntry: false });
  }

  /** Undefined when there is none, or none that can be read. */
  read(): Partial<BegunNote> | undefined {
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only ever compared
      return JSON.parse(
        actAs(this.#owner, () => readForeignSync(this.#path, longestNote)),
      ) as Partial<BegunNote>;
    } catch {
      return undefined;
    }
  }

  /** Durable when it returns. */
  write(note: BegunNote): void {
    const folder = dirname(this.#path);
    actAs(this.#owner, () => {
      mkdirSync(folder, { recursive: true, mode: 0o750 });
      replace(folder, this.#path, note);
    });
  }

  clear(): void {
    actAs(this.#owner, () => rmSync(this.#path, { force: true }));
  }
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
