import { Note } from '../../state/notes/note.ts';

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
  readonly #current: Note<StopNotice>;
  readonly #last: Note<StopNotice>;

  constructor(stateDirectory: string, instance: string) {
    this.#current = new Note(stateDirectory, `restore/${instance}.stopped.json`, soundNotice);
    this.#last = new Note(stateDirectory, `restore/${instance}.stopped-last.json`, soundNotice);
  }

  /** Undefined when there is none, or none that can be read. */
  read(): StopNotice | undefined {
    return this.#current.readIfSound();
  }

  /** Of the last restore that was done: who may not look into the data directory knows by it that there was one. */
  last(): StopNotice | undefined {
    return this.#last.readIfSound();
  }

  /** Durable when it returns. */
  write(notice: StopNotice): void {
    this.#current.write(notice);
  }

  /** Ends it as done: from now on `last` tells of it. */
  keep(): void {
    this.#current.moveTo(this.#last);
  }

  clear(): void {
    this.#current.clear();
  }
}

function soundNotice(value: unknown): StopNotice {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked through below
  const notice = value as StopNotice;
  const texts: unknown[] = [notice.kind, notice.backup, notice.started_at, notice.dir, notice.service];
  if (notice.schema === 1 && texts.every((text) => typeof text === 'string')) return notice;
  throw new Error('it is incomplete');
}
