import { lstatSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../../domain/errors.ts';
import type { UserId } from '../../lib/process/act-as.ts';
import type { Layout } from './layout.ts';

/** Whose the data files are and how they are to be: as those that are there, else as a server would make them. */
export interface FileOwnership {
  /** Of the server's process, or else of the data. */
  owner: UserId;
  file: { mode: number; uid: number; gid: number };
  folder: { mode: number };
}

/** Looks at what is there. `user` is that of the server's process, where there is one. */
export function readOwnership(dir: string, { names }: Layout, user: UserId | undefined): FileOwnership {
  const look = (name: string): Stats | undefined => lstatSync(join(dir, name), { throwIfNoEntry: false });
  const folder = look('.');
  if (folder?.isDirectory() !== true)
    throw new AgentError('failed', `the server's data directory ${dir} is not there`, {
      reason: 'dir',
      hint: 'mount or make it, with the server’s user as its owner',
    });
  const file = [names.dump, names.aofFile].map(look).find((stats) => stats?.isFile() === true);
  const aofDir = look(names.aofDir);
  const { uid, gid } = user ?? file ?? folder;
  return {
    owner: { uid, gid },
    file: {
      mode: file === undefined ? 0o640 : file.mode & 0o777,
      // What lies there may be a link to anybody's, or a copy that somebody else has made.
      uid: user?.uid ?? file?.uid ?? uid,
      gid: file === undefined || file.uid !== uid ? gid : file.gid,
    },
    folder: { mode: aofDir?.isDirectory() === true ? aofDir.mode & 0o777 : 0o750 },
  };
}
