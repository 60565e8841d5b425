import { AgentError } from '../../domain/errors.ts';
import { asJournal, type Journal, type JournalFolder } from '../../harden/apply/journal.ts';
import type { FilePlace } from '../../harden/apply/look-at-files.ts';
import type { FilesTarget, SeenFiles, ServerFiles } from '../../harden/apply/server-files.ts';
import type { fileVerbs, TrialWords } from './file-verbs.ts';

type Ask = (verb: string, args: readonly unknown[]) => Promise<unknown>;

/** Of those that the files of a server are changed by: the names. */
type FileVerb = keyof ReturnType<typeof fileVerbs>;

/**
 * The files of a server that another process reads and writes with the rights of its user (`hands`); where they lie in
 * root's own folder, root writes them (`root`), and finds out itself which they are.
 */
export function askedServerFiles(
  target: FilesTarget,
  { hands, root }: { hands: Ask; root: Ask },
): ServerFiles {
  let roots: ReadonlyMap<string, FilePlace> | undefined;
  const byHands = async (verb: FileVerb, ...args: unknown[]): Promise<unknown> =>
    await hands(verb, [target, ...args]);
  const byRoot = async (verb: FileVerb, ...args: unknown[]): Promise<unknown> => await root(verb, args);
  /** Those that are root's, by their paths. */
  const rootsOf = async (): Promise<ReadonlyMap<string, FilePlace>> => {
    if (roots !== undefined) return roots;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- root is believed
    const found = (await root('confPlaces', [])) as FilePlace[];
    roots = new Map(found.flatMap((place) => [[place.path, place] as const, [place.real, place] as const]));
    return roots;
  };
  const whoWrites = async (path: string): Promise<typeof byHands> =>
    (await rootsOf()).has(path) ? byRoot : byHands;
  return {
    async look(extra = []): Promise<SeenFiles> {
      roots = undefined;
      // Looks at it with zod, which others need not wait for.
      const { replayFiles } = await import('./replay-files.ts');
      const seen = replayFiles(await byHands('confLook', [...extra]));
      const own = await rootsOf();
      return { ...seen, place: (path) => own.get(path) ?? seen.place(path) };
    },
    async replace(path, bytes, attributes, before) {
      await (
        await whoWrites(path)
      )('confReplace', path, attributes, before, bytes);
    },
    async hash(path) {
      return String(await (await whoWrites(path))('confHash', path));
    },
    async journals(): Promise<JournalFolder> {
      const ask = await whoWrites(target.file);
      return askedJournals(String(await ask('journalPath')), ask);
    },
    async boot({ program, entries, aclfile, tls, signal }) {
      signal.throwIfAborted();
      const words: TrialWords = { program, entries, aclfile, tls };
      const answer = await hands('confBoot', [words]);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked at below
      const { config, users } = (answer ?? {}) as { config?: unknown; users?: unknown };
      if (!Array.isArray(config) || !Array.isArray(users))
        throw new AgentError('failed', 'who tries the configuration answers nonsense', { reason: 'hands' });
      return {
        config: new Map(
          config.flatMap((pair) =>
            Array.isArray(pair) ? [[String(pair[0]), String(pair[1])] as const] : [],
          ),
        ),
        users: users.map(String),
      };
    },
  };
}

function askedJournals(
  path: string,
  ask: (verb: FileVerb, ...args: unknown[]) => Promise<unknown>,
): JournalFolder {
  const asJournals = (answer: unknown): Journal[] =>
    Array.isArray(answer) ? answer.map((each) => asJournal(path, each)) : [];
  return {
    path,
    async read() {
      const [journal] = asJournals([await ask('journalRead')].filter((each) => each !== null));
      return journal;
    },
    write: async (journal) => void (await ask('journalWrite', journal)),
    keep: async (token, what, bytes) => void (await ask('journalKeep', token, what, bytes)),
    async kept(token, what) {
      const bytes = await ask('journalKept', token, what);
      if (bytes instanceof Uint8Array) return bytes;
      throw new AgentError('failed', `nothing was kept of ${token}`, { reason: 'kept' });
    },
    archive: async (journal) => void (await ask('journalArchive', journal)),
    closed: async () => asJournals(await ask('journalClosed')),
  };
}
