import { backupIdTime, isAhead } from '../../backup/id.ts';
import { messageOf } from '../../domain/errors.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import type { AuditReport } from '../../harden/audit/report.ts';
import { auditJob } from '../../jobs/harden/audit-job.ts';
import { jobs } from '../../jobs/index.ts';
import type { AnyJob, LastDone, RunJob, StartFacts } from '../../jobs/job.ts';
import { localTimezone } from '../../lib/time/timezone.ts';
import { dropRetry, noteRetry } from '../../state/retries.ts';
import { lastRun } from '../../state/runs.ts';
import type { App } from '../build-app.ts';
import { recordEvaluation } from '../findings.ts';
import { failureOf } from '../run/run-job.ts';
import { FailedElsewhere, type Children } from './children.ts';
import { sendAudit } from '../report/send.ts';
import type { Retry } from './retry.ts';
import type { Schedule } from './scheduler.ts';

/** Longest wait for a repository at a start, milliseconds. */
const listTimeout = 60_000;

/** What comes round: every job that the configuration gives a schedule, for every instance. */
export async function schedulesOf(app: App, children?: Children): Promise<Schedule[]> {
  const all = app.settings.instances.map((instance) => {
    const newestBackup = once(() => readNewestBackup(app, instance));
    return Promise.all(jobs.map((job) => scheduleOf({ app, children }, instance, job, newestBackup)));
  });
  return (await Promise.all(all)).flat(2);
}

async function scheduleOf(
  { app, children }: { app: App; children: Children | undefined },
  instance: InstanceSettings,
  job: AnyJob,
  newestBackup: StartFacts['newestBackup'],
): Promise<Schedule[]> {
  const { settings, clock } = app;
  const planned = job.schedule?.(settings, instance) ?? null;
  if (planned === null) return [];
  const lastSuccess = (): number | undefined =>
    lastRun(app.state(), instance.name, job.name, 'ok')?.started_at;
  return [
    {
      name: `${instance.name}: ${job.name}`,
      expression: planned.cron,
      timezone: settings.timezone ?? localTimezone(),
      jitter: planned.jitter,
      lastRun: await planned.lastDone({ now: clock.now(), lastSuccess, newestBackup }),
      async run(signal) {
        if (job.heavy === true && children !== undefined) {
          await inChild(app, children, { instance, job }, signal);
          return;
        }
        const { patience = 0 } = planned;
        const run: RunJob = (wanted, options) =>
          app.run(wanted, instance, options, { signal, progress: silent, patience });
        const value: unknown = await planned.start(run);
        if (job === auditJob) await tellAudit(app, instance, value, signal);
      },
      mayPass: (error) =>
        error instanceof FailedElsewhere ? error.mayPass : planned.mayPass?.(error) === true,
      onRetry: (retry) => noteForStatus(app, instance, job, retry),
    },
  ];
}

/** The audit is done and recorded, whatever becomes of the mail. */
async function tellAudit(
  app: App,
  { name }: InstanceSettings,
  value: unknown,
  signal: AbortSignal,
): Promise<void> {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what auditJob gives
    await sendAudit(app, name, value as AuditReport, signal);
  } catch (error) {
    app.log.error({ instance: name, cause: messageOf(error) }, 'cannot send the audit');
  }
}

/** What the run came to it has recorded itself, but for a child that was killed. */
async function inChild(
  app: App,
  children: Children,
  { instance, job }: { instance: InstanceSettings; job: AnyJob },
  signal: AbortSignal,
): Promise<void> {
  const { settings, configPath } = app;
  try {
    await children({ settings, configPath, instance: instance.name, job: job.name }, signal);
  } catch (error) {
    if (!(error instanceof FailedElsewhere) && !signal.aborted) {
      const failure = failureOf(instance.name, job, error);
      recordEvaluation(app.sink(), {
        instance: instance.name,
        evaluated: [{ rules: [failure.rule] }],
        findings: [failure],
      });
    }
    throw error;
  }
}

/** `status` is another process. */
function noteForStatus(app: App, { name }: InstanceSettings, job: AnyJob, retry: Retry | undefined): void {
  try {
    if (retry === undefined) dropRetry(app.state(), name, job.name);
    else noteRetry(app.state(), { instance: name, job: job.name, ...retry });
  } catch (error) {
    app.log.error({ instance: name, cause: messageOf(error) }, 'cannot write to the state database');
  }
}

const silent = { report(): void {} };

/** From the repository, which is the truth; from our own history while that cannot be reached. */
async function readNewestBackup(app: App, instance: InstanceSettings): Promise<LastDone> {
  try {
    const repository = await app.repository(instance);
    const { backups } = await repository.list(AbortSignal.timeout(listTimeout));
    const now = app.clock.now();
    const newest = backups.findLast(({ state, id }) => state === 'complete' && !isAhead(id, now));
    return newest === undefined ? 'never' : backupIdTime(newest.id);
  } catch (error) {
    app.log.error({ instance: instance.name, cause: messageOf(error) }, 'cannot list the repository');
    return lastRun(app.state(), instance.name, 'backup', 'ok')?.started_at;
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
