import { AgentError, messageOf } from '../../domain/errors.ts';
import { Note } from '../../state/notes/note.ts';

/**
 * What a live restore is about to do, in this order: change the server's settings · make it follow the agent, which
 * ends when it has loaded everything · set it free · put its settings back · see to it that its next start loads the
 * same. Only then the journal goes.
 */
export const livePhases = ['settings', 'follow', 'free', 'put-back', 'persist'] as const;
export type LivePhase = (typeof livePhases)[number];

/** How far a live restore is, and all that is needed to end it. */
export interface LiveRecord {
  schema: 1;
  instance: string;
  backup: string;
  started_at: string;
  phase: LivePhase;
  /** Of the server's process: another one has none of what we did to it. */
  run_id: string;
  /** The agent's, where the server was told to find its master. */
  host: string;
  port: number;
  /** The server has this in its history since it has loaded the backup, and not before. */
  replication_id: string;
  /** As they were. */
  settings: Record<string, string>;
  /** Where the data before is; null when it was not kept. */
  pre_backup: string | null;
}

/**
 * In the agent's state directory, because a live restore needs no right on the server's files; it belongs to whom that
 * belongs to, root or not. Losing it loses nothing that REPLICAOF NO ONE does not give back.
 */
export class LiveJournal {
  readonly #current: Note<LiveRecord>;
  readonly #last: Note<LiveRecord>;

  constructor(stateDirectory: string, instance: string) {
    this.#current = new Note(stateDirectory, `restore/${instance}.live.json`, soundRecord);
    this.#last = new Note(stateDirectory, `restore/${instance}.live-last.json`, soundRecord);
  }

  get path(): string {
    return this.#current.path;
  }

  /** undefined when no live restore is under way. Throws an AgentError `failed` when it cannot be read. */
  read(): LiveRecord | undefined {
    try {
      return this.#current.read();
    } catch (error) {
      throw new AgentError(
        'failed',
        `the journal of an interrupted restore, ${this.path}, cannot be read: ${messageOf(error)}`,
        {
          cause: error,
          reason: 'journal',
          hint: 'if the server is a replica of 127.0.0.1, send it REPLICAOF NO ONE; then move this file away',
        },
      );
    }
  }

  /** Durable when it returns. */
  write(record: LiveRecord): void {
    this.#current.write(record);
  }

  /** Ends it as done: from now on `last` tells of it. */
  keep(): void {
    this.#current.moveTo(this.#last);
  }

  /** The last live restore that has come to its end; undefined when there is none, or its file is not to be read. */
  last(): LiveRecord | undefined {
    return this.#last.readIfSound();
  }

  clear(): void {
    this.#current.clear();
  }
}

function soundRecord(value: unknown): LiveRecord {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked through below
  const record = value as LiveRecord;
  if (record.schema !== 1) throw new Error('a newer redis-agent wrote it');
  const texts = [
    record.backup,
    record.run_id,
    record.host,
    record.replication_id,
    ...Object.values(record.settings),
  ];
  if (!texts.every((text) => typeof text === 'string') || !livePhases.includes(record.phase))
    throw new Error('it is incomplete');
  return record;
}
