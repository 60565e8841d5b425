import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FileOwnership } from '../file-ownership.ts';
import { openJournals, type Journal } from '../journal.ts';
import { freeSuffix, identify, isAsPlaced, lookAtFiles, makeMove, missingFiles } from '../swap.ts';
import type { DataFiles, FileMove } from '../swap-plan.ts';
import { buildAofFolder, buildBridge, finishFolder } from './incoming-files.ts';
import { OpenFiles, probe } from './open-files.ts';
import { StagedProofs, type StagedCheck, type StagedLoad } from './staged-proofs.ts';
import { lookAtDump } from '../../dump-access.ts';
import { measureRoom } from './room.ts';
import { logSize, outputOf, tailOf } from './server-output.ts';

/** Names of the three data files, relative to the data directory. */
type Names = Journal['layout']['names'];

/**
 * All that a restore does in a server's data directory, and no more. Whoever does it has the rights of the data's user; it
 * knows neither repository nor server. Paths count from `dir`, but for logs and the server's own dump, which are where it
 * has them.
 */
// oxlint-disable-next-line typescript/explicit-function-return-type -- DataFolder is made of what this returns
export function folderVerbs(dir: string, ownership: FileOwnership) {
  const journals = openJournals(dir);
  const files = new OpenFiles(dir, ownership);
  const proofs = new StagedProofs(dir, files);
  const at = (path: string): string => join(dir, path);
  return {
    readJournal: () => journals.read(),
    writeJournal: (journal: Journal) => journals.write(journal),
    archiveJournal: (journal: Journal) => journals.archive(journal),
    lastDone: () => journals.lastDone(),

    probe: () => probe(dir),
    measureRoom: (aofDir: string) => measureRoom(dir, aofDir),
    makeFolder: (path: string) => void mkdirSync(at(path), { mode: 0o700, recursive: true }),
    finishFolder: (path: string) => finishFolder(at(path), ownership),
    remove: (path: string) => rmSync(at(path), { recursive: true, force: true }),
    sweep: () => sweep(at(journals.name)),

    create: (path: string) => files.create(path),
    open: (path: string) => files.open(path),
    write: (file: number, bytes: Uint8Array) => files.write(file, bytes),
    read: (file: number, from: number, length: number) => files.read(file, from, length),
    finish: (file: number, durable: boolean) => files.finish(file, durable),
    lookAtDump: (path: string) => lookAtDump(path) ?? null,
    openDump: (path: string) => files.openDump(path),
    close: (file: number) => files.close(file),
    sync: (path: string) => files.sync(path),
    copy: (from: string, to: string) => files.copy(from, to),

    check: (what: StagedCheck) => proofs.check(what),
    load: (what: StagedLoad) => proofs.load(what),
    loadedShare: () => proofs.loadedShare(),
    stopProof: () => proofs.stop(),

    buildAofFolder: (work: string, base: string, aofFile: string) =>
      buildAofFolder({ dir, work, ownership }, { base, aofFile }),
    buildBridge: (work: string, rdb: string | null) =>
      buildBridge({ dir, work, ownership }, rdb ?? undefined),

    lookAtFiles: (names: Names) => lookAtFiles(dir, names),
    isThere: (path: string) => lstatSync(at(path), { throwIfNoEntry: false }) !== undefined,
    missingFiles: (kept: DataFiles) => missingFiles(dir, kept),
    isAsPlaced: (journal: Pick<Journal, 'layout' | 'moves' | 'expected'>) => isAsPlaced(dir, journal),
    freeSuffix: (names: readonly string[], suffix: string) => freeSuffix(dir, names, suffix),
    identify: (moves: readonly FileMove[]) => identify(dir, moves),
    makeMove: (move: FileMove) => makeMove(dir, move),

    logSize: (path: string) => logSize(path),
    tailOf: (path: string, from: number) => tailOf(path, from),
    outputOf: (path: string) => outputOf(at(path)),
  };
}

/** What interrupted runs have left beside the journals; data that was set aside is never in there. */
function sweep(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) rmSync(join(path, entry.name), { recursive: true, force: true });
}

export type FolderVerbs = ReturnType<typeof folderVerbs>;

/** The same, asked of whoever does it. */
export type FolderWork = {
  [Verb in keyof FolderVerbs]: (
    ...args: Parameters<FolderVerbs[Verb]>
  ) => Promise<Awaited<ReturnType<FolderVerbs[Verb]>>>;
};
