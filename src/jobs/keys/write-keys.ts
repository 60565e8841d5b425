import { randomBytes } from 'node:crypto';
import { nothingDone, type KeyJournal, type KeyProgress } from '../../backup/restore-keys/journal.ts';
import type { KeyTarget } from '../../backup/restore-keys/judge-target.ts';
import { FunctionLoader } from '../../backup/restore-keys/function-loader.ts';
import { KeyWriter } from '../../backup/restore-keys/key-writer.ts';
import { MovedKeys, otherMasters } from '../../backup/restore-keys/moved-keys.ts';
import { countEvicted } from '../../backup/restore-keys/probe-target.ts';
import { SlotRouter } from '../../backup/restore-keys/slot-router.ts';
import { Tally, type TallyCounts } from '../../backup/restore-keys/tally.ts';
import { AgentError } from '../../domain/errors.ts';
import { feedKeys } from './feed-keys.ts';
import { withPipes, type Flow, type Lane } from './key-pipe.ts';
import { readTarget } from './read-target.ts';
import type { RestoreKeysContext, RestoreKeysOptions, RestoreKeysResult } from './restore-keys-options.ts';
import { soFar } from './so-far.ts';
import { demotedError, UsedNodes } from './used-nodes.ts';

/** How often the journal is written. Milliseconds. */
const journalEvery = 2000;
/** Records that may be sent before the journal says so. */
const ahead = 1_000_000;
/** More than one part of a dump can hold. */
const mostPerSlice = 150_000;

/** Readings of everything, each after a failover, before it is given up. */
const mostPasses = 3;

/**
 * Reads the dump to the writer: once, and again for values that were too large for that. All of it again where a node of a
 * cluster was demoted meanwhile.
 */
export async function writeKeys(
  context: RestoreKeysContext,
  options: RestoreKeysOptions,
  place: KeyTarget,
  journal: KeyJournal | undefined,
  before: KeyProgress | undefined,
): Promise<RestoreKeysResult> {
  const { clock, signal } = context;
  const { source, target } = options;
  const start = clock.monotonic();
  let write = freshWrite({ context, options, place, journal, nodes: new UsedNodes() }, before?.counts);
  write.resumed = before !== undefined;
  let earlier = write.tally.counts.written;
  let progress: KeyProgress = {
    ...(before ?? { ...nothingDone, counts: write.tally.counts, server: place.tenure }),
    temporary: [...(before?.temporary ?? []), freshSuffix()],
  };
  try {
    for (let pass = 1; ; pass++) {
      const again = source.again && pass < mostPasses;
      const temporary = await readAll(write, progress).catch((error: unknown) => {
        if (again && error instanceof AgentError && error.reason === otherMasters) return undefined;
        throw error;
      });
      const demoted = await write.nodes.firstDemoted(target, signal);
      if (temporary !== undefined && demoted === undefined) break;
      if (demoted !== undefined && !again) throw demotedError(demoted, source.again);
      const now = await readTarget(target, signal);
      write = freshWrite({ ...write, place: now, nodes: new UsedNodes() });
      earlier = 0;
      const doubtful = { ...nothingDone, doubtful_to: Number.MAX_SAFE_INTEGER };
      const { counts } = write.tally;
      progress = {
        ...doubtful,
        counts,
        server: now.tenure,
        temporary: [...(temporary ?? progress.temporary), freshSuffix()],
      };
    }
  } catch (error) {
    throw soFar(error, write.tally.counts.written, journal && source);
  }
  journal?.remove();
  const seconds = (clock.monotonic() - start) / 1000;
  const { counts } = write.tally;
  return {
    ...counts,
    functions: write.functions?.counts ?? null,
    resumed_from: before?.from ?? null,
    seconds: Math.round(seconds * 1000) / 1000,
    keys_per_second: Math.round((counts.written - earlier) / Math.max(seconds, 0.001)),
  };
}

interface Write extends Surroundings {
  tally: Tally;
  functions: FunctionLoader | undefined;
  /** An earlier reading may have written anything of it. */
  resumed: boolean;
}

interface Surroundings {
  context: RestoreKeysContext;
  options: RestoreKeysOptions;
  place: KeyTarget;
  journal: KeyJournal | undefined;
  nodes: UsedNodes;
}

function freshWrite(surroundings: Surroundings, counts?: TallyCounts): Write {
  const { withFunctions, onDamaged } = surroundings.options;
  const functions = withFunctions === true ? new FunctionLoader() : undefined;
  return { ...surroundings, tally: new Tally(counts, onDamaged), functions, resumed: true };
}

/** Every reading that it takes. Returns what followed temporary keys, which has become more. */
async function readAll(write: Write, before: KeyProgress): Promise<string[]> {
  const { options, place } = write;
  let progress = before;
  const moved = new MovedKeys([...(progress.moved ?? [])], !options.source.again);
  if (progress.reading === 1) {
    const left = await read(write, progress, moved);
    progress = { ...progress, ...nothingDone, reading: 2, ...left };
  }
  if (place.cluster !== null) return await readMoved(write, progress, moved.asks);
  if (progress.deferred.length > 0) await read(write, progress, new MovedKeys());
  return progress.temporary;
}

function freshSuffix(): string {
  return `:redis-agent-restoring-${randomBytes(4).toString('hex')}`;
}

/** Readings that bring nothing on, before what is left is given up: slots that are on their way take their time. */
const mostRounds = 10;
const [firstPause, longestPause] = [500, 8000];

