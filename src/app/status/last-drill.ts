import type { DrillOutcome } from '../../domain/drill.ts';
import { AgentError } from '../../domain/errors.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { drillName, drillsOf, newestStoredDrill } from '../../jobs/drill/last-drill.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import { lastDetails } from '../../state/runs.ts';
import type { App } from '../build-app.ts';

/** The last drill, however it ended: from the history, else from beside the backups. undefined: there was none. */
export async function lastDrill(
  app: App,
  instance: InstanceSettings,
  signal: AbortSignal,
): Promise<DrillOutcome | undefined> {
  try {
    const [last] = drillsOf(lastDetails(app.state(), instance.name, drillName, 1));
    if (last !== undefined) return last;
  } catch (error) {
    // Without a history, what lies beside the backups must do.
    if (!(error instanceof AgentError)) throw error;
  }
  try {
    const repository = await app.repository(instance);
    const record = await newestStoredDrill(repository, signal);
    return record && { outcome: record.ok ? 'held' : 'failed', record };
  } catch (error) {
    if (!(error instanceof AgentError) || error.code === 'interrupted') throw error;
    return undefined;
  }
}

/** One line for `check`. */
export async function judgeDrill(
  app: App,
  instance: InstanceSettings,
  signal: AbortSignal,
): Promise<string | { warning: string; next: string }> {
  const next = 'run: redis-agent drill';
  const last = await lastDrill(app, instance, signal);
  if (last === undefined) {
    const { backups } = await (await app.repository(instance)).list(signal);
    return backups.length === 0
      ? 'nothing to rehearse yet'
      : { warning: 'no restore was ever rehearsed', next };
  }
  if (last.outcome === 'skipped')
    return { warning: `the last one was skipped: ${last.why}`, next: `${last.instead}, then ${next}` };
  const { record } = last;
  if (!record.ok)
    throw new AgentError('damaged', `backup ${record.backup} does not restore: ${record.summary}`, {
      hint: 'take a new one now: redis-agent backup, then rehearse that: redis-agent drill',
    });
  const age = app.clock.now() - Date.parse(record.at);
  const { overdue_after: limit } = app.settings.drill;
  const ago = `${formatDuration(age)} ago`;
  if (limit !== null && age > limit)
    return { warning: `the last one was ${ago} (limit ${formatDuration(limit)})`, next };
  const time =
    record.recovery_seconds === null ? '' : `, in ${formatDuration(record.recovery_seconds * 1000)}`;
  return `backup ${record.backup} restored${time} (${ago})`;
}
