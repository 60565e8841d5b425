import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { decodeRdb } from '../backup/artefact/decode.ts';
import type { Repository } from '../backup/repository.ts';
import type { Manifest } from '../domain/backup.ts';
import { AgentError } from '../domain/errors.ts';
import { decompressZstd } from '../formats/zstd/decompress.ts';
import { describeReadFailure } from '../lib/file-owner.ts';

/** A dump that keys are taken from. */
export interface KeySource {
  kind: 'backup' | 'file' | 'input';
  /** For people: `backup 2026… of main`, a path. */
  name: string;
  /** Tells this dump from every other; undefined when nobody can know whether the next one is the same. */
  identity: string | undefined;
  /** Can it be read more than once? */
  again: boolean;
  /** Bytes that `open` will give; undefined where that is not known before. */
  bytes: number | undefined;
  manifest: Manifest | undefined;
  /** The dump as the server wrote it. A chunk is valid until the next one is asked for. */
  open(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

const chunkBytes = 1024 * 1024;
const zstdMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** A backup of a repository. Every block is proven before it is handed over, the whole at its end. */
export function backupSource(
  { repository, identities }: { repository: Repository; identities: () => string[] },
  manifest: Manifest,
): KeySource {
  const [artefact] = manifest.artefacts;
  if (artefact === undefined) throw new AgentError('damaged', `backup ${manifest.id} has no artefact`);
  return {
    kind: 'backup',
    name: `backup ${manifest.id} of ${manifest.instance}`,
    identity: `${manifest.instance}/${manifest.id}/${artefact.plain.sha256}`,
    again: true,
    bytes: artefact.plain.bytes,
    manifest,
    async *open(signal) {
      const { chunks } = await repository.store.get(repository.artefactKey(manifest.id, artefact), {
        signal,
      });
      yield* decodeRdb(chunks, artefact, { identities: identities(), signal });
    },
  };
}

/** A dump.rdb, or one that zstd has compressed. */
export async function fileSource(path: string): Promise<KeySource> {
  const stats = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (!stats.isFile())
    throw new AgentError('usage', `${path} is not a regular file`, {
      hint: 'name a dump.rdb, a backup id, latest or -',
    });
  const compressed = await startsLikeZstd(path);
  return {
    kind: 'file',
    name: path,
    identity: `${resolve(path)} ${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeMs}`,
    again: true,
    bytes: compressed ? undefined : stats.size,
    manifest: undefined,
    open: (signal) =>
      compressed ? decompressZstd(readFile(path, signal), { signal }) : readFile(path, signal),
  };
}

/** What comes in, once. */
export function inputSource(input: Readable): KeySource {
  return {
    kind: 'input',
    name: 'standard input',
    identity: undefined,
    again: false,
    bytes: undefined,
    manifest: undefined,
    async *open(signal) {
      for await (const chunk of input as AsyncIterable<Uint8Array | string>) {
        signal.throwIfAborted();
        yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      }
    },
  };
}

async function* readFile(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const file = await open(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  try {
    const buffer = Buffer.allocUnsafeSlow(chunkBytes);
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, chunkBytes);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function startsLikeZstd(path: string): Promise<boolean> {
  for await (const chunk of readFile(path, new AbortController().signal))
    return zstdMagic.equals(chunk.subarray(0, zstdMagic.length));
  return false;
}

function unreadable(path: string, cause: unknown): AgentError {
  return new AgentError('usage', `cannot read ${path}: ${describeReadFailure(path, cause)}`, {
    cause,
    hint: 'name a dump.rdb, a backup id, latest or - for standard input',
  });
}
