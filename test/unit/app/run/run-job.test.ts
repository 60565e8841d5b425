import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runJob, type Runner, type RunTask } from '../../../../src/app/run/run-job.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import type { Finding } from '../../../../src/domain/finding.ts';
import type { Job, JobContext, JobResult } from '../../../../src/jobs/job.ts';
import { shrinkRule } from '../../../../src/jobs/backup/rules.ts';
import { openFindings } from '../../../../src/state/episodes.ts';
import { openState } from '../../../../src/state/db/open.ts';
import { takeLock } from '../../../../src/state/locks/lock.ts';
import { lastDetails, lastRun } from '../../../../src/state/runs.ts';
import { ManualClock } from '../../../support/clocks/manual-clock.ts';
import { memoryLog } from '../../../support/agent/memory-log.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const clock = new ManualClock();
let log: ReturnType<typeof memoryLog>;
let runner: Runner;

beforeEach(() => {
  const stateDirectory = makeTempFolder();
  log = memoryLog();
  runner = { state: openState(stateDirectory, { clock, log }), stateDirectory, clock, log };
});
afterEach(() => {
  removeTempFolder(runner.stateDirectory);
});

const finding: Finding = {
  instance: 'main',
  rule: 'backup-shrunken',
  resource: 'main',
  severity: 'critical',
  summary: 'keys fell',
  remedy: 'look',
  evidence: {},
};

const result: JobResult<number> = {
  value: 7,
  summary: 'all done',
  findings: [finding],
  evaluated: [{ rules: ['backup-shrunken'] }],
};

function task(signal = new AbortController().signal): RunTask {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the jobs of this file look at nothing in it
  return { instance: 'main', signal, prepare: async (run) => run as JobContext };
}

function job(run: () => Promise<JobResult<number>>): Job<object, number> {
  return {
    name: 'backup',
    effect: 'work',
    command: 'backup',
    lock: 'repository',
    uses: [],
    rules: [shrinkRule],
    run,
  };
}

