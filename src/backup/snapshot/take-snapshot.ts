import { join } from 'node:path';
import { AgentError, hasReason, messageOf, type Reason } from '../../domain/errors.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import { isClusterNode } from '../../redis/cluster.ts';
import type { RedisConnection } from '../../redis/connection/connect.ts';
import { readDumpPath, readInfo } from '../../redis/server.ts';
import { elsewhere, ownAccess, rememberDump } from './dump-file.ts';
import { forkMark, isSaving, requestSave, savedFraction } from './save-request.ts';
import type { Lost, Run, Snapshot, SnapshotOptions, SnapshotProgress } from './snapshot.ts';
import { waitForFile } from './wait-for-file.ts';

export type { Snapshot, SnapshotOptions, SnapshotProgress } from './snapshot.ts';

const firstPause = 20;
const longestPause = 1000;
/** Saves that may be lost before it is given up. A save that fails is never repeated. */
const mostSaves = 4;

/** Reasons of an AgentError `redis` that a restart of the server, or a script that blocks it, explains. */
const passing: readonly Reason[] = [
  'closed',
  'refused',
  'timeout',
  'loading',
  'busy',
  'maxclients',
  'unavailable',
];

/**
 * Makes the server write a dump that is not older than this call, and opens it. Redis has no single signal that a save
 * has ended well: LASTSAVE counts whole seconds, a child that FLUSHALL killed leaves the status `ok`, and the feed of
 * a diskless replica looks like a save. Hence the rule: a new file in the old one's place AND no child AND
 * status ok AND a save time not before the request. Survives other saves, FLUSHALL, CONFIG SET dir and restarts of
 * the server, by asking again within `timeout`.
 *
 * `connect` is called once at first, and again when the connection is lost. Rejects with an AgentError (`redis`: not
 * reached or not permitted; `failed`: anything else) or with the signal's reason. The server's own save goes on then:
 * Redis has no way to cancel it that all versions know.
 */
export async function takeSnapshot(
  connect: () => Promise<RedisConnection>,
  options: SnapshotOptions,
): Promise<Snapshot> {
  const { signal } = options;
  signal.throwIfAborted();
  const run = await startRun(connect, options);
  // Closing rejects what is under way, so that an abort need not wait for a server that is blocked.
  const abort = (): void => run.connection.close();
  signal.addEventListener('abort', abort);
  try {
    return await askUntilTaken(run, connect);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    run.connection.close();
  }
}

async function startRun(connect: () => Promise<RedisConnection>, options: SnapshotOptions): Promise<Run> {
  const { clock, signal, timeout, onProgress } = options;
  const deadline = clock.monotonic() + timeout;
  const connection = await connect();
  const instance = connection.target.name;
  let [phase, length] = ['', firstPause];
  return {
    access: ownAccess(instance),
    ...options,
    instance,
    connection,
    async pause(progress, lost) {
      onProgress?.(progress);
      if (progress.phase !== phase) [phase, length] = [progress.phase, firstPause];
      const left = deadline - clock.monotonic();
      if (left <= 0) throw timedOut(instance, timeout, progress, lost);
      await clock.sleep(Math.min(length, left), signal);
      length = Math.min(length * 1.25, longestPause);
    },
  };
}

async function askUntilTaken(run: Run, connect: () => Promise<RedisConnection>): Promise<Snapshot> {
  for (let lost = 0; ;) {
    run.signal.throwIfAborted();
    try {
      const outcome = await askOnce(run);
      if (typeof outcome !== 'string') return outcome;
      run.log.info({ instance: run.instance, why: outcome }, 'the save gave no snapshot, asking again');
      if (++lost === mostSaves) throw allLost(run.instance, outcome);
    } catch (error) {
      if (!isPassing(error)) throw error;
      run.log.info({ instance: run.instance, why: messageOf(error) }, 'lost the server during a snapshot');
      await reconnect(run, connect, error);
    }
  }
}

/** From a quiet moment to the file that a save requested in that moment has written. */
async function askOnce(run: Run): Promise<Snapshot | Lost> {
  for (;;) {
    const { dir, file } = await readDumpPath(run.connection);
    const quiet = await readInfo(run.connection);
    if (!isSaving(quiet)) {
      await using before = await rememberDump(run.access, join(dir, file));
      const ofCluster = isClusterNode(quiet);
      const request = await requestSave(run.connection, { ofCluster });
      if (ofCluster && request.cluster === undefined)
        run.log.warn(
          { instance: run.instance },
          'which slots this node has is not kept: grant +cluster|nodes',
        );
      if (request.answer !== 'busy') {
        // A child that came and went since `quiet` may have written what we would take for the answer.
        if (forkMark(quiet) !== forkMark(request.info)) return 'raced';
        return await waitForFile(run, before, request);
      }
    }
    await run.pause({ phase: 'waiting for another save', ...savedFraction(quiet) });
  }
}

function isPassing(error: unknown): error is AgentError {
  return error instanceof AgentError && error.code === 'redis' && hasReason(error, ...passing);
}

/** `lost`: what became of the connection. */
async function reconnect(run: Run, connect: () => Promise<RedisConnection>, lost: AgentError): Promise<void> {
  run.connection.close();
  for (let last = lost; ;) {
    await run.pause({ phase: 'reconnecting' }, last);
    try {
      run.connection = await connect();
      return;
    } catch (error) {
      if (!isPassing(error)) throw error;
      last = error;
    }
  }
}

function timedOut(
  instance: string,
  timeout: number,
  { phase, fraction }: SnapshotProgress,
  lost: AgentError | undefined,
): AgentError {
  // The server that is gone is what is wrong, and not the time it was given.
  if (lost !== undefined)
    return new AgentError(
      'redis',
      `${lost.message} (lost during a snapshot, and not back within ${formatDuration(timeout)})`,
      { cause: lost, reason: 'timeout', hint: lost.hint },
    );
  const state = fraction === undefined ? phase : `${phase}, ${Math.floor(fraction * 100)} %`;
  return new AgentError(
    'failed',
    `instance ${instance}: no snapshot within ${formatDuration(timeout)} (${state})`,
    { reason: 'timeout', hint: 'see the server’s log, or raise backup.snapshot_timeout' },
  );
}

function allLost(instance: string, why: Lost): AgentError {
  const causes: Record<Lost, [string, string]> = {
    raced: ['other saves came in between', 'is something else asking for saves all the time?'],
    vanished: [
      'they ended without a new file where the server says that it saves',
      `${elsewhere}. Or does something send FLUSHALL all the time?`,
    ],
    foreign: [
      'what lay there was the dump of another server each time: it has far more or fewer keys than this one',
      'two servers save to one place: give each a dir or dbfilename of its own (redis-agent check names the other)',
    ],
    flushed: ['FLUSHALL emptied the server during each of them', 'what sends FLUSHALL?'],
  };
  const [text, hint] = causes[why];
  return new AgentError('failed', `instance ${instance}: ${mostSaves} saves gave no snapshot: ${text}`, {
    reason: why,
    hint,
  });
}
