import { zstdCompressSync } from 'node:zlib';
import { buildApp } from '../../../src/app/build-app.ts';
import type { DisklessLoad } from '../../../src/backup/restore/judge-live.ts';
import { BlockRecorder } from '../../../src/backup/restore/vetted-blocks.ts';
import type { Manifest } from '../../../src/domain/backup.ts';
import type { Clock } from '../../../src/domain/clock.ts';
import type { Progress } from '../../../src/domain/progress.ts';
import { restoreDeclaration } from '../../../src/jobs/restore/declaration.ts';
import { backupJob } from '../../../src/jobs/backup/backup-job.ts';
import type { Job, JobContext } from '../../../src/jobs/job.ts';
import { takeOver } from '../../../src/jobs/restore/live/take-over.ts';
import { proveDeeply } from '../../../src/jobs/prove/prove-deeply.ts';
import { recoverLiveJob, type LiveRecovery } from '../../../src/jobs/restore/live/recover-live.ts';
import {
  judgeFor,
  lookLive,
  runLiveRestore,
  type LiveRestoreOptions,
  type LiveRestoreReport,
} from '../../../src/jobs/restore/live/restore-live.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { memoryLog } from '../agent/memory-log.ts';

export interface LiveRunOptions extends Partial<LiveRestoreOptions> {
  signal?: AbortSignal;
  progress?: Progress;
  clock?: Clock;
  /** How the server is to load, whatever was decided. */
  mode?: DisklessLoad;
  /** What takes the place of the backup's dump after that was verified. */
  slipped?: Buffer;
  /** Sees what is read from the repository: once to be proven, once to be sent. */
  fetch?: (chunks: AsyncIterable<Uint8Array>, reading: number) => AsyncIterable<Uint8Array>;
  /** Sees what was decided before anything begins, and may get in its way. */
  meddle?: (context: JobContext, manifest: Manifest) => Promise<void> | void;
}

const silent = { report(): void {} };

/** Runs a live restore as the job that a command runs, in this process. */
export async function restoreLive(
  configPath: string,
  id: string,
  { signal, progress, clock, meddle, mode, slipped, fetch, ...options }: LiveRunOptions = {},
): Promise<LiveRestoreReport> {
  const job: Job<object, LiveRestoreReport> = {
    ...restoreDeclaration,
    effect: 'work',
    async run(given) {
      const context = fetch === undefined ? given : withFetch(given, fetch);
      const manifest = await context.repository.find(id, context.signal);
      await meddle?.(context, manifest);
      const all = { preBackup: true, allowed: new Set<string>(), ...options };
      const value =
        mode === undefined && slipped === undefined
          ? await runLiveRestore(context, manifest, all)
          : await takeOverAs(context, manifest, all, { mode, slipped });
      return { value, summary: 'restored', findings: [], evaluated: [] };
    },
  };
  return await runJobOf(configPath, job, { signal, progress, clock });
}

/** From the proof on as runLiveRestore does. */
async function takeOverAs(
  context: JobContext,
  manifest: Manifest,
  { preBackup, ...options }: LiveRestoreOptions,
  { mode, slipped }: { mode: DisklessLoad | undefined; slipped: Buffer | undefined },
): Promise<LiveRestoreReport> {
  const facts = await lookLive(context);
  const proof = await proveDeeply(context, manifest, facts.server);
  const judgement = judgeFor(facts, manifest, proof);
  judgement.mode = mode ?? judgement.mode;
  const asUsual = { skipPreflight: false, takeOver: false };
  const kept = preBackup ? (await backupJob.run(context, asUsual)).value.id : null;
  const task = { ...options, facts, judgement, proof, preBackup: kept };
  if (slipped === undefined) await takeOver(context, manifest, task);
  else {
    const recorder = new BlockRecorder();
    recorder.update(slipped);
    // As it is: what reads it to expand it would see what is wrong.
    const forged = { ...proof, growth: 0, blocks: recorder.finish() };
    const stored = zstdCompressSync(slipped);
    const artefacts = manifest.artefacts.map((artefact) => ({
      ...artefact,
      plain: { ...artefact.plain, bytes: slipped.length },
    }));
    await takeOver(
      withFetch(context, async function* () {
        yield stored;
      }),
      { ...manifest, artefacts },
      { ...task, proof: forged },
    );
  }
  return {
    method: 'live',
    backup: manifest.id,
    mode: judgement.mode,
    proven: 'every value decoded',
    pre_backup: kept,
    databases: proof.databases,
    expired: proof.expired,
    seconds: { verify: 0, load: 0, settle: 0 },
    notes: judgement.notes,
  };
}

/** What is read from the repository goes through `fetch`; `reading` counts from 1. */
function withFetch(context: JobContext, fetch: NonNullable<LiveRunOptions['fetch']>): JobContext {
  const { store } = context.repository;
  let reading = 0;
  const through: Pick<typeof store, 'get'> = {
    async get(key, options) {
      const object = await store.get(key, options);
      reading += 1;
      return { ...object, chunks: fetch(object.chunks, reading) };
    },
  };
  const repository = { ...context.repository, store: Object.assign(Object.create(store), through) };
  return { ...context, repository };
}

export async function recoverRestore(configPath: string): Promise<LiveRecovery | null> {
  return await runJobOf(configPath, recoverLiveJob, {});
}

type Surroundings = Pick<LiveRunOptions, 'signal' | 'progress' | 'clock'>;

async function runJobOf<Value>(
  configPath: string,
  job: Job<object, Value>,
  { signal, progress, clock = systemClock }: { [Key in keyof Surroundings]?: Surroundings[Key] | undefined },
): Promise<Value> {
  const app = await buildApp({ configPath, env: {}, clock, log: memoryLog(), secrets: [], program: [] });
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
