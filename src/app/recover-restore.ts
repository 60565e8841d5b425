import { AgentError } from '../domain/errors.ts';
import type { InstanceSettings } from '../domain/settings.ts';
import { interruptedLive, recoverLiveJob } from '../jobs/recover-live.ts';
import type { App, RunOptions } from './build-app.ts';

/**
 * Sets a server free that a killed live restore has left as a replica of nobody. Looks at one small file where there is
 * none; a restore that is under way has one too, and the lock.
 */
export async function recoverRestore(app: App, instance: InstanceSettings, run: RunOptions): Promise<void> {
  if (interruptedLive({ settings: app.settings, instance }) === null) return;
  try {
    await app.run(recoverLiveJob, instance, {}, run);
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'locked') throw error;
  }
}
