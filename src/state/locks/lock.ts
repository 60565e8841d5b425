import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../domain/clock.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { ensureStateDirectory, isFull } from '../db/open.ts';

export interface Lock extends Disposable {
  release(): void;
}

/**
 * Takes the lock of one kind of work on one instance, or throws an AgentError `locked` that says who holds it, and has
 * the job that does as its holder.
 *
 * Node has no flock, and a file with a pid in it goes stale. An open SQLite write transaction is a kernel lock (fcntl)
 * that ends with its process however that dies, works between processes and inside one, and leaves the file readable:
 * the holder's name is committed first, then the transaction that holds the lock is opened.
 */
export function takeLock(
  directory: string,
  { instance, kind, job = kind, clock }: { instance: string; kind: string; job?: string; clock: Clock },
): Lock {
  const file = lockFile(directory, instance, kind);
  const folder = dirname(file);
  ensureStateDirectory(folder);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file);
    db.exec('PRAGMA busy_timeout = 0; BEGIN IMMEDIATE');
    noteHolder(db, job, clock);
  } catch (error) {
    const holder = db !== undefined && /locked|busy/i.test(messageOf(error)) ? describeHolder(db) : undefined;
    db?.close();
    if (holder === undefined)
      throw new AgentError('failed', `cannot lock ${kind} of ${instance} in ${folder}: ${messageOf(error)}`, {
        cause: error,
        hint: hintFor(error, file, folder),
      });
    throw new AgentError('locked', `another ${kind} run of ${instance} is under way${holder.text}`, {
      cause: error,
      holder: holder.job,
      hint: 'wait for it to end',
    });
  }
  const held = db;
  const release = (): void => held.close();
  return { release, [Symbol.dispose]: release };
}

function hintFor(error: unknown, file: string, folder: string): string {
  if (isFull(error)) return `its file system is full: see df ${folder}, or set state.path to another one`;
  return /not a database|malformed/.test(messageOf(error))
    ? `remove ${file}: it holds nothing else than who works`
    : 'run as the user that owns state.path, or as root';
}

/** Who it is stands in the file; where the disk is full nobody is told, and the lock is held all the same. */
function noteHolder(db: DatabaseSync, job: string, clock: Clock): void {
  try {
    // Made anew: an older version's has other columns.
    db.exec('DROP TABLE IF EXISTS holder; CREATE TABLE holder (job TEXT, pid INTEGER, since TEXT) STRICT');
    db.prepare('INSERT INTO holder VALUES (?, ?, ?)').run(
      job,
      process.pid,
      new Date(clock.now()).toISOString(),
    );
    db.exec('COMMIT');
  } catch (error) {
    if (!isFull(error)) throw error;
    if (db.isTransaction) db.exec('ROLLBACK');
  }
  db.exec('BEGIN IMMEDIATE');
}

/** The job that holds that lock now; undefined where nobody does, or it is not known. */
export function holderOf(
  directory: string,
  lock: { instance: string; kind: string },
): { job: string; text: string } | undefined {
  if (!isHeld(directory, lock)) return undefined;
  const db = new DatabaseSync(lockFile(directory, lock.instance, lock.kind), { readOnly: true });
  try {
    const { job, text } = describeHolder(db);
    return job === undefined ? undefined : { job, text };
  } finally {
    db.close();
  }
}

/** Whether somebody holds that lock now. */
export function isHeld(directory: string, { instance, kind }: { instance: string; kind: string }): boolean {
  const file = lockFile(directory, instance, kind);
  if (!existsSync(file)) return false;
  const db = new DatabaseSync(file);
  try {
    db.exec('PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; ROLLBACK');
    return false;
  } catch (error) {
    return /locked|busy/i.test(messageOf(error));
  } finally {
    db.close();
  }
}

function lockFile(directory: string, instance: string, kind: string): string {
  return join(directory, 'locks', `${instance}.${kind}.lock`);
}

function describeHolder(db: DatabaseSync): { job?: string | undefined; text: string } {
  try {
    const row = db.prepare('SELECT job, pid, since FROM holder').get();
    if (row === undefined) return { text: '' };
    const job = String(row['job']);
    return { job, text: ` (${job}, pid ${String(row['pid'])}, since ${String(row['since'])})` };
  } catch {
    return { text: '' };
  }
}
