import type { Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { isZstd } from '../../formats/zstd/frame-header.ts';
import { decompressZstd } from '../../formats/zstd/decompress.ts';
import { awaitLater } from '../../lib/time/await-later.ts';
import { describeReadFailure } from '../../lib/files/file-owner.ts';

const chunkBytes = 512 * 1024;

/** What such files begin with, and what to do with them: a sound one must not be called a damaged dump. */
const noDumps: readonly [start: Buffer, what: string, hint: string][] = [
  [
    Buffer.from('age-encryption.org/v1'),
    'is encrypted',
    'decrypt it on its way: age -d -i KEY FILE | redis-agent … -',
  ],
  [
    Buffer.from([0x1f, 0x8b]),
    'is compressed with gzip',
    'unpack it on its way: gzip -dc FILE | redis-agent … -',
  ],
  [Buffer.from('*'), 'is an append only file', 'see: redis-agent aof check --help'],
];
const longestStart = 21;

/** Decompressed where it is zstd. Throws an AgentError for what is another kind of file. */
export async function* unpacked(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = chunks[Symbol.asyncIterator]();
  let start: Uint8Array = Buffer.alloc(0);
  async function* all(): AsyncGenerator<Uint8Array> {
    yield start;
    for (let next = await reader.next(); next.done !== true; next = await reader.next()) yield next.value;
  }
  try {
    while (start.length < longestStart) {
      const next = await reader.next();
      if (next.done === true) break;
      start = start.length === 0 ? next.value : Buffer.concat([start, next.value]);
    }
    const other = noDumps.find(([magic]) => startsWith(start, magic));
    if (other !== undefined) throw new AgentError('usage', `${name} ${other[1]}`, { hint: other[2] });
    yield* isZstd(start) ? decompressZstd(all(), { signal }) : all();
  } finally {
    await reader.return?.();
  }
}

/** Says in what was damaged where it was found. */
export async function* named(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  hint?: string,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'damaged') throw error;
    throw error.retold(`${name}: ${error.message}`, hint ?? null);
  }
}

/** Ends at once when it is aborted, also where nothing comes: its end would seem to be that of the dump. */
export async function* readInput(input: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stop = (): void => void input.destroy(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of input as AsyncIterable<Uint8Array | string>)
      yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

export function identityOf(path: string, { dev, ino, size, mtimeMs }: Stats): string {
  return `${resolve(path)} ${dev} ${ino} ${size} ${mtimeMs}`;
}

/** Reads on while the chunk before is looked at. */
export async function* readFile(
  path: string,
  identity: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const file = await open(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (identityOf(path, await file.stat()) !== identity) {
    await file.close();
    throw new AgentError('failed', `${path} was replaced or written to while it was in use`, {
      reason: 'replaced',
      hint: 'copy it to where nobody does that, and name the copy',
    });
  }
  let [buffer, other] = [Buffer.allocUnsafeSlow(chunkBytes), Buffer.allocUnsafeSlow(chunkBytes)];
  let reading = awaitLater(file.read(buffer, 0, chunkBytes));
  try {
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await reading.catch((cause: unknown) => {
        throw new AgentError('failed', `cannot read ${path}: ${messageOf(cause)}`, {
          cause,
          hint: 'its disk or file system may be faulty: see dmesg',
        });
      });
      if (bytesRead === 0) return;
      [buffer, other] = [other, buffer];
      reading = awaitLater(file.read(buffer, 0, chunkBytes));
      yield other.subarray(0, bytesRead);
    }
  } finally {
    await Promise.allSettled([reading]);
    await file.close();
  }
}

/** At most `chunkBytes` of it. */
export async function firstChunk(
  read: (signal: AbortSignal) => AsyncIterable<Uint8Array>,
): Promise<Uint8Array> {
  for await (const chunk of read(new AbortController().signal)) return chunk;
  return Buffer.alloc(0);
}

export function startsWith(bytes: Uint8Array, magic: Buffer): boolean {
  return magic.equals(bytes.subarray(0, magic.length));
}

export function unreadable(path: string, cause: unknown): AgentError {
  return new AgentError('usage', `cannot read ${path}: ${describeReadFailure(path, cause)}`, {
    cause,
    hint: 'name a dump.rdb, a backup id, latest or - for standard input',
  });
}
