import { statusFolder } from './fleet/status-object.ts';
import { backupIdTime } from './id.ts';
import { mayBeOurs } from './own-names.ts';
import type { Store, StoredObject } from './store/store.ts';

/** Keys of what is not ours that a listing keeps. */
const mostForeign = 1000;
/** Objects below one id that are kept whatever their names are: a backup has a few dozen. */
const mostObjects = 1000;

/** What lies below an instance's prefix, by backup id, in memory that does not depend on how much is not ours. */
export async function gatherObjects(
  store: Store,
  instance: string,
  signal: AbortSignal,
): Promise<{ byId: Map<string, StoredObject[]>; foreign: ForeignKeys }> {
  const byId = new Map<string, StoredObject[]>();
  const foreign = new ForeignKeys();
  for await (const object of store.list(instance, { signal })) {
    const [, id = '', name, ...deeper] = object.key.split('/');
    // Not of a backup, but of the instance: fleet/ reads it.
    if (id === statusFolder) continue;
    if (backupIdTime(id) === undefined || name === undefined || deeper.length > 0) {
      foreign.add(object.key);
      continue;
    }
    const objects = byId.get(id) ?? [];
    if (objects.length === 0) byId.set(id, objects);
    // Only what may be ours counts from there on: whoever may write there may fill it.
    if (objects.length < mostObjects || mayBeOurs(name)) objects.push(object);
    else foreign.add(object.key);
  }
  return { byId, foreign };
}

/** Keys of what is not ours, of which there may be any number. */
class ForeignKeys {
  readonly keys: string[] = [];
  more = 0;

  add(key: string): void {
    if (this.keys.length < mostForeign) this.keys.push(key);
    else this.more++;
  }
}
