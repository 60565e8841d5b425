import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { formatAofManifest } from '../../../formats/aof/aof-manifest.ts';
import type { FileOwnership } from '../file-ownership.ts';
import { syncFolder } from '../../../lib/files/replace-json.ts';
import { secondName } from '../swap-plan.ts';

/** Where a run works; `dir` is absolute, `work` counts from there. */
interface Place {
  dir: string;
  work: string;
  ownership: FileOwnership;
}

/**
 * A multi-part AOF that is one RDB: `<aofFile>.1.base.rdb` (another name of `base`) and its manifest. Returns the folder;
 * paths count from `dir`.
 */
export function buildAofFolder(
  { dir, work, ownership }: Place,
  { base, aofFile }: { base: string; aofFile: string },
): string {
  const folder = `${work}/aof`;
  const path = join(dir, folder);
  // Of a run that was interrupted here.
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { mode: 0o700 });
  const file = { name: `${aofFile}.1.base.rdb`, seq: 1, type: 'b' as const, extra: [] };
  linkSync(join(dir, base), join(path, file.name));
  writeWhole(join(path, `${aofFile}.manifest`), formatAofManifest({ base: file, incrs: [] }), ownership);
  finishFolder(path, ownership);
  syncFolder(join(dir, work));
  return folder;
}

/** A folder as the server's is, and its names durable. */
export function finishFolder(path: string, { folder: { mode } }: FileOwnership): void {
  const opened = openSync(path, 'r');
  try {
    fchmodSync(opened, mode);
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}

/**
 * What lies in the AOF's place while its folder is exchanged (see planSwap): the new data, where that is an RDB; else a
 * text, which no server starts with.
 */
export function buildBridge({ dir, work, ownership }: Place, rdb: string | undefined): string {
  const name = `${work}/bridge`;
  const path = join(dir, name);
  rmSync(path, { force: true });
  rmSync(secondName(path), { force: true });
  if (rdb !== undefined) linkSync(join(dir, rdb), path);
  else writeWhole(path, 'A restore was interrupted here. Run: redis-agent restore\n', ownership);
  linkSync(path, secondName(path));
  syncFolder(join(dir, work));
  return name;
}

function writeWhole(path: string, text: string, { file: { mode, uid, gid } }: FileOwnership): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    writeFileSync(file, text);
    if (process.geteuid?.() === 0) fchownSync(file, uid, gid);
    fchmodSync(file, mode);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