/** Lets everything that is ready go on. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const succeed = job(() => Promise.resolve(result));
const failure = new AgentError('redis', 'it is down', { hint: 'start it' });
const fail = job(() => Promise.reject(failure));

describe('runJob', () => {
  test('records the run and its findings; a failure is a finding until it succeeds again', async () => {
    await expect(runJob(runner, fail, task(), {})).rejects.toBe(failure);
    expect(openFindings(runner.state, 'main')).toMatchObject([
      { rule: 'backup-failed', summary: 'backup failed: it is down', remedy: 'start it' },
    ]);
    expect(lastRun(runner.state, 'main', 'backup')).toMatchObject({ outcome: 'failed' });
    expect(await runJob(runner, succeed, task(), {})).toBe(7);
    expect(openFindings(runner.state, 'main')).toMatchObject([finding]);
    expect(lastRun(runner.state, 'main', 'backup')).toMatchObject({ outcome: 'ok', summary: 'all done' });
    runner.state.close();
  });

  test('nor is one that only concerns who asked', async () => {
    const plan = { ...fail, isNews: (_: object, error: unknown) => error !== failure };
    await expect(runJob(runner, plan, task(), {})).rejects.toBe(failure);
    expect(openFindings(runner.state, 'main')).toEqual([]);
    expect(lastRun(runner.state, 'main', 'backup')).toMatchObject({ outcome: 'failed' });
    runner.state.close();
  });

  test('one that only looks is no run: it closes nothing, and fails for who asked alone', async () => {
    await expect(runJob(runner, fail, task(), {})).rejects.toBe(failure);
    const look = { ...succeed, effect: 'look' as const };
    expect(await runJob(runner, look, task(), {})).toBe(7);
    await expect(runJob(runner, { ...fail, name: 'plan', effect: 'look' }, task(), {})).rejects.toBe(failure);
    expect(openFindings(runner.state, 'main')).toMatchObject([{ rule: 'backup-failed' }]);
    expect(lastRun(runner.state, 'main', 'backup', 'ok')).toBeUndefined();
    expect(lastRun(runner.state, 'main', 'plan')).toBeUndefined();

    // By its options.
    const either: Job<{ dryRun: boolean }, number> = {
      ...succeed,
      effect: ({ dryRun }) => (dryRun ? 'look' : 'work'),
    };
    await runJob(runner, either, task(), { dryRun: true });
    expect(lastRun(runner.state, 'main', 'backup', 'ok')).toBeUndefined();
    await runJob(runner, either, task(), { dryRun: false });
    expect(lastRun(runner.state, 'main', 'backup', 'ok')).toBeDefined();
    runner.state.close();
  });

  test('who reads of it did not run that command: it is named', async () => {
    const hint = 'make room, then run the same command again';
    const full = job(() => Promise.reject(new AgentError('failed', 'no room', { hint })));
    await expect(runJob(runner, { ...full, command: 'restore' }, task(), {})).rejects.toMatchObject({ hint });
    expect(openFindings(runner.state, 'main')).toMatchObject([
      { remedy: 'make room, then run redis-agent restore again' },
    ]);
    runner.state.close();
  });

  test('one that only looks lets a drill go on, and waits for nothing else', async () => {
    const look = { ...succeed, name: 'plan-restore', effect: 'look' as const };
    const kind = { instance: 'main', kind: 'repository', clock };
    const drill = takeLock(runner.stateDirectory, { ...kind, job: 'drill' });
    expect(await runJob(runner, look, task(), {})).toBe(7);
    drill.release();
    using _ = takeLock(runner.stateDirectory, { ...kind, job: 'restore' });
    await expect(runJob(runner, look, task(), {})).rejects.toMatchObject({ code: 'locked' });
    runner.state.close();
  });

  test('a finding of what it did not evaluate fails the run, and is not dropped', async () => {
    const stray = job(() => Promise.resolve({ ...result, evaluated: [] }));
    await expect(runJob(runner, stray, task(), {})).rejects.toThrow(/backup-shrunken .* is none of what was/);
    expect(lastRun(runner.state, 'main', 'backup')).toMatchObject({ outcome: 'failed' });
    expect(openFindings(runner.state, 'main')).toMatchObject([
      { rule: 'backup-failed', evidence: { code: 'defect' } },
    ]);
    runner.state.close();
  });

  test('nor is one of a rule that the job does not declare', async () => {
    const strange = { ...succeed, rules: [] };
    await expect(runJob(runner, strange, task(), {})).rejects.toThrow(
      'does not declare the rule backup-shrunken',
    );
    runner.state.close();
  });

  test('one that comes round all the time leaves findings and no runs', async () => {
    const often = { ...succeed, unrecorded: true };
    expect(await runJob(runner, often, task(), {})).toBe(7);
    expect(openFindings(runner.state, 'main')).toMatchObject([finding]);
    expect(lastRun(runner.state, 'main', 'backup')).toBeUndefined();
    runner.state.close();
  });

  test('one that was stopped is no finding, whatever it failed with', async () => {
    await expect(runJob(runner, fail, task(AbortSignal.abort()), {})).rejects.toBe(failure);
    expect(openFindings(runner.state, 'main')).toEqual([]);
    expect(lastRun(runner.state, 'main', 'backup')).toMatchObject({ outcome: 'interrupted' });
    runner.state.close();
  });

  test('the lock is taken while it runs, and free afterwards', async () => {
    const nested = job(async () => {
      await expect(runJob(runner, succeed, task(), {})).rejects.toMatchObject({ code: 'locked' });
      return result;
    });
    expect(await runJob(runner, nested, task(), {})).toBe(7);
    expect(await runJob(runner, succeed, task(), {})).toBe(7);
    runner.state.close();
  });

  test('a drill gives way to a restore, and to nothing else', async () => {
    const rehearse = {
      ...succeed,
      name: 'drill',
      urgency: 'yields' as const,
      run: async ({ signal }: JobContext) => {
        await clock.sleep(3_600_000, signal);
        return result;
      },
    };
    const drill = runJob(runner, rehearse, task(), {}).catch((error: unknown) => error);
    await turn();
    await expect(runJob(runner, succeed, task(), {})).rejects.toMatchObject({
      code: 'locked',
      holder: 'drill',
    });
    clock.advance(1000);
    await turn();
    expect(lastRun(runner.state, 'main', 'drill')).toMatchObject({ outcome: null });

    const restore = runJob(runner, { ...succeed, name: 'restore', urgency: 'urgent' }, task(), {});
    clock.advance(1000);
    expect(await drill).toMatchObject({ code: 'interrupted', message: 'the drill gave way to a restore' });
    expect(lastRun(runner.state, 'main', 'drill')).toMatchObject({ outcome: 'interrupted' });
    clock.advance(1000);
    expect(await restore).toBe(7);
  });

  test('with patience it waits for the lock, and not longer', async () => {
    const held = takeLock(runner.stateDirectory, {
      instance: 'main',
      kind: 'repository',
      job: 'drill',
      clock,
    });
    const patient = { ...task(), patience: 2500 };
    const waiting = runJob(runner, succeed, patient, {});
    clock.advance(1000);
    held.release();
    await turn();
    clock.advance(1000);
    expect(await waiting).toBe(7);

    const again = takeLock(runner.stateDirectory, {
      instance: 'main',
      kind: 'repository',
      job: 'drill',
      clock,
    });
    const vain = runJob(runner, succeed, patient, {}).catch((error: unknown) => error);
    for (let second = 0; second < 3; second++) {
      await turn();
      clock.advance(1000);
    }
    expect(await vain).toMatchObject({ code: 'locked', message: expect.stringMatching(/\(drill, pid /) });
    again.release();

    // What the same job does elsewhere is not waited for.
    const other = takeLock(runner.stateDirectory, {
      instance: 'main',
      kind: 'repository',
      job: 'backup',
      clock,
    });
    await expect(runJob(runner, succeed, patient, {})).rejects.toMatchObject({ holder: 'backup' });
    other.release();
    runner.state.close();
  });

  test('what a run came to is kept with it', async () => {
    const detailed = job(() => Promise.resolve({ ...result, detail: { figure: 3 } }));
    await runJob(runner, detailed, task(), {});
    expect(lastDetails(runner.state, 'main', 'backup', 5)).toEqual([{ figure: 3 }]);
    runner.state.close();
  });

  test('a state database that cannot be written to costs its history and nothing else', async () => {
    runner.state.close();
    expect(await runJob(runner, succeed, task(), {})).toBe(7);
    await expect(runJob(runner, fail, task(), {})).rejects.toBe(failure);
    // The lock is not one that stayed.
    expect(await runJob(runner, succeed, task(), {})).toBe(7);
    const said = log.entries.filter(
      ({ level, message }) => level === 'error' && /state database/.test(message),
    );
    expect(said.length).toBeGreaterThan(2);
  });
});
