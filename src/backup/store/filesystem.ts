import { constants, type Stats } from 'node:fs';
import { lstat, open, rm, stat as statPath, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import { filesystemError } from './filesystem-error.ts';
import { writeNewFile } from './filesystem-put.ts';
import {
  emptyFolders,
  ignoring,
  pruneFolders,
  removeEmpty,
  symbolicLink,
  syncFolders,
  walk,
  walkNames,
} from './filesystem-tree.ts';
import { requireKey, requirePrefix, storeError, type Operation } from './store-error.ts';
import type { ObjectReader, Store, StoredObject } from './store.ts';
import { PassOn } from './until-aborted.ts';

/** One reused read buffer of this size is as fast as reading gets. */
const readBytes = 1024 * 1024;

/**
 * Objects as files (0640) in folders (0750) below `root`, less the umask. The root is made by the first put; it may be
 * a symbolic link, below it none is followed. Rejects (`repository`, `unavailable`) when the root is no folder.
 */
export async function openFilesystemStore(root: string): Promise<Store> {
  const base = resolve(root);
  const store = `filesystem ${base}`;
  await requireFolder(base, store);

  /** Runs one operation on one file, with every failure as the store's own. */
  async function run<T>(
    operation: Operation['operation'],
    key: string,
    signal: AbortSignal,
    body: (path: string) => Promise<T>,
  ): Promise<T> {
    const what = { operation, key, store };
    requireKey(what);
    signal.throwIfAborted();
    const path = join(base, key);
    const linked = await symbolicLink(base, key);
    if (linked !== undefined)
      throw storeError(what, 'denied', `${linked} is a symbolic link`, {
        hint: 'make it a folder, or mount the other place there: links in a repository are not followed',
      });
    try {
      return await body(path);
    } catch (error) {
      throw translate(what, path, error, signal);
    }
  }

  return {
    description: store,

    put(key, chunks, { signal }) {
      return run('put', key, signal, async (path) => {
        // Before the producer does its work for nothing.
        if ((await find(path)) !== undefined) throw Object.assign(new Error('exists'), { code: 'EEXIST' });
        return await writeNewFile(base, path, chunks, signal);
      });
    },

    get(key, { signal }) {
      return run('get', key, signal, async (path): Promise<ObjectReader> => {
        const stats = await find(path);
        if (!stats?.isFile()) throw Object.assign(new Error('missing'), { code: 'ENOENT' });
        return {
          bytes: stats.size,
          chunks: read({ operation: 'get', key, store }, path, stats.size, signal),
        };
      });
    },

    stat(key, { signal }) {
      return run('stat', key, signal, async (path): Promise<StoredObject | undefined> => {
        const stats = await find(path);
        if (!stats?.isFile()) return undefined;
        return { key, bytes: stats.size, modified: stats.mtime };
      });
    },

    async *list(prefix, { signal }) {
      const what = { operation: 'list' as const, key: prefix, store };
      requirePrefix(what);
      try {
        if ((await symbolicLink(base, `${prefix}/`)) !== undefined) return;
        for await (const { name, stats } of walk(base, prefix, 'objects')) {
          signal.throwIfAborted();
          yield { key: name, bytes: stats.size, modified: stats.mtime };
        }
        signal.throwIfAborted();
      } catch (error) {
        throw translate(what, join(base, prefix), error, signal);
      }
    },

    async *keys(prefix, { signal }) {
      const what = { operation: 'list' as const, key: prefix, store };
      requirePrefix(what);
      try {
        if ((await symbolicLink(base, `${prefix}/`)) !== undefined) return;
        for await (const name of walkNames(base, prefix)) {
          signal.throwIfAborted();
          yield name;
        }
        signal.throwIfAborted();
      } catch (error) {
        throw translate(what, join(base, prefix), error, signal);
      }
    },

    remove(key, { signal }) {
      return run('remove', key, signal, async (path) => {
        const stats = await find(path);
        if (!stats?.isFile()) return;
        await rm(path, { force: true });
        await syncFolders(base, dirname(path));
        await pruneFolders(base, dirname(path));
      });
    },

    async sweep(prefix, { before, signal, folders }) {
      const what = { operation: 'sweep' as const, key: prefix, store };
      requirePrefix(what);
      signal.throwIfAborted();
      const swept: string[] = [];
      try {
        if ((await symbolicLink(base, `${prefix}/`)) !== undefined) return swept;
        for await (const { name, path, stats } of walk(base, prefix, 'temporary')) {
          signal.throwIfAborted();
          if (stats.mtimeMs >= before.getTime()) continue;
          await rm(path, { force: true });
          await pruneFolders(base, dirname(path));
          swept.push(name);
        }
        for (const name of folders === undefined ? [] : await emptyFolders(base, prefix, before)) {
          signal.throwIfAborted();
          if (folders?.(name) === true && (await removeEmpty(join(base, name)))) swept.push(`${name}/`);
        }
      } catch (error) {
        throw translate(what, join(base, prefix), error, signal);
      }
      return swept;
    },

    async free() {
      // Until the first put there may be no root: what counts is where it will be.
      for (let path = base; ; path = dirname(path)) {
        const space = await ignoring(['ENOENT'], statfs(path));
        if (space !== undefined) return space.bavail * space.bsize;
      }
    },

    async close() {},
  };
}

async function* read(
  what: Operation,
  path: string,
  bytes: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const wrongEnd = (why: string): Error =>
    storeError(what, 'truncated', `${why} than the ${bytes} bytes it had when it was opened`, {
      hint: 'something else writes to the repository',
    });
  try {
    signal.throwIfAborted();
    // O_NONBLOCK: should it have become a FIFO meanwhile, opening must not wait for a writer.
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const buffer = Buffer.allocUnsafeSlow(Math.min(readBytes, bytes + 1));
    let offset = 0;
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) break;
      offset += bytesRead;
      if (offset > bytes) throw wrongEnd('it is longer');
      yield buffer.subarray(0, bytesRead);
    }
    if (offset < bytes) throw wrongEnd(`it ends after ${offset} bytes, earlier`);
  } catch (error) {
    throw translate(what, path, error, signal);
  }
}

/** What there is under the name itself, links not followed. */
async function find(path: string): Promise<Stats | undefined> {
  return await ignoring(['ENOENT', 'ENOTDIR'], lstat(path));
}

async function requireFolder(base: string, store: string): Promise<void> {
  const why = await statPath(base).then(
    (stats) => (stats.isDirectory() ? undefined : 'it is no folder'),
    async (error: unknown) => {
      if (systemCode(error) !== 'ENOENT') return messageOf(error);
      // Missing is fine: the first put makes it.
      return (await find(base)) === undefined
        ? undefined
        : 'it is a symbolic link to what is not there, or not mounted';
    },
  );
  if (why !== undefined)
    throw new AgentError('repository', `cannot open ${store}: ${why}`, {
      reason: 'unavailable',
      hint: 'check repository.path',
    });
}

function translate(what: Operation, path: string, error: unknown, signal: AbortSignal): unknown {
  if (error instanceof PassOn) return error.thrown;
  if (signal.aborted) return signal.reason;
  return filesystemError(what, path, error);
}
