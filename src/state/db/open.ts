import { chmodSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../domain/clock.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import type { Log } from '../../domain/log.ts';
import { migrations } from './migrations/index.ts';
import { makeFolders } from '../../lib/files/make-folders.ts';

/** The state database: history only. Losing it loses no backup, so a damaged one is set aside and made anew. */
export interface State {
  readonly db: DatabaseSync;
  /** Where it lies. */
  readonly directory: string;
  /** Why it is in memory only, and gone with this process; undefined where it is kept. */
  readonly unkept?: string;
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
    if (isFull(error)) return openInMemory(path, steps, { error, log });
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

/** SQLite's own words, also where its shared memory finds no room. */
export function isFull(error: unknown): boolean {
  return /disk I\/O error|is full|ENOSPC|EDQUOT/.test(messageOf(error));
}

/** Nothing hangs on history: where there is no room for it the work goes on with a copy of what was there. */
function openInMemory(
  path: string,
  steps: readonly string[],
  { error, log }: { error: unknown; log: Log },
): State {
  const unkept = unusable(path, error);
  const db = new DatabaseSync(':memory:');
  try {
    migrate(db, path, steps);
    copyInto(db, path, steps.length);
  } catch (cause) {
    db.close();
    throw cause instanceof AgentError ? cause : unkept;
  }
  log.warn(
    { path, cause: messageOf(error) },
    `${unkept.message}: what happens now is not kept; ${unkept.hint}`,
  );
  return {
    db,
    directory: dirname(path),
    unkept: /I\/O/.test(messageOf(error))
      ? `${messageOf(error)} (is its file system full?)`
      : messageOf(error),
    close: () => db.close(),
  };
}

/** What can be read without writing beside it; nothing where that is nothing. */
function copyInto(db: DatabaseSync, path: string, version: number): void {
  try {
    // What is not in the file yet, but in the log beside it, is read too: with no other process the index of that log is
    // kept in memory.
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    db.prepare('ATTACH ? AS disk').run(path);
    if (Number(db.prepare('PRAGMA disk.user_version').get()?.['user_version']) !== version) return;
    const tables = db
      .prepare("SELECT name FROM disk.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .all()
      .map((row) => `"${String(row['name'])}"`);
    db.exec('PRAGMA defer_foreign_keys = ON; BEGIN');
    for (const table of tables)
      db.exec(`DELETE FROM main.${table}; INSERT INTO main.${table} SELECT * FROM disk.${table}`);
    db.exec('COMMIT');
  } catch {
    if (db.isTransaction) db.exec('ROLLBACK');
  } finally {
    try {
      db.exec('DETACH disk');
    } catch {
      // It was never there.
    }
  }
}

/** Makes the state directory (0750) when it is missing. */
export function ensureStateDirectory(directory: string): void {
  try {
    makeFolders(directory, 0o750);
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
    // Written only where it changes: a full disk is no reason not to read.
    if (applied < steps.length) db.exec(`PRAGMA user_version = ${steps.length}`);
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
  return new AgentError('failed', `cannot use the state directory: ${messageOf(cause)} (${path})`, {
    cause,
    hint: isFull(cause)
      ? 'see whether its file system is full or faulty (df, dmesg), or set state.path to another one'
      : 'run as the user that owns state.path, or as root',
  });
}
