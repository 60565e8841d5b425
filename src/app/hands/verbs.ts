import type { FileOwnership } from '../../backup/restore/file-ownership.ts';
import { findFolder } from '../../backup/restore/folder/find-folder.ts';
import { folderVerbs, type FolderVerbs } from '../../backup/restore/folder/verbs.ts';
import type { ConfSource } from '../../backup/restore/host/host.ts';
import { readConfFacts } from '../../backup/restore/host/read-conf-facts.ts';
import type { Verbs } from '../../lib/verbs/answer.ts';
import { bootHere, fileVerbs } from '../conf/file-verbs.ts';

/** What a process with the rights of a server's user does: it looks, and works in the data directory that it was sent to. */
// oxlint-disable-next-line typescript/explicit-function-return-type -- who asks for them takes their types from here
export function handsVerbs() {
  let folder: FolderVerbs | undefined;
  let entered = '';
  const looking = {
    ...fileVerbs(),
    confBoot: bootHere,
    findFolder,
    readConf: async (source: ConfSource) => await readConfFacts(source, undefined),
    // Files that are open in the same folder stay open.
    enter(dir: string, ownership: FileOwnership) {
      const place = JSON.stringify([dir, ownership]);
      if (folder === undefined || place !== entered) folder = folderVerbs(dir, ownership);
      entered = place;
    },
  };
  const working = Object.fromEntries(
    folderVerbNames.map((name) => [
      name,
      (...args: never[]) => {
        if (folder === undefined) throw new Error('there is no folder to work in yet');
        const verb: (...words: never[]) => unknown = folder[name];
        return verb(...args);
      },
    ]),
  );
  return { ...working, ...looking } satisfies Verbs as typeof looking & Verbs;
}

/** Of no folder: they tell the names, and are never called. */
export const namesOfVerbs = folderVerbs('/', {
  owner: { uid: 0, gid: 0 },
  file: { mode: 0, uid: 0, gid: 0 },
  folder: { mode: 0 },
});

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its own names
const folderVerbNames = Object.keys(namesOfVerbs) as (keyof FolderVerbs)[];
