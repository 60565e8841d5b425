import { realpathSync } from 'node:fs';
import type { UserId } from '../../../lib/process/act-as.ts';
import { readOwnership } from '../file-ownership.ts';
import type { FoundFolder } from '../host/host.ts';
import { journalFolder } from '../journal.ts';
import type { Layout } from '../layout.ts';
import { requireOwnFolder } from '../require-owner.ts';

/** Whose data it is, and what is believed of the folder. */
export interface FolderOwner {
  /** Of the server's process, where that is known. */
  user: UserId | undefined;
  /** Only a folder that nobody but root and that user could lead us by. */
  guarded: boolean;
}

/** Looks at a data directory before anything is done there. */
export function findFolder(named: string, layout: Layout, { user, guarded }: FolderOwner): FoundFolder {
  const dir = resolved(named);
  const ownership = readOwnership(dir, layout, user);
  if (guarded && user !== undefined) requireOwnFolder(named, journalFolder, user);
  return { dir, ownership };
}

function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
