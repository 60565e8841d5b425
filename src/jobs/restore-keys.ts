import { openKeyJournal, type KeyJournal, type KeyProgress } from '../backup/restore-keys/journal.ts';
import { abilitiesOf, judgeTarget, type KeyTarget } from '../backup/restore-keys/judge-target.ts';
import { judgeKeyPlan, type KeyPlan } from '../backup/restore-keys/judge-key-plan.ts';
import { KeyWriter } from '../backup/restore-keys/key-writer.ts';
import { probeTarget } from '../backup/restore-keys/probe-target.ts';
import { compileChoice, type KeyChoice } from '../backup/restore-keys/selection.ts';
import { Surveyor, type KeySurvey } from '../backup/restore-keys/survey.ts';
import { Tally, type TallyCounts } from '../backup/restore-keys/tally.ts';
import type { ExistingKeys, KeyWriterOptions } from '../backup/restore-keys/writer-options.ts';
import type { Clock } from '../domain/clock.ts';
import { AgentError } from '../domain/errors.ts';
import type { Progress } from '../domain/progress.ts';
import { connectRedis } from '../redis/connect.ts';
import { Pipe } from '../redis/pipe.ts';
import type { PipeReply } from '../redis/reply-parser.ts';
import { readInfo } from '../redis/server.ts';
import type { RedisTarget } from '../redis/target.ts';
import { takeLock } from '../state/lock.ts';
import { feedKeys } from './feed-keys.ts';
import type { KeySource } from './key-source.ts';

export interface RestoreKeysOptions {
  source: KeySource;
  target: RedisTarget;
  choice: KeyChoice;
  toDatabase: number | undefined;
  existing: ExistingKeys;
  /** Only plan. */
  dryRun: boolean;
  /** Begin anew, wherever an earlier run has stopped. */
  restart: boolean;
  /** Nobody is asked, so nobody needs to see the plan first. */
  unasked: boolean;
  /** Shows the plan and asks. */
  agree(plan: KeyPlan): Promise<boolean>;
}

export interface RestoreKeysContext {
  /** Where the journal is kept; undefined: a run that is cut off begins anew. */
  stateDirectory: string | undefined;
  clock: Clock;
  signal: AbortSignal;
  progress: Progress;
}

export interface RestoreKeysResult extends TallyCounts {
  /** Records of the dump that an earlier run had done; null when this one began anew. */
  resumed_from: number | null;
  seconds: number;
  /** Of this run. */
  keys_per_second: number;
}

export interface RestoreKeysReport {
  plan: KeyPlan;
  /** null: only planned, or not agreed to. */
  result: RestoreKeysResult | null;
}

/** How often the journal is written. Milliseconds. */
const journalEvery = 2000;
/** Records that may be sent before the journal says so. */
const ahead = 1_000_000;
/** More than one part of a dump can hold. */
const mostPerSlice = 150_000;

/** Writes keys of a dump into a running server. Throws an AgentError; what was written until then stays. */
export async function restoreKeys(
  context: RestoreKeysContext,
  options: RestoreKeysOptions,
): Promise<RestoreKeysReport> {
  const place = await readTarget(context, options.target);
  using journal = openJournal(context, options, place);
  if (options.restart) journal?.remove();
  // A server that has lost everything since has to get everything.
  const filled = Object.values(place.databases).some((keys) => keys > 0);
  const before = filled ? journal?.read() : undefined;
  const plan = await planKeys(context, options, place, before);
  if (options.dryRun || !(await options.agree(plan))) return { plan, result: null };
  return { plan, result: await writeKeys(context, options, place, journal, before) };
}

async function readTarget({ signal }: RestoreKeysContext, target: RedisTarget): Promise<KeyTarget> {
  const connection = await connectRedis(target, { signal });
  try {
    return judgeTarget(await readInfo(connection), target);
  } finally {
    connection.close();
  }
}

/** The journal of this restore, and the lock on its target. */
function openJournal(
  { stateDirectory, clock }: RestoreKeysContext,
  { source, target, choice, existing, toDatabase, dryRun }: RestoreKeysOptions,
  { url, run_id: run }: KeyTarget,
): (KeyJournal & Disposable) | undefined {
  if (stateDirectory === undefined || source.identity === undefined || dryRun) return undefined;
  const where = url.replaceAll(/[^\w.]+/g, '_');
  const lock = takeLock(stateDirectory, { instance: where, kind: 'restore-keys', clock });
  const identity = { source: source.identity, url, run, user: target.username, choice, existing, toDatabase };
  return { ...openKeyJournal(stateDirectory, identity), [Symbol.dispose]: () => lock.release() };
}

/** Opens a pipe, learns what the target takes, and lets `use` work with both. */
async function withPipe<T>(
  { signal }: RestoreKeysContext,
  options: RestoreKeysOptions,
  place: KeyTarget,
  use: (pipe: Pipe, writer: WriterBase, receive: (receiver: Receiver) => void) => Promise<T>,
): Promise<T> {
  let receiver: Receiver | undefined;
  const pipe = await Pipe.open(options.target, {
    signal,
    onReply: (tag, reply) => receiver?.answer(tag, reply),
  });
  try {
    const target = abilitiesOf(place);
    const ways = await probeTarget(pipe, target);
    const { choice, existing, toDatabase, source } = options;
    const base = { target, ways, existing, toDatabase, again: source.again, selects: compileChoice(choice) };
    return await use(pipe, base, (next) => (receiver = next));
  } finally {
    pipe.close();
  }
}

interface Receiver {
  answer(tag: number, reply: PipeReply): void;
}

type WriterBase = Omit<KeyWriterOptions, 'tally' | 'from' | 'doubtfulTo' | 'only'>;

