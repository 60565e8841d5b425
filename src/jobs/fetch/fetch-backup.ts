import { mkdir, readdir, realpath, rename, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Manifest } from '../../domain/backup.ts';
import { backupIdTime } from '../../backup/id.ts';
import { refuseClear } from '../../backup/refuse-clear.ts';
import { localFolder } from '../../backup/restore/folder/data-folder.ts';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import type { JobContext, JobResult } from '../job.ts';
import { artefactOf } from '../prove/artefact-of.ts';
import { nameDamage } from '../prove/name-damage.ts';
import { decodeInto } from './stage.ts';
import { unpackInto } from './stage-aof.ts';
import { lentFolder } from '../../lib/files/lent-file.ts';
import { makeFolders } from '../../lib/files/make-folders.ts';
import { isMarkRunning, processMark } from '../../lib/process/process-mark.ts';

export interface FetchOptions {
  /** A backup id or `latest`. */
  which: string;
  /** Where to: made when it is missing. */
  directory: string;
  /** Names of guards that are insisted on. */
  allow: readonly string[];
}

export interface FetchReport {
  instance: string;
  backup: string;
  /** The dump; or the folder with the files of the append only file. */
  file: string;
  /** As decoded; of an append only file, of its archive. */
  bytes: number;
  sha256: string;
}

export async function fetchBackup(
  context: JobContext,
  { which, directory, allow }: FetchOptions,
): Promise<JobResult<FetchReport>> {
  const { repository, signal, settings } = context;
  const manifest = await repository.find(which, signal);
  if (!allow.includes('unencrypted')) refuseClear(manifest, settings.repository.encryption.age_recipients);
  const { plain } = artefactOf(manifest);
  const file = await writingTo(directory, () => fetchInto(context, manifest, resolve(directory))).catch(
    (error: unknown) => {
      throw nameDamage(manifest.id, error);
    },
  );
  return {
    value: { instance: repository.instance, backup: manifest.id, file, ...plain },
    summary: `backup ${manifest.id} fetched into ${file}`,
    findings: [],
    evaluated: [],
  };
}

async function writingTo<T>(directory: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof AgentError || systemCode(error) === undefined) throw error;
    throw new AgentError('failed', `cannot write to ${directory}: ${messageOf(error)}`, {
      cause: error,
      hint: 'choose a folder of your own with room in it',
    });
  }
}

/** `<id>.rdb`, or the folder `<id>.aof`; only ours to read; whole or not there, never in another one's place. */
async function fetchInto(context: JobContext, manifest: Manifest, directory: string): Promise<string> {
  const name = `${manifest.id}.${manifest.kind}`;
  const lent = lentFolder(directory);
  const made = lent === undefined ? makeFolders(directory, 0o700) : [];
  try {
    return await fetchWhole(context, manifest, directory, name);
  } catch (error) {
    // What was made for it goes, but what others have put something into.
    for (const folder of made) await rmdir(folder).catch(() => {});
    throw error;
  }
}

async function fetchWhole(
  context: JobContext,
  manifest: Manifest,
  directory: string,
  name: string,
): Promise<string> {
  const lent = lentFolder(directory);
  const folder = lent?.place ?? (await realpath(directory));
  const file = join(lent === undefined ? folder : directory, name);
  if (lent?.taken.includes(name) === true) throw isThere(file);
  await requireFree(join(folder, name));
  const { bytes } = artefactOf(manifest).plain;
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < bytes)
    throw new AgentError(
      'failed',
      `the backup takes ${formatBytes(bytes)}, and ${lent?.path ?? folder} has ${formatBytes(bavail * bsize)} free`,
      {
        reason: 'full',
        hint: 'choose a folder with more room',
      },
    );
  if (lent === undefined) await clearLeft(folder);
  const temporary = join(folder, `.${manifest.id}.${processMark()}.tmp`);
  try {
    await write(context, manifest, temporary);
    await requireFree(join(folder, name));
    await rename(temporary, join(folder, name));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return file;
}

const leftName = /^\.([^.]+)\.(\d+-\d+)\.tmp$/;
const othersWrite = 0o022;

/** Removes what runs of ours that were killed have left there, where nobody else may put anything. */
async function clearLeft(folder: string): Promise<void> {
  const { uid, mode } = await stat(folder);
  if (uid !== process.geteuid?.() || (mode & othersWrite) !== 0) return;
  for (const name of await readdir(folder)) {
    const [, id = '', mark = ''] = leftName.exec(name) ?? [];
    if (backupIdTime(id) === undefined || isMarkRunning(mark)) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function write(context: JobContext, manifest: Manifest, path: string): Promise<void> {
  const { geteuid = () => 0, getegid = () => 0 } = process;
  const owner = { uid: geteuid(), gid: getegid() };
  const ownership = { owner, file: { mode: 0o600, ...owner }, folder: { mode: 0o700 } };
  const folder = localFolder(dirname(path), ownership);
  if (manifest.kind === 'rdb') return await decodeInto(context, manifest, folder, basename(path));
  await mkdir(path, { mode: 0o700 });
  const layout = manifest.aof?.layout ?? 'multi-part';
  await unpackInto(context, manifest, folder, { path: basename(path), layout, stem: 'appendonly.aof' });
}

async function requireFree(file: string): Promise<void> {
  const there = await stat(file).catch(() => undefined);
  if (there !== undefined) throw isThere(file);
}

function isThere(file: string): AgentError {
  return new AgentError('refused', `${file} is there already`, {
    reason: 'exists',
    hint: 'move it away, or choose another folder',
  });
}
