import type { Clock } from '../../domain/clock.ts';
import { AgentError } from '../../domain/errors.ts';
import { jobs } from '../../jobs/index.ts';
import type { AnyJob } from '../../jobs/job.ts';
import { actAs, type UserId } from '../../lib/process/act-as.ts';
import { isHeld, takeLock, type Lock } from '../../state/locks/lock.ts';

/** How often a held lock is asked for, and whether somebody waits for ours. Milliseconds. */
const pause = 1000;
/** How long an urgent job waits for one that gives way to it: it has to end its scratch server. Milliseconds. */
const urgentPatience = 30_000;

/** Those that give way to an urgent one. */
const yielding = new Set(jobs.filter(({ urgency }) => urgency === 'yields').map(({ name }) => name));

export interface LockRequest {
  job: Pick<AnyJob, 'name' | 'lock' | 'urgency'>;
  instance: string;
  stateDirectory: string;
  /** Whose the state directory is, when we are root and it is somebody else's. */
  owner: UserId | undefined;
  clock: Clock;
  signal: AbortSignal;
}

/**
 * Takes the lock of a job, waiting up to `patience` milliseconds for a run of another job; an urgent one makes one give
 * way that yields. Throws an AgentError `locked`.
 */
export async function lockForJob(request: LockRequest, patience: number): Promise<Lock> {
  const { job, clock, signal } = request;
  const start = clock.monotonic();
  let asked: Lock | undefined;
  try {
    for (;;) {
      try {
        return take(request, job.lock);
      } catch (error) {
        if (!(error instanceof AgentError) || error.code !== 'locked') throw error;
        // What another run of the same job does need not be done again after it.
        if (error.holder === job.name) throw error;
        const urgent = job.urgency === 'urgent' && yielding.has(error.holder ?? '');
        if (clock.monotonic() - start >= (urgent ? urgentPatience : patience)) throw error;
        if (urgent) asked ??= tryTake(request, asking(job.lock));
      }
      await clock.sleep(pause, signal);
    }
  } finally {
    asked?.release();
  }
}

/**
 * The lock of a job that only looks: what changes what it looks at is waited for by nobody, and makes it fail as `locked`.
 * A job that yields does not change it, and goes on: then there is no lock, undefined.
 */
export function lockForLook(request: LockRequest): Lock | undefined {
  try {
    return take(request, request.job.lock);
  } catch (error) {
    const harmless =
      error instanceof AgentError && error.code === 'locked' && yielding.has(error.holder ?? '');
    if (harmless) return undefined;
    throw error;
  }
}

/** Aborts when the run's own signal does, and where the job gives way when an urgent one waits for its lock. */
export function signalOfRun(request: LockRequest): { signal: AbortSignal; stop: () => void } {
  const { job, clock, signal } = request;
  if (job.urgency !== 'yields') return { signal, stop: () => {} };
  const [ended, wanted] = [new AbortController(), new AbortController()];
  const watch = async (): Promise<void> => {
    do await clock.sleep(pause, ended.signal);
    while (!isAskedFor(request));
    wanted.abort(new AgentError('interrupted', `the ${job.name} gave way to a restore`));
  };
  // It rejects when the run is over.
  watch().catch(() => {});
  return { signal: AbortSignal.any([signal, wanted.signal]), stop: () => ended.abort() };
}

/** Held by whoever waits for a lock: like the lock itself it ends with its process. */
function asking(lock: string): string {
  return `${lock}-wanted`;
}

function isAskedFor({ stateDirectory, instance, job, owner }: LockRequest): boolean {
  return actAs(owner, () => isHeld(stateDirectory, { instance, kind: asking(job.lock) }));
}

function take({ stateDirectory, instance, job, clock, owner }: LockRequest, kind: string): Lock {
  return actAs(owner, () => takeLock(stateDirectory, { instance, kind, job: job.name, clock }));
}

function tryTake(request: LockRequest, kind: string): Lock | undefined {
  try {
    return take(request, kind);
  } catch (error) {
    if (error instanceof AgentError && error.code === 'locked') return undefined;
    throw error;
  }
}
