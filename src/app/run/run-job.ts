import type { Clock } from '../../domain/clock.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import type { Evaluated, Finding } from '../../domain/finding.ts';
import type { Log } from '../../domain/log.ts';
import type { AnyJob, Job, JobContext } from '../../jobs/job.ts';
import type { UserId } from '../../lib/process/act-as.ts';
import type { State } from '../../state/db/open.ts';
import { finishRun, startRun, type RunOutcome } from '../../state/runs.ts';
import { recordEvaluation, requireDeclared, type Evaluation } from '../findings.ts';
import { lockForJob, lockForLook, signalOfRun } from './job-lock.ts';

/** What one run needs. */
export interface RunTask {
  instance: string;
  signal: AbortSignal;
  /** Opens what the job works with; a failure is a failure of the run. */
  prepare: (run: Pick<JobContext, 'log' | 'signal'>) => Promise<JobContext>;
  /** How long it waits for a run of another job that holds its lock, milliseconds. 0 when left out. */
  patience?: number | undefined;
}

export interface Runner {
  state: State;
  stateDirectory: string;
  clock: Clock;
  log: Log;
  /** Whose the state directory is, when we are root and it is somebody else's. */
  owner?: UserId | undefined;
}

/**
 * Runs one job of one instance: takes its lock, records the run, and hands its findings on. The only place that does:
 * jobs return findings, and a job that throws becomes the finding `<job>-failed` until it succeeds again. Of one that only
 * looks nothing is recorded.
 */
export async function runJob<Options, Value>(
  runner: Runner,
  job: Job<Options, Value>,
  task: RunTask,
  options: Options,
): Promise<Value> {
  const { instance } = task;
  const log = runner.log.child({ instance, job: job.name });
  const { stateDirectory, clock, owner } = runner;
  const request = { job, instance, stateDirectory, owner, clock, signal: task.signal };
  const effect = typeof job.effect === 'function' ? job.effect(options) : job.effect;
  if (effect === 'look') {
    using _ = lockForLook(request);
    const result = await job.run(await task.prepare({ log, signal: task.signal }), options);
    log.debug({}, result.summary);
    return result.value;
  }
  const lock = await lockForJob(request, task.patience ?? 0);
  const { signal, stop } = signalOfRun(request);
  try {
    return await runLocked({ ...runner, log }, job, { ...task, signal }, options);
  } finally {
    stop();
    lock.release();
  }
}

async function runLocked<Options, Value>(
  runner: Runner,
  job: Job<Options, Value>,
  { instance, signal, prepare }: RunTask,
  options: Options,
): Promise<Value> {
  const { state, clock, log } = runner;
  const begun = { instance, job: job.name, startedAt: clock.now() };
  const run = job.unrecorded === true ? undefined : recorded(log, () => startRun(state, begun));
  const finish = (outcome: RunOutcome, summary: string, detail?: unknown): void => {
    if (run !== undefined)
      recorded(log, () => finishRun(state, run, { finishedAt: clock.now(), outcome, summary, detail }));
  };
  try {
    const result = await job.run(await prepare({ log, signal }), options);
    const { summary, detail, findings } = result;
    const evaluated = [{ rules: [failedRule(job)] }, ...result.evaluated];
    requireKnownRules(job, result.evaluated);
    requireDeclared(instance, evaluated, findings);
    finish('ok', summary, detail);
    log[job.unrecorded === true ? 'debug' : 'info']({}, summary);
    record(runner, { instance, evaluated, findings });
    return result.value;
  } catch (error) {
    // Whatever it failed with then, it failed because it was stopped.
    const interrupted = signal.aborted || (error instanceof AgentError && error.code === 'interrupted');
    finish(interrupted ? 'interrupted' : 'failed', messageOf(error));
    if (!interrupted) {
      log.error({ cause: messageOf(error) }, 'job failed');
      const failure = failureOf(instance, job, error);
      if (job.isNews?.(options, error) !== false)
        record(runner, { instance, evaluated: [{ rules: [failure.rule] }], findings: [failure] });
    }
    throw error;
  }
}

/** History is worth less than a backup: what cannot be written down is said, and the work goes on. */
function recorded<T>(log: Log, write: () => T): T | undefined {
  try {
    return write();
  } catch (error) {
    log.error({ cause: messageOf(error) }, 'cannot write to the state database');
    return undefined;
  }
}

function record(runner: Runner, evaluation: Evaluation): void {
  recorded(runner.log, () => recordEvaluation(runner, evaluation));
}

function failedRule({ name }: AnyJob): string {
  return `${name}-failed`;
}

/** The finding that a job has failed. */
export function failureOf(instance: string, job: AnyJob, error: unknown): Finding {
  const hint = error instanceof AgentError ? error.hint : undefined;
  const command = `redis-agent ${job.command ?? 'check'}`;
  return {
    instance,
    rule: failedRule(job),
    resource: instance,
    severity: 'critical',
    summary: `${job.name} failed: ${messageOf(error)}`,
    // Who reads it did not run that command.
    remedy: hint?.replace('the same command', command) ?? `see the log of redis-agent, then run: ${command}`,
    evidence: { code: error instanceof AgentError ? error.code : 'defect' },
  };
}

/** What a job does not declare no page explains. */
function requireKnownRules({ name, rules }: AnyJob, evaluated: readonly Evaluated[]): void {
  const known = new Set(rules.map(({ id }) => id));
  const strange = evaluated.flatMap((scope) => scope.rules).find((rule) => !known.has(rule));
  if (strange !== undefined) throw new Error(`the job ${name} does not declare the rule ${strange}`);
}
