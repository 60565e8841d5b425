import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { Note } from '../../state/notes/note.ts';
import { noCounts, type TallyCounts } from './tally.ts';

const schema = 3;

/** How far a run has come: what a second one needs to go on. */
export interface KeyProgress {
  /** 1: through the dump; 2: values that were too large for that, one by one. */
  reading: 1 | 2;
  /** Records before this one are done; the server has confirmed them. */
  from: number;
  /** Records from there on have not been touched. */
  doubtful_to: number;
  /** Records whose values are left for the second reading. */
  deferred: number[];
  /** Records that a cluster had moved meanwhile: another reading writes them. */
  moved?: number[];
  counts: TallyCounts;
  /** The tenure of the server that has confirmed them. */
  server: string | null;
  /** What followed temporary keys, in each run so far: some may have been left. */
  temporary: string[];
}

/** Progress at the start of a run: nothing is done. */
export const nothingDone = { reading: 1 as const, from: 0, doubtful_to: 0, deferred: [], moved: [] };

/**
 * What can be relied on when the server that answers now is `server` and holds `keys`. Another process, or a replica that has
 * taken over, need not have all that the earlier one has confirmed, nor has one that was emptied since: then everything is
 * written again, except what is there, which the earlier run has written.
 */
export function whatIsLeft(progress: KeyProgress, server: string | null, keys: number): KeyProgress {
  if (progress.server === server && keys >= progress.counts.written) return progress;
  const { reading, doubtful_to: doubtfulTo, temporary } = progress;
  const doubtful = reading === 1 ? doubtfulTo : Number.MAX_SAFE_INTEGER;
  return { ...nothingDone, doubtful_to: doubtful, counts: noCounts(), server, temporary };
}

/** A small file that says how far the restore of the same keys from the same source into the same server has come. */
export interface KeyJournal {
  /** Names source, target and options: another of them has another journal. */
  readonly name: string;
  /** undefined when there is nothing to go on from. */
  read(): KeyProgress | undefined;
  /** Durable when it returns. */
  write(progress: KeyProgress): void;
  remove(): void;
}

/** `identity`: whatever makes this restore the same as another one. Only `write` touches the folder. */
export function openKeyJournal(stateDirectory: string, identity: unknown): KeyJournal {
  const name = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 24);
  const note = new Note<KeyProgress & { schema: number }>(stateDirectory, `restore-keys/${name}.json`, sound);
  return {
    name,
    // None, or not readable: what was written is written again, which does no harm.
    read: () => note.readIfSound(),
    write(progress) {
      try {
        note.write({ schema, ...progress });
      } catch (error) {
        throw unusable(join(stateDirectory, 'restore-keys'), error);
      }
    },
    remove: () => note.clear(),
  };
}

function sound(value: unknown): KeyProgress & { schema: number } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written above, whole or not at all
  const progress = value as KeyProgress & { schema: number };
  if (progress.schema === schema) return progress;
  throw new Error('it is of another form');
}

function unusable(folder: string, cause: unknown): AgentError {
  return new AgentError('failed', `cannot note in ${folder} how far the restore is: ${messageOf(cause)}`, {
    cause,
    hint: 'run as the user that owns state.path, and see that there is room',
  });
}
