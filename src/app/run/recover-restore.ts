import { AgentError } from '../../domain/errors.ts';
import type { Finding } from '../../domain/finding.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { interruptedRestore } from '../../jobs/restore/interrupted-restore.ts';
import { interruptedLive, recoverLiveJob } from '../../jobs/restore/live/recover-live.ts';
import { isHeld } from '../../state/locks/lock.ts';
import type { App, RunOptions } from '../build-app.ts';

/**
 * Sets a server free that a killed live restore has left as a replica of nobody. Looks at one small file where there is
 * none; a restore that is under way has one too, and the lock.
 */
export async function recoverRestore(app: App, instance: InstanceSettings, run: RunOptions): Promise<void> {
  sayStopped(app, instance);
  if (interruptedLive({ settings: app.settings, instance }) === null) return;
  try {
    await app.run(recoverLiveJob, instance, {}, run);
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'locked') throw error;
  }
}

/** One by files is its caller's to end: it may take root's rights. */
function sayStopped(app: App, instance: InstanceSettings): void {
  const left = readInterrupted(app, instance);
  if (left !== undefined && left.evidence['dir'] !== undefined)
    app.log.error({ instance: instance.name, remedy: left.remedy }, left.summary);
}

/** Undefined, too, while something works on that repository: it may be the restore itself. */
export function readInterrupted({ settings }: App, instance: InstanceSettings): Finding | undefined {
  const directory = settings.state.path;
  const underWay = (): boolean => isHeld(directory, { instance: instance.name, kind: recoverLiveJob.lock });
  return interruptedRestore({ settings, instance }, underWay);
}
