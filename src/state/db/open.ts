import { chmodSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../domain/clock.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import type { Log } from '../../domain/log.ts';
import { migrations } from './migrations/index.ts';

/** The state database: history only. Losing it loses no backup, so a damaged one is set aside and made anew. */
export interface State {
  readonly db: DatabaseSync;
  /** Where it lies. */
  readonly directory: string;
  close(): void;
}

/** Opens `<directory>/state.db`, making both when missing. Rejects only when the directory cannot be used. */
export function openState(directory: string, tools: { clock: Clock; log: Log }): State {
  return openDatabase(directory, { file: 'state.db', migrations }, tools);
}

/** The same for any database that is history only. */
export function openDatabase(
  directory: string,
  { file, migrations: steps }: { file: string; migrations: readonly string[] },
  { clock, log }: { clock: Clock; log: Log },
): State {
  ensureStateDirectory(directory);
  const path = join(directory, file);
  try {
    return open(path, steps);
  } catch (error) {
    if (error instanceof AgentError) throw error;
    if (!/not a database|malformed|corrupt|disk image/i.test(messageOf(error))) throw unusable(path, error);
    const aside = `${path}.damaged-${clock.now()}`;
    for (const suffix of ['', '-wal', '-shm']) renameIfThere(path + suffix, aside + suffix);
    log.warn(
      { path, aside, cause: messageOf(error) },
      'the database was damaged: set aside, history starts anew',
    );
    return open(path, steps);
  }
}

/** Makes the state directory (0750) when it is missing. */
export function ensureStateDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o750 });
  } catch (error) {
    throw unusable(directory, error);
  }
}

function open(path: string, steps: readonly string[]): State {
  const db = new DatabaseSync(path);
  try {
    db.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    chmodSync(path, 0o600);
    migrate(db, path, steps);
  } catch (error) {
    db.close();
    throw error;
  }
  return { db, directory: dirname(path), close: () => db.close() };
}

function migrate(db: DatabaseSync, path: string, steps: readonly string[]): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    const applied = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
    if (applied > steps.length)
      throw new AgentError('failed', `${path} was written by a newer redis-agent (schema ${applied})`, {
        hint: 'upgrade redis-agent, or move the file away: it holds history only, no backups',
      });
    for (const step of steps.slice(applied)) db.exec(step);
    db.exec(`PRAGMA user_version = ${steps.length}`);
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    // A write-ahead log exists only while the database was in use.
  }
}

function unusable(path: string, cause: unknown): AgentError {
  const message = messageOf(cause);
  // SQLite's own words, also where its shared memory finds no room.
  const full = /disk I\/O error|is full|ENOSPC/.test(message);
  return new AgentError('failed', `cannot use the state directory: ${message} (${path})`, {
    cause,
    hint: full
      ? 'see whether its file system is full or faulty (df, dmesg), or set state.path to another one'
      : 'run as the user that owns state.path, or as root',
  });
}
