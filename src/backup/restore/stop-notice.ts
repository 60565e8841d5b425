import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { actAs, type UserId } from '../../lib/act-as.ts';
import { longestNote, readForeignSync } from '../../lib/foreign-file.ts';
import { replace } from './journal.ts';

/** What is said of a restore by files that has stopped its server, when nothing came of it. */
export interface StopNotice {
  schema: 1;
  kind: 'restore' | 'undo';
  backup: string;
  started_at: string;
  /** The data directory, where the journal is. */
  dir: string;
  /** How the server is started, for people. */
  service: string;
}

/**
 * From the stop of the server until it serves again or all is as before, in the agent's state directory: of a server that
 * is down nothing else may tell where its data and with it the journal is. Only shown, never acted upon, since the
 * daemon's user may write there and a restore may be root's. Losing it loses no more than the telling.
 */
export class StopNotices {
  readonly #path: string;
  readonly #lastPath: string;
  readonly #owner: UserId | undefined;

  constructor(stateDirectory: string, instance: string) {
    this.#path = join(stateDirectory, 'restore', `${instance}.stopped.json`);
    this.#lastPath = join(stateDirectory, 'restore', `${instance}.stopped-last.json`);
    this.#owner = statSync(stateDirectory, { throwIfNoEntry: false });
  }

  /** Undefined when there is none, or none that can be read. */
  read(): StopNotice | undefined {
    return this.#load(this.#path);
  }

  /** Of the last restore that was done: who may not look into the data directory knows by it that there was one. */
  last(): StopNotice | undefined {
    return this.#load(this.#lastPath);
  }

  #load(path: string): StopNotice | undefined {
    try {
      return soundNotice(JSON.parse(actAs(this.#owner, () => readForeignSync(path, longestNote))));
    } catch {
      return undefined;
    }
  }

  /** Durable when it returns. */
  write(notice: StopNotice): void {
    const folder = dirname(this.#path);
    actAs(this.#owner, () => {
      mkdirSync(folder, { recursive: true, mode: 0o750 });
      replace(folder, this.#path, notice);
    });
  }

  /** Ends it as done: from now on `last` tells of it. */
  keep(): void {
    actAs(this.#owner, () => renameSync(this.#path, this.#lastPath));
  }

  clear(): void {
    actAs(this.#owner, () => rmSync(this.#path, { force: true }));
  }
}

function soundNotice(value: unknown): StopNotice | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked through below
  const notice = value as StopNotice;
  const texts: unknown[] = [notice.kind, notice.backup, notice.started_at, notice.dir, notice.service];
  return notice.schema === 1 && texts.every((text) => typeof text === 'string') ? notice : undefined;
}
