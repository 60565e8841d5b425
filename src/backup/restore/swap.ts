import { linkSync, lstatSync, renameSync, unlinkSync, type BigIntStats } from 'node:fs';
import { dirname, join } from 'node:path';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import { syncFolder } from '../../lib/files/replace-json.ts';
import type { Journal } from './journal.ts';
import type { DataFiles, FileMove } from './swap-plan.ts';

/** What is in the places of the data files. */
export function lookAtFiles(
  dir: string,
  names: { dump: string; aofFile: string; aofDir: string },
): { dump: boolean; aofFile: boolean; aofDir: boolean } {
  const there = (name: string): boolean => stat(join(dir, name)) !== undefined;
  return { dump: there(names.dump), aofFile: there(names.aofFile), aofDir: there(names.aofDir) };
}

/** A suffix that none of these names has yet: two restores may come within one second. */
export function freeSuffix(dir: string, names: readonly string[], suffix: string): string {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? suffix : `${suffix}-${number}`;
    if (names.every((name) => stat(join(dir, `${name}${candidate}`)) === undefined)) return candidate;
  }
}

/** The moves with the identity of what they move, as far as it is there yet. To be asked before the first is made. */
export function identify(dir: string, moves: readonly FileMove[]): FileMove[] {
  return moves.map((move) => {
    const stats = move.do === 'move' ? stat(join(dir, move.from)) : undefined;
    return move.do === 'move' && stats !== undefined ? { ...move, inode: String(stats.ino) } : move;
  });
}

/**
 * Makes one move and makes it durable. Made already, it does nothing: after a kill
 * nobody knows. What stands in the way and is kept nowhere else (a server was started in between) is set aside too;
 * returns the name that it then has. Nothing that holds data ever loses its last name.
 */
export function makeMove(dir: string, move: FileMove): string | undefined {
  try {
    return make(dir, move);
  } catch (error) {
    if (error instanceof AgentError) throw error;
    throw new AgentError('failed', `cannot ${describeMove(move)} in ${dir}: ${messageOf(error)}`, {
      cause: error,
      reason: 'place',
      hint: 'put that right (room, rights, a mount in the way), then run the same command again: it goes on where it was',
    });
  }
}

function make(dir: string, move: FileMove): string | undefined {
  const at = (name: string): string => join(dir, name);
  if (move.do === 'drop') {
    if (same(at(move.path), at(move.twin))) remove(at(move.path));
    return undefined;
  }
  const [from, to] = [at(move.from), at(move.to)];
  if (move.do === 'keep') {
    if (stat(to) !== undefined || stat(from) === undefined) return undefined;
    keep(from, to);
    syncFolder(dirname(to));
    return undefined;
  }
  if (stat(from) === undefined) {
    if (stat(to) !== undefined || move.passing === true) return undefined;
    throw new AgentError('failed', `${from} is gone, and so is ${to}`, {
      reason: 'place',
      hint: `something else works in ${dir}; what was set aside is beside the data files`,
    });
  }
  // Made before: what is there now has come since.
  if (move.inode !== undefined && !isInode(from, move.inode) && isInode(to, move.inode)) return undefined;
  // Two names of one file: rename(2) would leave both.
  if (same(from, to)) {
    remove(from);
    return undefined;
  }
  const aside = makeWay(dir, move, to);
  renameSync(from, to);
  syncFolder(dirname(to));
  if (dirname(from) !== dirname(to)) syncFolder(dirname(from));
  return aside;
}

/**
 * Of a file that somebody else owns (a copy that root has made) the kernel gives nobody a second name; the folder's owner
 * may give it another. Its place is empty then until the next move.
 */
function keep(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') throw error;
    renameSync(from, to);
  }
}

function makeWay(dir: string, move: { to: string; kept?: string }, to: string): string | undefined {
  if (stat(to) === undefined) return undefined;
  if (move.kept !== undefined && same(to, join(dir, move.kept))) return undefined;
  const name = `${move.to}${freeSuffix(dir, [move.to], '.in-the-way')}`;
  renameSync(to, join(dir, name));
  syncFolder(dirname(to));
  return name;
}

function remove(path: string): void {
  unlinkSync(path);
  syncFolder(dirname(path));
}

function same(one: string, other: string): boolean {
  const [a, b] = [stat(one), stat(other)];
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

function isInode(path: string, inode: string): boolean {
  return String(stat(path)?.ino) === inode;
}

/** Inode numbers of some file systems have more than 53 bits. */
function stat(path: string): BigIntStats | undefined {
  return lstatSync(path, { throwIfNoEntry: false, bigint: true });
}

/** Does the next start read what was placed, with nothing that a server has put there or behind it since? */
export function isAsPlaced(dir: string, journal: Pick<Journal, 'layout' | 'moves' | 'expected'>): boolean {
  const { layout, moves, expected } = journal;
  const { dump, aofFile, aofDir } = layout.names;
  // Of a multi-part AOF only the keys of its base are counted: what is written behind it does not matter.
  if (layout.authority === 'multi')
    return expected?.kind !== 'aof' && stat(join(dir, aofDir, `${aofFile}.1.base.rdb`)) !== undefined;
  return (
    layout.authority === 'rdb' &&
    moves.some(
      (move) =>
        move.do === 'move' &&
        move.to === dump &&
        move.inode !== undefined &&
        isInode(join(dir, dump), move.inode),
    )
  );
}

/** For messages. */
function describeMove(move: FileMove): string {
  if (move.do === 'drop') return `remove ${move.path}`;
  return `${move.do === 'keep' ? 'link' : 'rename'} ${move.from} to ${move.to}`;
}

/** The paths of what is there, for people. */
export function listFiles(dir: string, files: DataFiles): string[] {
  return [files.dump, files.aofFile, files.aofDir].flatMap((name) =>
    name === undefined ? [] : [join(dir, name)],
  );
}

/** Of those, what is not there. */
export function missingFiles(dir: string, files: DataFiles): string[] {
  return listFiles(dir, files).filter((path) => stat(path) === undefined);
}
