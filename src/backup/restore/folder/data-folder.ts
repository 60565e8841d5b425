import type { ReadByPlace } from '../../../lib/files/file-tail.ts';
import type { StagedFile } from '../../../lib/files/staged-file.ts';
import type { FileOwnership } from '../file-ownership.ts';
import { requireSound, type Journal } from '../journal.ts';
import { PartedFile } from './parted-file.ts';
import type { StagedCheck, StagedLoad } from './staged-proofs.ts';
import type { DumpAccess } from '../../dump-access.ts';
import { folderVerbs, type FolderVerbs, type FolderWork } from './verbs.ts';

/**
 * A server's data directory, as a restore works on it: by asking for single things to be done, by somebody with the rights
 * of the data's user (see folderVerbs). Each rejects with what the system says, or with an AgentError.
 */
export interface DataFolder extends Omit<FolderWork, FileVerb | ProofVerb> {
  /** Absolute, without symbolic links. */
  dir: string;
  ownership: FileOwnership;
  /** Only its owner may read it until it is finished; then it has owner and mode as the server's own files. */
  create(path: string): Promise<StagedFile>;
  open(path: string): Promise<ReadByPlace>;
  /** The server's own dump, as it sees and opens it itself. */
  dumps: DumpAccess;
  /** The verdict of a check tool on something staged. Rejects with the signal's reason. */
  check(what: StagedCheck, signal: AbortSignal): Promise<{ ok: boolean; summary: string }>;
  /** What a scratch server holds that has loaded something staged. Rejects with the signal's reason, or like startScratchServer. */
  load(
    what: StagedLoad,
    options: { signal: AbortSignal; onProgress: (share: number) => void },
  ): Promise<Keys>;
}

type Keys = Awaited<ReturnType<FolderWork['load']>>;

/** Of files by their numbers. */
type FileVerb = 'lookAtDump' | 'openDump' | 'create' | 'open' | 'write' | 'read' | 'finish' | 'close';
type ProofVerb = 'check' | 'load' | 'loadedShare' | 'stopProof';

/** Milliseconds. */
const showEvery = 250;

export function dataFolder(dir: string, ownership: FileOwnership, work: FolderWork): DataFolder {
  const { create, open, write, read, finish, close, lookAtDump, openDump, ...proofs } = work;
  const { check, load, loadedShare, stopProof, ...others } = proofs;
  const readAt = async (
    file: number,
    buffer: Uint8Array,
    { offset, length, at }: { offset: number; length: number; at: number },
  ): Promise<{ bytesRead: number }> => {
    const bytes = await read(file, at, length);
    if (bytes.length > length) throw new Error(`${bytes.length} bytes where ${length} were asked for`);
    buffer.set(bytes, offset);
    return { bytesRead: bytes.length };
  };
  const stop = (): void => void stopProof().catch(() => {});
  const until = async <T>(signal: AbortSignal, act: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await act();
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
  return {
    ...others,
    dir,
    ownership,
    // Whoever wrote it, and whoever has read it for us, may wish us ill.
    readJournal: async () => sound(await work.readJournal()),
    lastDone: async () => sound(await work.lastDone()),
    async create(path) {
      const file = await create(path);
      return new PartedFile({
        write: (bytes) => write(file, bytes),
        finish: (durable) => finish(file, durable),
        close: () => close(file),
      });
    },
    async open(path) {
      const file = await open(path);
      return {
        read: async (buffer, offset, length, at) => await readAt(file, buffer, { offset, length, at }),
        [Symbol.asyncDispose]: () => close(file),
      };
    },
    dumps: {
      look: async (path) => (await lookAtDump(path)) ?? undefined,
      async open(path) {
        const { file, size } = await openDump(path);
        return {
          read: async (buffer, offset, length, at) => await readAt(file, buffer, { offset, length, at }),
          stat: async () => ({ size }),
          close: () => close(file),
        };
      },
    },
    check: (what, signal) => until(signal, () => check(what)),
    load: (what, { signal, onProgress }) =>
      until(signal, async () => {
        const shown = setInterval(() => void loadedShare().then(onProgress, () => {}), showEvery);
        try {
          return await load(what);
        } finally {
          clearInterval(shown);
        }
      }),
  };
}

function sound(journal: Journal | undefined): Journal | undefined {
  if (journal !== undefined) requireSound(journal);
  return journal;
}

/** With the rights of this process: where nobody else would have others. */
export function localFolder(dir: string, ownership: FileOwnership): DataFolder {
  const verbs = folderVerbs(dir, ownership);
  return dataFolder(
    dir,
    ownership,
    workOf(verbs, async (verb, args) => await verb(...args)),
  );
}

type AnyVerb = (...args: unknown[]) => unknown;

/** The verbs as they are asked for, whoever performs them. */
export function workOf(
  verbs: FolderVerbs,
  perform: (verb: AnyVerb, args: unknown[], name: string) => Promise<unknown>,
): FolderWork {
  const asked = Object.entries(verbs).map(([name, verb]) => [
    name,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each gets the arguments of its own name
    async (...args: unknown[]) => await perform(verb as AnyVerb, args, name),
  ]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same names with the same arguments
  return Object.fromEntries(asked) as FolderWork;
}
