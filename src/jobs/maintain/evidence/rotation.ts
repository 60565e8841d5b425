import { access, readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { EvidenceLine } from '../../../domain/task.ts';
import { isRotated } from '../../../maintain/logrotate.ts';
import { counted } from '../../../lib/text/counted.ts';

const day = 24 * 60 * 60 * 1000;
interface Places {
  /** Where what is rotated is named, a file a package. */
  folder: string;
  /** logrotate itself: one of them is there. */
  programs: readonly string[];
}
const usual: Places = {
  folder: '/etc/logrotate.d',
  programs: ['/usr/sbin/logrotate', '/sbin/logrotate', '/usr/bin/logrotate', '/usr/local/sbin/logrotate'],
};
/** Longer than the longest usual turn, a month. */
const patience = 40 * day;
/** logrotate leaves a small log alone. */
const small = 1024 * 1024;

/** Is a log rotated: does a file of logrotate's name it, is logrotate there, and has it come round? */
export async function rotation(path: string, now: number, places = usual): Promise<EvidenceLine> {
  const { folder, programs } = places;
  let texts: string[];
  try {
    const names = (await readdir(folder)).filter((name) => !name.endsWith('.dpkg-old'));
    texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8').catch(() => '')));
  } catch {
    return { text: `${folder} cannot be read: whether it is rotated is not known`, ok: null };
  }
  if (!isRotated(path, texts)) return { text: `no file in ${folder} names it: it grows for ever`, ok: false };
  if (!(await isOneThere(programs)))
    return {
      text: `a file in ${folder} names it, and logrotate is not installed: it grows for ever`,
      ok: false,
    };
  return (await isLate(path, now))
    ? {
        text: `a file in ${folder} names it, and it was not rotated for ${counted(Math.round(patience / day), 'day')}: systemctl status logrotate.timer`,
        ok: false,
      }
    : { text: `rotated by logrotate (${folder})`, ok: true };
}

/** Large, as old as that, and nothing rotated beside it is newer. Where it cannot be told, it is not late. */
async function isLate(path: string, now: number): Promise<boolean> {
  try {
    const log = await stat(path);
    if (log.size < small || log.birthtimeMs === 0 || log.birthtimeMs > now - patience) return false;
    const rotated = (await readdir(dirname(path))).filter(
      (name) => name.startsWith(`${basename(path)}.`) || name.startsWith(`${basename(path)}-`),
    );
    const times = await Promise.all(
      rotated.map(async (name) => (await stat(join(dirname(path), name))).mtimeMs),
    );
    return !times.some((at) => at > now - patience);
  } catch {
    return false;
  }
}

async function isOneThere(programs: readonly string[]): Promise<boolean> {
  const found = await Promise.all(
    programs.map((file) =>
      access(file).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}
