import { lstat, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DumpPlace, MountedAt } from './judge-place.ts';

/**
 * Looks at where the server with that process puts its next dump, by the folder that it works in, or by its path where we may
 * not look through the process. Undefined where too little can be seen.
 */
export async function readDumpPlace(
  pid: number,
  { dir, file }: { dir: string; file: string },
): Promise<DumpPlace | undefined> {
  const server = await readRights(pid);
  if (server === undefined) return undefined;
  const own = `/proc/${pid}/cwd`;
  const folder = (await stat(own).catch(() => undefined)) === undefined ? dir : `${own}/.`;
  const [directory, dump, mounts] = await Promise.all([
    stat(folder).catch(() => undefined),
    lstat(join(folder, file)).catch(() => undefined),
    readMounts(pid, dir, file),
  ]);
  if (directory?.isDirectory() !== true) return undefined;
  const { uid, gid, mode } = directory;
  return {
    folder: dir,
    file,
    server,
    directory: { uid, gid, mode: mode & 0o7777 },
    dump: dump === undefined ? undefined : { uid: dump.uid, folder: dump.isDirectory() },
    ...mounts,
  };
}

/** proc_pid_status(5). */
async function readRights(pid: number): Promise<DumpPlace['server'] | undefined> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const field = (name: string): string[] =>
    new RegExp(`^${name}:(.*)$`, 'm').exec(text)?.[1]?.trim().split(/\s+/) ?? [];
  // Of the four the last one counts for files.
  const [uid, gid] = [field('Uid')[3], field('Gid')[3]];
  if (uid === undefined || gid === undefined) return undefined;
  const capabilities = BigInt(`0x${field('CapEff')[0] ?? '0'}`);
  const has = (bit: bigint): boolean => ((capabilities >> bit) & 1n) === 1n;
  return {
    uid: Number(uid),
    groups: [gid, ...field('Groups')].filter((group) => group !== '').map(Number),
    // capabilities(7): CAP_DAC_OVERRIDE, CAP_FOWNER.
    override: has(1n),
    owner: has(3n),
  };
}

/** As that process sees it, or else as we do, which says less: our unit may have made its own view read-only. */
async function readMounts(pid: number, dir: string, file: string): Promise<MountedAt> {
  const its = await readFile(`/proc/${pid}/mountinfo`, 'utf8').catch(() => undefined);
  const text = its ?? (await readFile('/proc/self/mountinfo', 'utf8').catch(() => undefined));
  if (text === undefined) return { mounted: undefined, readOnly: undefined };
  // Fields 5 and 6 of proc_pid_mountinfo(5): the mount point, blanks in it as octal digits, and its options.
  const mounts = text.split('\n').map((line) => line.split(' '));
  // Of several at one place, and of one within the other, the last counts.
  const under = mounts
    .filter((fields) => `${dir}/`.startsWith(pointOf(fields).replace(/\/?$/, '/')))
    .toSorted((a, b) => pointOf(a).length - pointOf(b).length)
    .at(-1);
  return {
    mounted: mounts.some((fields) => pointOf(fields) === join(dir, file)),
    readOnly: its === undefined ? undefined : under?.[5]?.split(',').includes('ro') === true,
  };
}

function pointOf(fields: readonly string[]): string {
  return (fields[4] ?? '').replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCodePoint(Number.parseInt(digits, 8)),
  );
}
