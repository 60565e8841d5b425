import { counted } from '../../lib/text/counted.ts';
import { rm } from 'node:fs/promises';
import { totalKeys, type Manifest, type Verification } from '../../domain/backup.ts';
import {
  drillSchema,
  type DrillComparison,
  type DrillOutcome,
  type DrillRecord,
  type DrillTimes,
} from '../../domain/drill.ts';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import { makeScratchFolder, sweepScratch } from '../../redis/scratch/scratch-folder.ts';
import { CannotRehearse, prepareRehearsal, unableBecause, type DrillInsistence } from './guards.ts';
import { drillFindings, endedRules, skippedRules } from './findings.ts';
import { secondsFrom, stageBackup, type Rehearsal } from './stage.ts';
import { compareLoaded, loadStaged } from './steps.ts';
import type { JobContext, JobResult } from '../job.ts';
import { compareKeys } from '../prove/compare-keys.ts';

export interface DrillOptions {
  /** A backup id or `latest`. */
  which: string;
  /** Guards that are insisted on. */
  allow: readonly DrillInsistence[];
}

export async function runDrill(context: JobContext, options: DrillOptions): Promise<JobResult<DrillOutcome>> {
  const { repository, signal, clock, instance } = context;
  const at = new Date(clock.now()).toISOString();
  const manifest = await repository.find(options.which, signal);
  const outcome = await drill(context, options, manifest, at);
  if (outcome.outcome !== 'skipped') await store(context, outcome.record);
  return {
    value: outcome,
    summary: describe(manifest.id, outcome),
    detail: outcome,
    findings: drillFindings(instance.name, outcome),
    evaluated: [{ rules: outcome.outcome === 'skipped' ? skippedRules : endedRules }],
  };
}

function describe(id: string, outcome: DrillOutcome): string {
  if (outcome.outcome === 'skipped') return `drill of backup ${id} skipped: ${outcome.why}`;
  const { ok, summary, recovery_seconds: seconds } = outcome.record;
  const time = seconds === null ? '' : ` in ${formatDuration(seconds * 1000)}`;
  return ok ? `backup ${id} restores${time}: ${summary}` : `backup ${id} does not restore: ${summary}`;
}

async function drill(
  context: JobContext,
  { allow }: DrillOptions,
  manifest: Manifest,
  at: string,
): Promise<DrillOutcome> {
  await sweepScratch(context.scratch);
  const folder = await inScratch(context, () => makeScratchFolder(context.scratch));
  try {
    const rehearsal = await prepareRehearsal(context, manifest, { folder, allow });
    const record = await inScratch(context, () => rehearse(context, rehearsal, at));
    return { outcome: record.ok ? 'held' : 'failed', record };
  } catch (error) {
    context.signal.throwIfAborted();
    const unable = unableBecause(error);
    if (unable === undefined) throw error;
    const { reason, message: why, instead } = unable;
    return { outcome: 'skipped', backup: manifest.id, at, reason, why, instead };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What this host's own files and programs refuse says nothing about a backup. */
async function inScratch<T>({ scratch }: JobContext, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof AgentError || code === undefined) throw error;
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new CannotRehearse('full', `${scratch} has no room left`, 'free some there');
    throw new AgentError('failed', `cannot rehearse a restore in ${scratch}: ${messageOf(error)}`, {
      cause: error,
      hint: 'it takes room and the right to write there: see state.path',
    });
  }
}

/** What came out so far. */
interface Progressed {
  seconds: Omit<DrillTimes, 'total'>;
  keys: number | null;
  compared: DrillComparison | null;
}

async function rehearse(context: JobContext, rehearsal: Rehearsal, at: string): Promise<DrillRecord> {
  const { clock } = context;
  const start = clock.monotonic();
  const seconds = { fetch: 0, decode: 0, check: null, load: null, compare: null };
  const done: Progressed = { seconds, keys: null, compared: null };
  let ok = true;
  let summary: string;
  try {
    summary = await goThrough(context, rehearsal, done);
  } catch (error) {
    if (!saysDamaged(error)) throw error;
    ok = false;
    summary = messageOf(error);
  }
  const { manifest, artefact } = rehearsal;
  const { fetch, decode, check, load } = done.seconds;
  return {
    schema: drillSchema,
    backup: manifest.id,
    at,
    ok,
    summary,
    server: rehearsal.server,
    loaded_as: rehearsal.loadedAs,
    bytes: artefact.plain.bytes,
    stored_bytes: artefact.stored.bytes,
    keys: done.keys,
    compared: done.compared,
    seconds: { ...done.seconds, total: secondsFrom(start, clock.monotonic()) },
    recovery_seconds: load === null ? null : round(fetch + decode + (check ?? 0) + load),
  };
}

/** Floating sums of milliseconds. */
function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** Whatever is wrong with the backup itself; anything else (no connection, no memory) is this run's failure. */
function saysDamaged(error: unknown): error is AgentError {
  if (!(error instanceof AgentError)) return false;
  // Of a download that ends early nobody knows whether the store or the way to it is at fault.
  if (error.code === 'repository') return error.reason === 'missing';
  return error.code === 'damaged' || error.reason === 'version';
}

/** Returns what was proven; throws with the first thing that is wrong. */
async function goThrough(context: JobContext, rehearsal: Rehearsal, done: Progressed): Promise<string> {
  const { clock } = context;
  const { manifest } = rehearsal;
  const { seconds } = done;
  const clocked = async <T>(step: 'check' | 'load' | 'compare', act: () => Promise<T>): Promise<T> => {
    const start = clock.monotonic();
    const result = await act();
    seconds[step] = secondsFrom(start, clock.monotonic());
    return result;
  };

  const staged = await stageBackup(context, rehearsal);
  Object.assign(seconds, staged.times);
  await clocked('check', () => staged.check());
  const { server, databases } = await clocked('load', () => loadStaged(context, rehearsal, staged));
  await using _ = server;
  done.keys = totalKeys(databases);
  const miscount = await compareKeys(context, manifest, databases);
  if (miscount !== undefined) throw new AgentError('damaged', `loaded, but ${miscount}`);
  const { dump: file } = staged;
  if (file === undefined)
    return `${counted(done.keys, 'key')} loaded as expected; an append only file holds commands, and no values to compare with`;
  const compared = await clocked('compare', () => compareLoaded(context, rehearsal, { file, server }));
  if (typeof compared === 'string')
    return `${counted(done.keys, 'key')} loaded as expected; values were not compared: ${compared}`;
  done.compared = compared;
  const [first] = compared.differences;
  if (first !== undefined)
    throw new AgentError('damaged', `loaded, but what the server holds differs: ${first}`);
  const left = compared.incomplete === 0 ? '' : `, ${compared.incomplete} of them not entirely`;
  return `${counted(done.keys, 'key')} loaded, every value and expiry as in the backup${left}`;
}

/** The drill's own record, and a proof as any other; not beside a backup that was pruned meanwhile. */
async function store({ repository, signal }: JobContext, record: DrillRecord): Promise<void> {
  const { backup, at, ok, summary, seconds } = record;
  if (!(await repository.exists(backup, signal))) return;
  const proof: Verification = { at, level: 'loaded', ok, summary, duration_seconds: seconds.total };
  await repository.writeDrill(record, signal);
  await repository.writeVerification(backup, proof, signal);
}
