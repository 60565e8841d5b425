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
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { formatAofManifest } from '../../formats/aof/aof-manifest.ts';
import { actAs } from '../../lib/act-as.ts';
import { openForeignSync } from '../../lib/foreign-file.ts';
import { syncFolder } from './journal.ts';
import type { Layout } from './layout.ts';
import { createStaged, finishStaged, type FileManners } from './stage-files.ts';
import { secondName, type DataFiles } from './swap-plan.ts';

/** A run's folder and what it works on; paths relative to `dir`. */
export interface Workplace {
  dir: string;
  work: string;
  layout: Layout;
  manners: FileManners;
}

/**
 * What has to be placed so that the next start loads the RDB `dump` and nothing else. `single` is a second copy of it for a
 * server of before 7.0 with its AOF on, which goes on writing at its end.
 */
export async function incomingFrom(place: Workplace, dump: string, single?: string): Promise<DataFiles> {
  const { authority } = place.layout;
  if (authority === 'multi') return { dump, aofDir: buildAofFolder(place, dump) };
  if (authority === 'single') return { dump, aofFile: single ?? (await copyStaged(place, dump)) };
  return { dump };
}

/** A multi-part AOF that is one RDB: `<appendfilename>.1.base.rdb` (another name of `base`) and its manifest. */
function buildAofFolder({ dir, work, layout, manners }: Workplace, base: string): string {
  const folder = `${work}/aof`;
  const { aofFile } = layout.names;
  actAs(manners.owner, () => {
    const path = join(dir, folder);
    // Of a run that was interrupted here.
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { mode: 0o700 });
    const file = { name: `${aofFile}.1.base.rdb`, seq: 1, type: 'b' as const, extra: [] };
    linkSync(join(dir, base), join(path, file.name));
    writeWhole(join(path, `${aofFile}.manifest`), formatAofManifest({ base: file, incrs: [] }), manners);
    const opened = openSync(path, 'r');
    try {
      fchmodSync(opened, manners.folder.mode);
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
    syncFolder(join(dir, work));
  });
  return folder;
}

async function copyStaged({ dir, work, manners }: Workplace, from: string): Promise<string> {
  const name = `${work}/appendonly`;
  actAs(manners.owner, () => rmSync(join(dir, name), { force: true }));
  const opened = actAs(manners.owner, () => openForeignSync(join(dir, from)));
  try {
    await using source = await open(`/proc/self/fd/${opened}`, 'r');
    await using target = await createStaged(join(dir, name), manners);
    await target.writeFile(source.createReadStream({ autoClose: false }));
    await finishStaged(target, manners);
  } finally {
    closeSync(opened);
  }
  return name;
}

/**
 * What lies in the AOF's place while its folder is exchanged (see planSwap): the new data, where that is an RDB; else a
 * text, which no server starts with.
 */
export function buildBridge({ dir, work, manners }: Workplace, rdb: string | undefined): string {
  const name = `${work}/bridge`;
  actAs(manners.owner, () => {
    const path = join(dir, name);
    rmSync(path, { force: true });
    rmSync(secondName(path), { force: true });
    if (rdb !== undefined) linkSync(join(dir, rdb), path);
    else writeWhole(path, 'A restore was interrupted here. Run: redis-agent restore\n', manners);
    linkSync(path, secondName(path));
    syncFolder(join(dir, work));
  });
  return name;
}

function writeWhole(path: string, text: string, { file: { mode, uid, gid } }: FileManners): void {
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
