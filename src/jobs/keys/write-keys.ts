import { randomBytes } from 'node:crypto';
import { nothingDone, type KeyJournal, type KeyProgress } from '../../backup/restore-keys/journal.ts';
import type { KeyTarget } from '../../backup/restore-keys/judge-target.ts';
import { FunctionLoader } from '../../backup/restore-keys/function-loader.ts';
import { KeyWriter } from '../../backup/restore-keys/key-writer.ts';
import { countEvicted } from '../../backup/restore-keys/probe-target.ts';
import { Tally } from '../../backup/restore-keys/tally.ts';
import { AgentError } from '../../domain/errors.ts';
import { feedKeys } from './feed-keys.ts';
import { withPipe } from './key-pipe.ts';
import type { KeySource } from './key-source.ts';
import type { RestoreKeysContext, RestoreKeysOptions, RestoreKeysResult } from './restore-keys-options.ts';

/** How often the journal is written. Milliseconds. */
const journalEvery = 2000;
/** Records that may be sent before the journal says so. */
const ahead = 1_000_000;
/** More than one part of a dump can hold. */
const mostPerSlice = 150_000;

/** Reads the dump to the writer: once, and again for values that were too large for that. */
export async function writeKeys(
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
  const functions = options.withFunctions === true ? new FunctionLoader() : undefined;
  const write = { context, options, place, journal, tally, functions, resumed: before !== undefined };
  const temporary = [
    ...(before?.temporary ?? []),
    `:redis-agent-restoring-${randomBytes(4).toString('hex')}`,
  ];
  let progress = { ...(before ?? { ...nothingDone, counts: tally.counts, server: place.run_id }), temporary };
  try {
    if (progress.reading === 1) {
      const deferred = await read(write, progress);
      progress = { ...progress, ...nothingDone, reading: 2, deferred };
    }
    if (progress.deferred.length > 0) await read(write, progress);
  } catch (error) {
    throw soFar(error, tally.counts.written, journal && options.source);
  }
  journal?.remove();
  const seconds = (clock.monotonic() - start) / 1000;
  return {
    ...tally.counts,
    functions: functions?.counts ?? null,
    resumed_from: before?.from ?? null,
    seconds: Math.round(seconds * 1000) / 1000,
    keys_per_second: Math.round((tally.counts.written - earlier) / Math.max(seconds, 0.001)),
  };
}

interface Write {
  context: RestoreKeysContext;
  options: RestoreKeysOptions;
  place: KeyTarget;
  journal: KeyJournal | undefined;
  tally: Tally;
  functions: FunctionLoader | undefined;
  resumed: boolean;
}

/** One reading of the dump, over a connection of its own. Returns the records that take another. */
async function read(
  { context, options, place, journal, tally, functions, resumed }: Write,
  progress: KeyProgress,
): Promise<number[]> {
  const deferred = [...progress.deferred];
  const { from, doubtful_to: doubtfulTo, temporary } = progress;
  const only = progress.reading === 2 ? new Set(deferred) : undefined;
  // In the second reading they come by again.
  const reads = progress.reading === 1;
  await withPipe(context, options, place, async (pipe, base, receive) => {
    const writer = new KeyWriter(
      pipe,
      { ...base, tally, from, doubtfulTo, temporary, only, functions: reads ? functions : undefined },
      deferred,
    );
    receive(writer);
    const evicted = await countEvicted(pipe);
    await feedKeys(options.source, {
      ...context,
      handler: writer,
      sink: writer.sink,
      pipe,
      phase: progress.reading === 1 ? 'writing' : 'building',
      ...(journal && { before: notes(context, journal, writer, progress) }),
    }).catch(async (error: unknown) => {
      await writer.abandon();
      throw error;
    });
    // What is there already a run that was cut off may have loaded.
    const { existing } = options;
    if (reads) await functions?.load(pipe, resumed && existing === 'stop' ? 'skip' : existing);
    tally.counts.evicted += (await countEvicted(pipe)) - evicted;
  });
  return deferred;
}

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
    const from = Math.max(writer.done, progress.from);
    allowed = from + ahead;
    next = clock.monotonic() + journalEvery;
    const { deferred } = writer;
    journal.write({
      ...progress,
      from,
      doubtful_to: Math.max(allowed, progress.doubtful_to),
      deferred,
      counts: writer.options.tally.counts,
    });
  };
  return () => (clock.monotonic() >= next || writer.done + mostPerSlice > allowed ? note() : undefined);
}

/** After these, and with the cause mended, another run has a chance. */
const passing = [
  'closed',
  'timeout',
  'oom',
  'misconf',
  'loading',
  'busy',
  'unkillable',
  'noreplicas',
  'noauth',
];

/** Says in an error how much was written before it, and what the next run will make of that. */
function soFar(error: unknown, written: number, resumable: KeySource | undefined): unknown {
  if (!(error instanceof AgentError) || error.reason === 'exists') return error;
  const { code, message, reason, cause } = error;
  // What is the latest backup by then may be another one.
  const id = resumable?.manifest?.id;
  const again =
    resumable === undefined
      ? 'the same command with --skip-existing writes the rest'
      : `the same command goes on from there${id === undefined ? '' : ` (backup ${id})`}`;
  const another = code === 'interrupted' || passing.includes(reason ?? '');
  const hints = [error.hint, ...(another ? [again] : [])];
  const hint = hints.filter((text) => text !== undefined).join('; ');
  const so = written === 0 ? 'no key was confirmed as written' : `${written} keys were written before`;
  return new AgentError(code, `${message} (${so})`, {
    cause,
    ...(hint === '' ? {} : { hint }),
    ...(reason === undefined ? {} : { reason }),
  });
}
