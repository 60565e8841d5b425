import type { FoundFolder } from '../../backup/restore/host/host.ts';
import type { Hands } from '../../backup/restore/host/hands.ts';
import { dataFolder, localFolder, workOf, type DataFolder } from '../../backup/restore/folder/data-folder.ts';
import { findFolder, type FolderOwner } from '../../backup/restore/folder/find-folder.ts';
import type { Layout } from '../../backup/restore/layout.ts';
import { AskedHands } from './ask.ts';
import { startHands } from './start.ts';
import { namesOfVerbs } from './verbs.ts';

/**
 * Where we are root and the data is somebody's, a process with that user's rights works there; else there is nobody whose
 * rights would be less than ours, and it is done here. `program`: what this agent is started by.
 */
export function provideHands(program: readonly string[]): Hands {
  const started = new Map<string, AskedHands>();
  return {
    async openFolder(named, layout, owner) {
      const { user } = owner;
      if (process.geteuid?.() !== 0 || user === undefined || user.uid === 0) {
        const { dir, ownership } = findFolder(named, layout, owner);
        return localFolder(dir, ownership);
      }
      const place = JSON.stringify([named, user.uid, user.gid]);
      const hands = started.get(place) ?? new AskedHands(user, async () => startHands(program, user));
      started.set(place, hands);
      return await openFolder(hands, named, layout, owner);
    },
    async close() {
      const all = [...started.values()];
      started.clear();
      await Promise.all(all.map((hands) => hands.close()));
    },
  };
}

/** Whoever has the other end of it. */
export async function openFolder(
  hands: AskedHands,
  named: string,
  layout: Layout,
  owner: FolderOwner,
): Promise<DataFolder> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing hangs on it but its own work
  const { dir, ownership } = (await hands.ask('findFolder', [named, layout, owner])) as FoundFolder;
  await hands.enter(dir, ownership);
  return dataFolder(
    dir,
    ownership,
    workOf(namesOfVerbs, async (_, args, name) => await hands.ask(name, args)),
  );
}
