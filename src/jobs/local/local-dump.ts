import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { decodeAgain } from '../../backup/artefact/decode.ts';
import { readRange } from '../../backup/aof/read-range.ts';
import { plainNames, type Artefact, type Digest } from '../../domain/backup.ts';
import { salvageCommand } from '../../backup/restore-keys/salvage.ts';
import { AgentError } from '../../domain/errors.ts';
import { ContentCounter } from '../../formats/rdb/content-counter.ts';
import { placeOf } from '../../formats/rdb/rdb-check.ts';
import { RdbError } from '../../formats/rdb/rdb-handler.ts';
import { RdbReader, type RdbSummary } from '../../formats/rdb/rdb-reader.ts';
import { writerOf } from '../../formats/rdb/writer-of.ts';
import { isZstd } from '../../formats/zstd/frame-header.ts';
import { describeReadFailure } from '../../lib/files/file-owner.ts';
import { openLentFile, type OpenedFile } from '../../lib/files/lent-file.ts';
import { countIn, describeLocal, type LocalBackup } from './describe-local.ts';
import type { JobContext } from '../job.ts';

/** What can be named where a backup is. */
export const localHint = 'name a dump.rdb, the folder of an append only file, a backup id or latest';

const ageMagic = Buffer.from('age-encryption.org/v1');

/** Reads all of a dump: every record and its CRC64. See openLocal. */
export async function openLocalDump(context: JobContext, path: string): Promise<LocalBackup> {
  const handle = await openRegular(path);
  try {
    const { size, mtimeMs } = await handle.stat();
    const read = (signal: AbortSignal): AsyncIterable<Uint8Array> =>
      readRange(handle, { from: 0, to: size, name: path, signal });
    const coding = await findCoding(context, read);
    const found = await readThrough(context, path, { read, size, coding });
    const { databases, types, aux } = found.counter.content();
    const manifest = describeLocal(context, {
      path,
      kind: 'rdb',
      artefact: { name: plainNames.rdb, plain: found.plain, stored: found.stored, ...coding },
      writtenAt: Math.min((countIn(aux['ctime']) ?? mtimeMs / 1000) * 1000, context.clock.now()),
      server: writerOf((name) => aux[name]) ?? { engine: found.summary.version.engine, version: 'unknown' },
      usedMemory: countIn(aux['used-mem']) ?? found.plain.bytes,
      rdb_version: found.summary.version.version,
      rdb_checksum: found.summary.crc === 'ok',
      keyspace: { databases, exact: true },
      content: { types, aux, unread: null },
      summary: `read from ${path}: every record${found.summary.crc === 'ok' ? ', CRC64 right' : ''}`,
    });
    return { manifest, read, [Symbol.asyncDispose]: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** O_NONBLOCK: a named pipe must not hang us. */
async function openRegular(path: string): Promise<OpenedFile> {
  const opened = openLentFile(path);
  if (opened !== undefined) return opened;
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw new AgentError('usage', `cannot read ${path}: ${describeReadFailure(path, cause)}`, {
      cause,
      hint: localHint,
    });
  });
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new AgentError('usage', `${path} is not a regular file`, { hint: localHint });
}

type Coding = Pick<Artefact, 'compression' | 'encryption'>;
type Read = LocalBackup['read'];

/** By what it begins with, as a file from a repository may lie here too. */
async function findCoding(context: JobContext, read: Read): Promise<Coding> {
  const { signal } = context;
  const start = await firstChunk(read(signal));
  const encrypted = ageMagic.equals(start.subarray(0, ageMagic.length));
  const encryption = encrypted ? { algorithm: 'age' as const, recipients: [] } : null;
  const inner: Artefact = { ...nothing, encryption, compression: { algorithm: 'none' } };
  const plain = encrypted
    ? await firstChunk(decodeAgain(read(signal), inner, { identities: context.identities(), signal }))
    : start;
  const compressed = isZstd(plain);
  return {
    encryption,
    compression: compressed ? { algorithm: 'zstd', level: 1 } : { algorithm: 'none' },
  };
}

const nothing = {
  name: plainNames.rdb,
  plain: { bytes: 0, sha256: '' },
  stored: { bytes: 0, sha256: '' },
};

async function firstChunk(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  for await (const chunk of chunks) return Buffer.from(chunk.subarray(0, 64));
  return Buffer.alloc(0);
}

interface ReadDump {
  plain: Digest;
  stored: Digest;
  counter: ContentCounter;
  summary: RdbSummary;
}

async function readThrough(
  context: JobContext,
  path: string,
  { read, size, coding }: { read: Read; size: number; coding: Coding },
): Promise<ReadDump> {
  const { signal, progress } = context;
  const [plain, stored] = [new Sum(), new Sum()];
  const counter = new ContentCounter();
  const reader = new RdbReader(counter);
  const artefact: Artefact = { ...nothing, ...coding };
  const coded = stored.passing(read(signal), (done) =>
    progress.report({ phase: 'reading', done, total: size, unit: 'bytes' }),
  );
  try {
    for await (const chunk of decodeAgain(coded, artefact, { identities: context.identities(), signal })) {
      plain.update(chunk);
      reader.update(chunk);
    }
    const summary = reader.finish();
    return { plain: plain.digest(), stored: stored.digest(), counter, summary };
  } catch (error) {
    if (!(error instanceof RdbError)) throw error;
    const message = `${path}: ${placeOf(error)}`;
    if (error.kind === 'damaged')
      throw new AgentError('damaged', message, {
        cause: error,
        reason: 'corrupt',
        hint:
          error.offset === 0
            ? `see: redis-agent rdb check ${path}; an append only file is known by its folder, or by .aof at the end of its name`
            : `see: redis-agent rdb check ${path}; where this is all there is, its sound keys can be written: ${salvageCommand(path)}`,
      });
    const hint = 'a newer redis-agent may know it';
    throw new AgentError('failed', message, { cause: error, reason: 'unknown', hint });
  }
}

/** Length and SHA-256 of what goes by. */
class Sum {
  readonly #hash = createHash('sha256');
  #bytes = 0;

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
  }

  async *passing(
    chunks: AsyncIterable<Uint8Array>,
    onProgress: (bytes: number) => void,
  ): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of chunks) {
      this.update(chunk);
      onProgress(this.#bytes);
      yield chunk;
    }
  }

  digest(): Digest {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }
}
