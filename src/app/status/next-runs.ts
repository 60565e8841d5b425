import { createTask } from 'node-cron';
import type { InstanceSettings } from '../../domain/settings.ts';
import { jobs } from '../../jobs/index.ts';
import { localTimezone } from '../../lib/timezone.ts';
import type { App } from '../build-app.ts';

/** When a job is due by its schedule. */
export interface NextRun {
  job: string;
  /** ISO 8601, UTC. */
  at: string;
}

/** The next run of every job that comes round, in the order of the list of jobs; the random delay is not in it. */
export function nextRuns({ settings }: App, instance: InstanceSettings): NextRun[] {
  return jobs.flatMap((job) => {
    const planned = job.schedule?.(settings, instance) ?? null;
    if (planned === null) return [];
    const task = createTask(planned.cron, () => {}, { timezone: settings.timezone ?? localTimezone() });
    const [next] = task.getNextRuns(1);
    void task.destroy();
    return next === undefined ? [] : [{ job: job.name, at: next.toISOString() }];
  });
}
