import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { systemCode } from '../../domain/errors.ts';
import { describeOwner } from './file-owner.ts';

const mostLinks = 40;
const anyExecute = 0o111;
const sticky = 0o1000;

/** What is believed of a path: who may own what is on it, and what has to be at its end. */
interface Trust {
  owners: readonly number[];
  /** Links that others have made lead where they like. */
  linkOwners: readonly number[];
  isEnd: (stats: Stats) => boolean;
  end: string;
}

/**
 * Why a program is not to be run: somebody else than root or ourselves could have put it there or could change it, or a
 * folder or link on the way to it. A sticky folder such as the temporary one is no objection to what root or we own in it.
 * Undefined: it may be run.
 */
export function distrustProgram(path: string): string | undefined {
  const owners = [0, process.geteuid?.() ?? 0];
  return judge(resolve(path), 0, {
    owners,
    linkOwners: owners,
    isEnd: (stats) => stats.isFile() && (stats.mode & anyExecute) !== 0,
    end: 'is no program',
  });
}

/**
 * Why root does not work in a folder for a user: it is not his, or others than root and he could put another one in its
 * place. Undefined: nothing is against it.
 */
export function distrustFolder(path: string, uid: number): string | undefined {
  return judge(resolve(path), 0, {
    owners: [0, uid],
    linkOwners: [0],
    isEnd: (stats) => stats.isDirectory() && stats.uid === uid,
    end: 'is no folder of that user',
  });
}

function judge(path: string, links: number, trust: Trust): string | undefined {
  const parts = path.split('/').filter(Boolean);
  let place = '/';
  for (const [index, part] of ['', ...parts].entries()) {
    place = join(place, part);
    const stats = look(place);
    if (typeof stats === 'string') return `${place} ${stats}`;
    if (stats.isSymbolicLink()) {
      if (!trust.linkOwners.includes(stats.uid))
        return `${place} is a link, and it belongs to ${describeOwner(stats)}`;
      if (links === mostLinks) return `${place} is one of too many links`;
      const target = resolve(dirname(place), readlinkSync(place));
      return judge(join(target, ...parts.slice(index)), links + 1, trust);
    }
    if (!trust.owners.includes(stats.uid)) return `${place} belongs to ${describeOwner(stats)}`;
    if (isWritable(stats)) return `others may write to ${place} (${describeOwner(stats)})`;
    if (index === parts.length && !trust.isEnd(stats))
      return `${place} ${trust.end} (it belongs to ${describeOwner(stats)})`;
  }
  return undefined;
}

function look(place: string): Stats | string {
  try {
    return lstatSync(place);
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? 'does not exist' : `cannot be looked at (${systemCode(error)})`;
  }
}

/** By others than root and its owner. A user's private group has his number, and nobody else in it. */
function isWritable(stats: Stats): boolean {
  const { mode, uid, gid } = stats;
  if (stats.isDirectory() && (mode & sticky) !== 0) return false;
  const shared = gid !== 0 && !(uid !== 0 && gid === uid);
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && shared);
}
