import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import { longestNote, readForeignSync } from '../../lib/files/foreign-file.ts';
import { replaceJson, syncFolder } from '../../lib/files/replace-json.ts';
import type { ExpectedKeys } from './judge-load.ts';
import type { Layout } from './layout.ts';
import type { DataFiles, FileMove } from './swap-plan.ts';

/** What a restore does, in this order. An undo leaves out stage and verify. */
export const restoreSteps = [
  'stage',
  'verify',
  'save',
  'stop',
  'place',
  'start',
  'compare',
  'commit',
] as const;
/** What follows `start` or `compare` when the server does not serve what it should. */
export const rollbackSteps = ['stop-again', 'put-back', 'start-again', 'close'] as const;
export type RestoreStep = (typeof restoreSteps)[number];
export type RollbackStep = (typeof rollbackSteps)[number];

/**
 * How far a restore is: one small file in the data directory, where the next run finds it whatever else is lost. It names
 * files only relative to the data directory and holds no command, because whoever may write there (the server) must not
 * lead root anywhere.
 */
export interface Journal {
  schema: 1;
  /** Of the run: time and process, a part of file names. */
  token: string;
  kind: 'restore' | 'undo';
  instance: string;
  /** Id of the backup; of an undo, of the one that is taken back. */
  backup: string;
  started_at: string;
  /** The step that has begun. */
  step: RestoreStep | RollbackStep;
  was_running: boolean;
  /** Of all databases; 0 when it was down. */
  keys_before: number;
  layout: Layout;
  /** In which files the data was that is set aside. */
  source: 'rdb' | 'aof';
  /** What is set aside, and what is to be placed. */
  kept: DataFiles;
  incoming: DataFiles;
  moves: FileMove[];
  /** What must be there when it is loaded; null where nobody can know. */
  expected: ExpectedKeys | null;
  /** Why it is taken back. */
  problem: string | null;
  outcome: 'done' | 'rolled-back' | null;
}

/** Relative to the data directory. */
export const journalFolder = '.redis-agent-restore';
const journalName = 'journal.json';

/** The journals of one data directory. */
export interface JournalFolder {
  /** Relative to the data directory. */
  readonly name: string;
  /** The restore that is under way or was interrupted. Throws an AgentError `failed` when it cannot be read. */
  read(): Journal | undefined;
  write(journal: Journal): void;
  /** Keeps a settled one for `undo`. */
  archive(journal: Journal): void;
  /** The newest that was done and not taken back. */
  lastDone(): Journal | undefined;
}

export function openJournals(dir: string): JournalFolder {
  const folder = join(dir, journalFolder);
  const path = join(folder, journalName);
  return {
    name: journalFolder,
    read: () => load(path),
    write(journal) {
      makeFolder(folder, dir);
      replaceJson(path, journal);
    },
    archive(journal) {
      replaceJson(path, journal);
      renameSync(path, join(folder, `${journal.token}.json`));
      syncFolder(folder);
    },
    lastDone() {
      const names = list(folder).filter((name) => /^\d{8}T\d{9}Z-\d+\.json$/.test(name));
      for (const name of names.toSorted().toReversed()) {
        const journal = load(join(folder, name));
        if (journal?.outcome === 'done') return journal;
      }
      return undefined;
    },
  };
}

function makeFolder(folder: string, parent: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
    syncFolder(parent);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function load(path: string): Journal | undefined {
  let text: string;
  try {
    text = readForeignSync(path, longestNote);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    if (systemCode(error) === 'EACCES') throw error;
    throw unreadable(path, error);
  }
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked through by requireSound
    const journal = JSON.parse(text) as Journal;
    requireSound(journal);
    return journal;
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): AgentError {
  const why = systemCode(cause) === 'ELOOP' ? 'it is a link' : messageOf(cause);
  return new AgentError('failed', `the journal of an earlier restore, ${path}, cannot be read: ${why}`, {
    cause,
    reason: 'journal',
    hint: 'put the data files right by hand (those set aside are beside them), then move this file away',
  });
}

/** Whoever may write here may have written it: nothing in it may lead out of the data directory. */
export function requireSound({ schema, token, kind, layout, kept, incoming, moves }: Journal): void {
  if (schema !== 1) throw new Error('a newer redis-agent wrote it');
  if (kind !== 'restore' && kind !== 'undo') throw new Error('its kind is unknown');
  const paths = [
    token,
    ...Object.values(layout.names),
    ...Object.values(kept),
    ...Object.values(incoming),
    ...moves.flatMap((move) => Object.values(move).filter((value) => value !== move.do && value !== true)),
  ];
  for (const path of paths)
    if (typeof path !== 'string' || !isBelow(path)) throw new Error(`it names ${JSON.stringify(path)}`);
}

function isBelow(path: string): boolean {
  return (
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..') && !path.includes('\0')
  );
}
