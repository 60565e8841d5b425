import type { InstanceSettings } from '../../domain/settings.ts';
import { jobs } from '../../jobs/index.ts';
import { nextRun } from '../../lib/cron/next-run.ts';
import { retriesOf } from '../../state/retries.ts';
import type { App } from '../build-app.ts';

/** When a job is due. */
export interface NextRun {
  job: string;
  /** ISO 8601, UTC. */
  at: string;
  /** Where it has failed and is tried again before its time: which attempt this is, and why. */
  retry: { attempt: number; cause: string } | null;
}

/** The next run of every job that comes round, in the order of the list of jobs; the random delay is not in it. Last the report, which is of all instances. */
export function nextRuns(app: App, instance: InstanceSettings): NextRun[] {
  const { settings } = app;
  const now = app.clock.now();
  const retries = retriesOf(app.state(), instance.name);
  const report = settings.report?.schedule && nextRun(settings.report.schedule, settings.timezone, now);
  const reports =
    typeof report !== 'number' ? [] : [{ job: 'report', at: new Date(report).toISOString(), retry: null }];
  const runs = jobs.flatMap((job) => {
    const planned = job.schedule?.(settings, instance) ?? null;
    if (planned === null) return [];
    const due = nextRun(planned.cron, settings.timezone, now);
    const again = retries.find((retry) => retry.job === job.name);
    // One that should have been long ago belongs to a daemon that was killed.
    const retry =
      again !== undefined && again.at > now - 60_000 && again.at < (due ?? Infinity) ? again : null;
    const at = retry?.at ?? due;
    if (at === undefined) return [];
    return [
      {
        job: job.name,
        at: new Date(at).toISOString(),
        retry: retry && { attempt: retry.attempt, cause: retry.cause },
      },
    ];
  });
  return [...runs, ...reports];
}