async function planKeys(
  context: RestoreKeysContext,
  options: RestoreKeysOptions,
  place: KeyTarget,
  before: KeyProgress | undefined,
): Promise<KeyPlan> {
  const { source, choice, existing, toDatabase } = options;
  const { survey, ways } = await withPipe(context, options, place, async (pipe, base, receive) => ({
    ways: base.ways,
    survey: isSurveyed(options, place, before)
      ? await surveyKeys(context, options, base, isAsked(options, place, before) ? pipe : undefined, receive)
      : null,
  }));
  return judgeKeyPlan({
    source,
    target: place,
    keys: { ...choice, to_database: toDatabase },
    existing,
    method: ways.restore ? 'restore' : 'commands',
    method_reason: ways.why,
    survey,
    resumes_from: before?.from ?? null,
  });
}

/**
 * Is the dump read before anything is written? Where somebody looks at the plan, where keys that are there would stop
 * us, and always for a plain file: that it is sound shows only at its end. The blocks of a backup are proven one by one.
 */
function isSurveyed(options: RestoreKeysOptions, place: KeyTarget, before: KeyProgress | undefined): boolean {
  const { source, dryRun, unasked, toDatabase } = options;
  if (dryRun) return true;
  if (!source.again) return false;
  return !unasked || source.kind === 'file' || toDatabase !== undefined || isAsked(options, place, before);
}

/** Is the target asked which of the keys it has? */
function isAsked(
  { existing, dryRun, unasked }: RestoreKeysOptions,
  { databases }: KeyTarget,
  before: KeyProgress | undefined,
): boolean {
  const empty = Object.values(databases).every((keys) => keys === 0);
  return !empty && before === undefined && (existing === 'stop' || dryRun || !unasked);
}

async function surveyKeys(
  context: RestoreKeysContext,
  { source }: RestoreKeysOptions,
  base: WriterBase,
  pipe: Pipe | undefined,
  receive: (receiver: Receiver) => void,
): Promise<KeySurvey> {
  const { clock, progress, signal } = context;
  const surveyor = new Surveyor({ ...base, only: undefined }, pipe);
  receive(surveyor);
  await feedKeys(source, { handler: surveyor, pipe, phase: 'looking', clock, progress, signal });
  return surveyor.survey;
}

async function writeKeys(
  context: RestoreKeysContext,
  options: RestoreKeysOptions,
  place: KeyTarget,
  journal: KeyJournal | undefined,
  before: KeyProgress | undefined,
): Promise<RestoreKeysResult> {
  const { clock } = context;
  const tally = new Tally(before?.counts);
  const start = clock.monotonic();
  const earlier = tally.counts.written;
  try {
    await withPipe(context, options, place, async (pipe, base, receive) => {
      const read = async (progress: KeyProgress): Promise<number[]> => {
        const deferred = [...progress.deferred];
        const only = progress.reading === 2 ? new Set(deferred) : undefined;
        const { from, doubtful_to: doubtfulTo } = progress;
        const writer = new KeyWriter(pipe, { ...base, tally, from, doubtfulTo, only }, deferred);
        receive(writer);
        await feedKeys(options.source, {
          ...context,
          handler: writer,
          sink: writer.sink,
          pipe,
          phase: 'writing',
          ...(journal && { before: notes(context, journal, writer, progress) }),
        });
        return deferred;
      };
      const first = before ?? { ...beginning, counts: tally.counts };
      const deferred = first.reading === 1 ? await read(first) : first.deferred;
      if (deferred.length > 0)
        await read(
          first.reading === 2 ? first : { ...beginning, reading: 2, deferred, counts: tally.counts },
        );
    });
  } catch (error) {
    throw soFar(error, tally.counts.written, journal !== undefined);
  }
  journal?.remove();
  const seconds = (clock.monotonic() - start) / 1000;
  return {
    ...tally.counts,
    resumed_from: before?.from ?? null,
    seconds,
    keys_per_second: Math.round((tally.counts.written - earlier) / Math.max(seconds, 0.001)),
  };
}

const beginning = { reading: 1 as const, from: 0, doubtful_to: 0, deferred: [] };

/** Notes now and then what the server has confirmed, and always before it is sent more than the journal allows for. */
function notes(
  { clock }: RestoreKeysContext,
  journal: KeyJournal,
  writer: KeyWriter,
  progress: KeyProgress,
): () => Promise<void> | undefined {
  let next = 0;
  let allowed = 0;
  const note = async (): Promise<void> => {
    // All that was sent is answered, so that the counts are those of the records before `from`.
    await writer.pipe.drain();
    if (writer.failure !== undefined) return;
    const from = Math.max(writer.seen, progress.from);
    allowed = from + ahead;
    next = clock.monotonic() + journalEvery;
    const { deferred } = writer;
    await journal.write({
      reading: progress.reading,
      from,
      doubtful_to: Math.max(allowed, progress.doubtful_to),
      deferred,
      counts: writer.options.tally.counts,
    });
  };
  return () => (clock.monotonic() >= next || writer.seen + mostPerSlice > allowed ? note() : undefined);
}

/** Says in an error how much was written before it. */
function soFar(error: unknown, written: number, resumable: boolean): unknown {
  if (!(error instanceof AgentError) || error.code === 'interrupted' || error.reason === 'exists')
    return error;
  const { code, message, hint, reason, cause } = error;
  const again = resumable ? 'run the same command again: it goes on from there' : hint;
  const next = reason === 'closed' || reason === 'timeout' ? again : hint;
  return new AgentError(code, `${message} (${written} keys were written before)`, {
    cause,
    ...(next === undefined ? {} : { hint: next }),
    ...(reason === undefined ? {} : { reason }),
  });
}
