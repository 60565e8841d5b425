import { AgentError } from '../domain/errors.ts';
import type { Settings } from '../domain/settings.ts';
import { restoreDeclaration } from '../jobs/restore/declaration.ts';
import { holderOf } from '../state/locks/lock.ts';

/** Throws an AgentError `locked` while an instance is restored whose server has this URL: keys that are written now would go with it. */
export function requireNotRestored({ instances, state }: Settings, url: string): void {
  const { name: job, lock: kind } = restoreDeclaration;
  for (const { name } of instances.filter((instance) => instance.url === url)) {
    const holder = holderOf(state.path, { instance: name, kind });
    if (holder?.job !== job) continue;
    throw new AgentError('locked', `instance ${name} is being restored${holder.text}`, {
      holder: job,
      hint: 'wait for it to end: keys that are written now would go with the data that it replaces',
    });
  }
}
