import { AgentError } from '../../domain/errors.ts';
import { once } from '../small-object.ts';
import type { Store } from '../store/store.ts';
import { statusFolder, statusName, statusNameForm, type StatusObject } from './status-object.ts';

/** The newest few say whether an agent is alive; the others go. */
const kept = 3;

/** Adds the status of now and removes all but the newest, as far as the store (object lock) lets go of them. */
export async function writeStatus(store: Store, status: StatusObject, signal: AbortSignal): Promise<void> {
  const folder = `${status.instance}/${statusFolder}`;
  const content = Buffer.from(`${JSON.stringify(status, null, 2)}\n`);
  await store.put(`${folder}/${statusName(Date.parse(status.at))}`, once(content), { signal });
  const names: string[] = [];
  for await (const { key } of store.list(folder, { signal })) {
    const name = key.slice(folder.length + 1);
    if (statusNameForm.test(name)) names.push(name);
  }
  for (const name of names.toSorted().slice(0, -kept))
    try {
      await store.remove(`${folder}/${name}`, { signal });
    } catch (error) {
      if (!(error instanceof AgentError) || error.code === 'interrupted') throw error;
      // Held by object lock, or by a policy without delete: it goes when it may.
      return;
    }
}
