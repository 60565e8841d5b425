import { lstatSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

/** What a data directory has for files of ours. */
export interface Room {
  /** Bytes. */
  free: number;
  /** The folder of the append only file is a mount of its own. */
  isAofMount: boolean;
}

export function measureRoom(dir: string, aofDir: string): Room {
  const stats = lstatSync(join(dir, aofDir), { throwIfNoEntry: false });
  const { bavail, bsize } = statfsSync(dir);
  return {
    free: bavail * bsize,
    isAofMount: stats?.isDirectory() === true && stats.dev !== lstatSync(dir).dev,
  };
}
