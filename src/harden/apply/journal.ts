import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import { actAs, type UserId } from '../../lib/process/act-as.ts';
import { longestNote, readForeignSync } from '../../lib/files/foreign-file.ts';
import { readForeignFile } from '../../lib/files/foreign-file.ts';
import type { Change, HeldUser, HeldValue } from '../changes.ts';
import { replaceFile, syncFolder, type FileAttributes } from './write-file.ts';

/** What an apply does, in this order; `restart` only where it is asked for, and users only where there are any to change. */
export const applySteps = [
  'validate',
  'keep',
  'passwords',
  'runtime',
  'users',
  'persist',
  'restart',
  'health',
  'commit',
] as const;
/** What takes it back: after a failure, for `harden rollback`, and for a run that was killed early. */
export const undoSteps = ['undo-files', 'undo-users', 'undo-runtime', 'undo-restart', 'close'] as const;
export type ApplyStep = (typeof applySteps)[number];
export type UndoStep = (typeof undoSteps)[number];

export interface KeptFile extends FileAttributes {
  /** Without symbolic links. */
  path: string;
  /** SHA-256 of the bytes before and after. */
  before: string;
  after: string;
}

/** How far a change is: a small file beside the server's configuration, where the next run finds it. No secret is in it. */
export interface Journal {
  schema: 1;
  /** See newToken. */
  token: string;
  kind: 'apply' | 'rollback';
  /** Of a rollback: the token of what it takes back, whose kept bytes it uses. */
  undoes: string | null;
  instance: string;
  policy: string;
  started_at: string;
  step: ApplyStep | UndoStep;
  /** Of the server process that was changed. */
  run_id: string;
  restart: boolean;
  changes: Pick<Change, 'directive' | 'to' | 'run_time' | 'file' | 'class'>[];
  /** ACL users, in the order in which they are changed. */
  users: {
    user: string;
    was_there: boolean;
    /** A mark of what it could do then; null before that. */
    after: string | null;
    /** The file with its password is of this change’s making; not said by journals of before. */
    made_password?: boolean;
  }[];
  files: KeptFile[];
  /** What is as it is to be, with what was changed and without; not said by journals of before. */
  held?: HeldValue[];
  held_users?: HeldUser[];
  /** Before: what must not get worse. */
  keys: number;
  problem: string | null;
  outcome: 'done' | 'rolled-back' | null;
}

const folderName = '.redis-agent-harden';
const journalName = 'journal.json';
const largestFile = 32 * 1024 * 1024;
/** Closed changes that can be taken back. */
const mostKept = 50;

/** The journals beside one configuration file, with the rights of whoever may write there. */
export interface JournalFolder {
  readonly path: string;
  read(): Promise<Journal | undefined>;
  write(journal: Journal): Promise<void>;
  /** Keeps the bytes of a file, or the lines of users, for the way back. */
  keep(token: string, what: number | 'users', bytes: Uint8Array): Promise<void>;
  kept(token: string, what: number | 'users'): Promise<Uint8Array>;
  archive(journal: Journal): Promise<void>;
  /** Closed ones, the newest first. */
  closed(): Promise<Journal[]>;
}

export function openJournals(dir: string, as: UserId | undefined): JournalFolder {
  const folder = join(dir, folderName);
  const path = join(folder, journalName);
  const attributes: FileAttributes = {
    mode: 0o600,
    uid: as?.uid ?? process.geteuid?.() ?? 0,
    gid: as?.gid ?? process.getegid?.() ?? 0,
  };
  const make = (place: string): void =>
    actAs(as, () => {
      try {
        mkdirSync(place, { mode: 0o700 });
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error;
      }
    });
  const write = (place: string, journal: Journal): void =>
    replaceFile(place, Buffer.from(`${JSON.stringify(journal, undefined, 2)}\n`), attributes, as);
  const closed = (): Journal[] =>
    actAs(as, () => names(folder))
      .filter((name) => isToken(name.replace(/\.json$/, '')) && name.endsWith('.json'))
      .toSorted()
      .toReversed()
      .flatMap((name) => load(join(folder, name), as) ?? []);
  // It becomes a name there.
  const requireToken = (token: string): void => {
    if (!isToken(token)) throw unusable(folder, 'its token is none');
  };
  return {
    path: folder,
    read: async () => load(path, as),
    async write(journal) {
      make(folder);
      write(path, journal);
    },
    async keep(token, what, bytes) {
      requireToken(token);
      make(join(folder, token));
      replaceFile(join(folder, token, `${what}.before`), bytes, attributes, as);
    },
    async kept(token, what) {
      requireToken(token);
      return readForeignFile(join(folder, token, `${what}.before`), { as, limit: largestFile }).bytes;
    },
    async archive(journal) {
      requireToken(journal.token);
      write(path, journal);
      actAs(as, () => {
        renameSync(path, join(folder, `${journal.token}.json`));
        syncFolder(folder);
        for (const { token } of closed().slice(mostKept)) {
          rmSync(join(folder, token), { recursive: true, force: true });
          rmSync(join(folder, `${token}.json`), { force: true });
        }
      });
    },
    closed: async () => closed(),
  };
}

/** By which a change that begins now is known: time and process. */
export function newToken(now: number): string {
  return `${new Date(now).toISOString().replaceAll(/[-:.]/g, '')}-${process.pid}`;
}

function isToken(text: string): boolean {
  return /^\d{8}T\d{9}Z-\d+$/.test(text);
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function load(path: string, as: UserId | undefined): Journal | undefined {
  let text: string;
  try {
    text = actAs(as, () => readForeignSync(path, longestNote));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw unusable(path, messageOf(error));
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Said below.
  }
  return asJournal(path, value);
}

/** What a note holds; `path`: where it lies. Throws an AgentError `failed` where it is no journal. */
export function asJournal(path: string, value: unknown): Journal {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked at in the next lines
  const journal = (value ?? {}) as Partial<Journal>;
  const known: readonly unknown[] = [...applySteps, ...undoSteps];
  const { schema, token, step, changes, files } = journal;
  const right = schema === 1 && typeof token === 'string' && isToken(token) && known.includes(step);
  if (right && Array.isArray(changes) && Array.isArray(files))
    // Those of before there were users have none.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as this version writes it
    return { ...(journal as Journal), users: journal.users ?? [] };
  throw unusable(path, 'it is no journal of this version');
}

function unusable(path: string, why: string): AgentError {
  return new AgentError('failed', `cannot read the journal ${path}: ${why}`, {
    reason: 'journal',
    hint: 'look at it; when nothing is under way, move it away',
  });
}