/**
 * In a cluster: what was left for another reading, with the slots as they are by then, until nothing is. A reading that is cut
 * off is done again from its start.
 */
async function readMoved(
  write: Write,
  before: KeyProgress,
  firstAsks: ReadonlyMap<number, string>,
): Promise<string[]> {
  const { context, options, journal } = write;
  let progress = before;
  let asks = firstAsks;
  let pause = firstPause;
  for (let idle = 0; progress.deferred.length + (progress.moved ?? []).length > 0;) {
    const temporary = [...progress.temporary, freshSuffix()];
    progress = { ...progress, temporary, from: 0, doubtful_to: Number.MAX_SAFE_INTEGER };
    journal?.write(progress);
    const last = idle === mostRounds;
    const moved = new MovedKeys([], last);
    const place = await readTarget(options.target, context.signal);
    const left = await read({ ...write, place, journal: undefined }, progress, moved, asks);
    const done =
      left.deferred.length + left.moved.length < progress.deferred.length + (progress.moved ?? []).length;
    // A second failure of RESTORE is no reason to try a third time: it was built then.
    progress = { ...progress, ...left };
    ({ asks } = moved);
    if (last) break;
    if (done || asks.size > 0) pause = firstPause;
    idle = done ? 0 : idle + 1;
    if (progress.deferred.length + (progress.moved ?? []).length === 0) break;
    context.progress.report({ phase: 'waiting for slots that are on their way' });
    await context.clock.sleep(pause, context.signal);
    pause = Math.min(2 * pause, longestPause);
  }
  return progress.temporary;
}

/** One reading of the dump, over connections of its own. Returns the records that take another. */
async function read(
  { context, options, place, journal, tally, functions, resumed, nodes }: Write,
  progress: KeyProgress,
  moved: MovedKeys,
  asks?: ReadonlyMap<number, string>,
): Promise<{ deferred: number[]; moved: number[] }> {
  const { from, doubtful_to: doubtfulTo, temporary, reading } = progress;
  nodes.add(place);
  // In the second reading they come by again.
  const reads = reading === 1;
  const deferred = reads ? [...progress.deferred] : [];
  const built = reads ? undefined : new Set(progress.deferred);
  const only = built && new Set([...built, ...(progress.moved ?? [])]);
  const work = async (lanes: [Lane, ...Lane[]], flow: Flow): Promise<void> => {
    const writers = lanes.map((lane) => {
      const node = lane.slots === undefined ? undefined : { moved, asking: lane.asking };
      const rules = { ...lane.base, tally, from, doubtfulTo, temporary, only, built, node };
      const writer = new KeyWriter(
        lane.pipe,
        { ...rules, functions: reads ? functions : undefined },
        deferred,
      );
      lane.receive(writer);
      return { handler: writer, slots: lane.slots ?? [], asking: lane.asking };
    });
    const [one, ...others] = writers.map(({ handler }) => handler);
    const handler = one !== undefined && others.length === 0 ? one : new SlotRouter(writers);
    const done = (): number => Math.max(...writers.map(({ handler: writer }) => writer.done));
    const countAll = async (): Promise<number> => {
      const counts = [];
      for (const { pipe } of lanes) counts.push(await countEvicted(pipe));
      return counts.reduce((sum, count) => sum + count, 0);
    };
    const evicted = await countAll();
    await feedKeys(options.source, {
      ...context,
      handler,
      sink: handler.sink,
      pipe: flow,
      phase: reads ? 'writing' : 'building',
      ...(options.skipDamaged === true && { onDamage: (problem: string) => tally.note(problem) }),
      ...(journal && {
        before: notes(context, journal, progress, {
          flow,
          done,
          failed: () => handler.failure !== undefined,
          left: () => ({ deferred: reads ? deferred : progress.deferred, moved: moved.records }),
          counts: tally.counts,
        }),
      }),
    }).catch(async (error: unknown) => {
      for (const { handler: writer } of writers) await writer.abandon();
      throw error;
    });
    // What is there already a run that was cut off may have loaded.
    const { existing } = options;
    const pipes = lanes.map(({ pipe }) => pipe);
    if (reads) await functions?.load(pipes, resumed && existing === 'stop' ? 'skip' : existing);
    tally.counts.evicted += (await countAll()) - evicted;
  };
  await withPipes(context, options, place, work, asks);
  return { deferred, moved: moved.records };
}

/** Notes now and then what the server has confirmed, and always before it is sent more than the journal allows for. */
function notes(
  { clock }: RestoreKeysContext,
  journal: KeyJournal,
  progress: KeyProgress,
  writing: {
    flow: Flow;
    done: () => number;
    failed: () => boolean;
    left: () => { deferred: number[]; moved: number[] };
    counts: TallyCounts;
  },
): () => Promise<void> | undefined {
  let next = 0;
  let allowed = 0;
  const note = async (): Promise<void> => {
    // All that was sent is answered, so that the counts are those of the records before `from`.
    await writing.flow.drain();
    if (writing.failed()) return;
    const from = Math.max(writing.done(), progress.from);
    allowed = from + ahead;
    next = clock.monotonic() + journalEvery;
    const doubtfulTo = Math.max(allowed, progress.doubtful_to);
    journal.write({
      ...progress,
      from,
      doubtful_to: doubtfulTo,
      ...writing.left(),
      counts: writing.counts,
    });
  };
  return () => (clock.monotonic() >= next || writing.done() + mostPerSlice > allowed ? note() : undefined);
}
