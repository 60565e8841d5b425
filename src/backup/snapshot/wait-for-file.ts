import { dirname } from 'node:path';
import type { KeyCount } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import { infoKeyspace, type Info } from '../../formats/info/parse-info.ts';
import { readInfo } from '../../redis/server.ts';
import type { DumpHandle } from '../dump-access.ts';
import type { DumpBefore } from './dump-file.ts';
import { freeWrites } from './judge-place.ts';
import { headBytes, readFirstDatabase, type FirstDatabase } from './rdb-head.ts';
import {
  blocksWrites,
  hasOtherChild,
  isSaving,
  lastSaveFailed,
  lastSaveSeconds,
  savedFraction,
  type SaveRequest,
} from './save-request.ts';
import type { Lost, Run, Snapshot } from './snapshot.ts';

type Keyspace = Record<string, KeyCount>;

/** Milliseconds by which time(2), which stamps a save, may lag behind TIME: it reads the clock of the last tick. */
const tick = 20;

/** What a server may gain or lose between two saves, at the least, and of all its keys. */
const fewKeys = 10;
const farShare = 0.5;

/**
 * Milliseconds by which a scheduled save must have started once the way is free: servers look at least once a second,
 * but after a failed save not for 5 s (server.h, CONFIG_BGSAVE_RETRY_DELAY).
 */
const scheduleGrace = { ok: 2000, failed: 7500 };

/** Waits for the end of the save that was `started` or `scheduled`, and opens its file if the whole rule holds. */
export async function waitForFile(
  run: Run,
  before: DumpBefore,
  request: SaveRequest,
): Promise<Snapshot | Lost> {
  // The counts nearest to the fork; undefined until a scheduled save is seen to run.
  let keyspace = request.answer === 'started' ? request.keyspace : undefined;
  const mustStart = startDeadline(run, request);
  for (;;) {
    const info = await readInfo(run.connection);
    if (isSaving(info)) {
      keyspace ??= infoKeyspace(info);
      await run.pause({ phase: 'saving', ...savedFraction(info) });
      continue;
    }
    // Nothing is being saved at this moment, so the child has renamed its file or never will.
    const handle = await before.openNewer();
    if (lastSaveFailed(info) && (keyspace !== undefined || !lastSaveFailed(request.info))) {
      await handle?.close();
      throw saveFailed(run.instance, before.path, await blocksWrites(run.connection).catch(() => true));
    }
    if (handle !== undefined && isNotBefore(info, request))
      return await accept(run, handle, before.path, request, info, keyspace ?? infoKeyspace(info));
    await handle?.close();
    if (keyspace !== undefined || mustStart(info)) return 'vanished';
    await run.pause({ phase: 'waiting for another child' });
  }
}

/** For a scheduled save, which INFO does not show: has the way been free for so long that it is lost? */
function startDeadline({ clock }: Run, request: SaveRequest): (info: Info) => boolean {
  const grace = lastSaveFailed(request.info) ? scheduleGrace.failed : scheduleGrace.ok;
  let freeSince: number | undefined;
  return (info) => {
    if (hasOtherChild(info)) freeSince = undefined;
    else freeSince ??= clock.monotonic();
    return freeSince !== undefined && clock.monotonic() - freeSince > grace;
  };
}

/** By the server's own clock; its save time is a whole second, so within the request's second it says nothing. */
function isNotBefore(info: Info, request: SaveRequest): boolean {
  return (lastSaveSeconds(info) + 1) * 1000 > request.requestedAt - tick;
}

async function accept(
  run: Run,
  handle: DumpHandle,
  path: string,
  request: SaveRequest,
  info: Info,
  databases: Keyspace,
): Promise<Snapshot | Lost> {
  try {
    const { bytes, first } = await readHead(handle);
    if (first === 'none' && hasKeys(databases)) {
      await handle.close();
      return 'flushed';
    }
    if (request.answer === 'started' && first !== undefined && isFar(first, databases)) {
      await handle.close();
      return 'foreign';
    }
    let closed: Promise<void> | undefined;
    const close = (): Promise<void> => (closed ??= handle.close());
    const { requestedAt, server, cluster } = request;
    const exact = request.answer === 'started' && first !== undefined && agrees(first, databases);
    run.log.debug({ instance: run.instance, path, bytes, exact }, 'took a snapshot');
    return {
      handle,
      path,
      bytes,
      requestedAt,
      savedAt: Math.max(requestedAt, lastSaveSeconds(info) * 1000),
      server,
      keyspace: { databases, exact },
      cluster,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readHead(handle: DumpHandle): Promise<{ bytes: number; first: FirstDatabase | undefined }> {
  const { size } = await handle.stat();
  const buffer = Buffer.alloc(Math.min(size, headBytes));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
  return { bytes: size, first: readFirstDatabase(buffer.subarray(0, bytesRead)) };
}

/** Does the dump start with the counts that were read with the request? If not, another save wrote it. */
function agrees(first: FirstDatabase, databases: Keyspace): boolean {
  if (first === 'none') return !hasKeys(databases);
  const counted = databases[first.number];
  return counted?.keys === first.keys && counted.expires === first.expires;
}

/**
 * Is the dump of another server? One that was saved a little later has a few keys more or less; one of a server that writes to
 * the same place has others.
 */
function isFar(first: FirstDatabase, databases: Keyspace): boolean {
  if (first === 'none') return false;
  const counted = databases[first.number]?.keys ?? 0;
  return Math.abs(first.keys - counted) > Math.max(fewKeys, farShare * Math.max(first.keys, counted));
}

function hasKeys(databases: Keyspace): boolean {
  return Object.values(databases).some(({ keys }) => keys > 0);
}

function saveFailed(instance: string, path: string, blocks: boolean): AgentError {
  if (blocks)
    return new AgentError(
      'failed',
      `instance ${instance}: the server failed to save to ${path}, and REFUSES WRITES since (MISCONF)`,
      {
        reason: 'save-failed',
        hint: `${freeWrites}. Usual causes: a full disk, missing rights on ${dirname(path)}`,
      },
    );
  return new AgentError('failed', `instance ${instance}: the server failed to save to ${path}`, {
    reason: 'save-failed',
    hint: `see the server’s log; usual causes are a full disk and missing rights on ${dirname(path)}`,
  });
}
