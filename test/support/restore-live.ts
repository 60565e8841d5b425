import { buildApp } from '../../src/app/build-app.ts';
import type { Manifest } from '../../src/domain/backup.ts';
import type { Progress } from '../../src/domain/progress.ts';
import type { Job, JobContext } from '../../src/jobs/job.ts';
import { recoverLiveJob, type LiveRecovery } from '../../src/jobs/recover-live.ts';
import {
  runLiveRestore,
  type LiveRestoreOptions,
  type LiveRestoreReport,
} from '../../src/jobs/restore-live.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { memoryLog } from './memory-log.ts';

export interface LiveRunOptions extends Partial<LiveRestoreOptions> {
  signal?: AbortSignal;
  progress?: Progress;
  /** Sees what was decided before anything begins, and may get in its way. */
  meddle?: (context: JobContext, manifest: Manifest) => Promise<void> | void;
}

const silent = { report(): void {} };

/** Runs a live restore as the job that a command runs, in this process. */
export async function restoreLive(
  configPath: string,
  id: string,
  { signal, progress, meddle, ...options }: LiveRunOptions = {},
): Promise<LiveRestoreReport> {
  const job: Job<object, LiveRestoreReport> = {
    name: 'restore',
    lock: 'repository',
    async run(context) {
      const manifest = await context.repository.find(id, context.signal);
      await meddle?.(context, manifest);
      const value = await runLiveRestore(context, manifest, {
        preBackup: true,
        allowed: new Set(),
        ...options,
      });
      return { value, summary: 'restored', findings: [], evaluated: [] };
    },
  };
  return await runJobOf(configPath, job, { signal, progress });
}

export async function recoverRestore(configPath: string): Promise<LiveRecovery | null> {
  return await runJobOf(configPath, recoverLiveJob, {});
}

async function runJobOf<Value>(
  configPath: string,
  job: Job<object, Value>,
  { signal, progress }: { signal?: AbortSignal | undefined; progress?: Progress | undefined },
): Promise<Value> {
  const app = await buildApp({ configPath, env: {}, clock: systemClock, log: memoryLog(), secrets: [] });
  try {
    return await app.run(
      job,
      app.instance(undefined),
      {},
      {
        signal: signal ?? new AbortController().signal,
        progress: progress ?? silent,
      },
    );
  } finally {
    await app.close();
  }
}
