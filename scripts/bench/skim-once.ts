/**
 * skim-once.ts reading|envelope DUMP: an existing dump through a backup's pipeline into nothing, with every record read
 * and the key-space report; or the same pipeline that looks at header, end and CRC64 alone.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { encodeRdb } from '../../src/backup/artefact/encode.ts';
import { readBlocks } from '../../src/backup/artefact/read-blocks.ts';
import { RdbEnvelope } from '../../src/formats/rdb/rdb-envelope.ts';
import { KeyspaceReport } from '../../src/keyspace/report.ts';

/** As a backup does it. */
async function withReading(path: string): Promise<void> {
  const { signal } = new AbortController();
  await using handle = await open(path);
  const listener = new KeyspaceReport({ now: Date.now() });
  const { size } = await handle.stat();
  const encoding = encodeRdb(
    { handle, bytes: size },
    { compression: { zstd: 1 }, recipients: [], signal, listener },
  );
  for await (const _ of encoding.chunks);
  if (!('types' in encoding.result().content)) throw new Error('the dump could not be read');
  listener.summary();
}

/** The same in the same strides, without RdbReader. */
async function withEnvelope(path: string): Promise<void> {
  const { signal } = new AbortController();
  await using handle = await open(path);
  const { size } = await handle.stat();
  const envelope = new RdbEnvelope(size);
  const [plain, stored] = [createHash('sha256'), createHash('sha256')];
  const stride = 256 * 1024;
  const onBlock = (block: Uint8Array): void => {
    for (let at = 0; at < block.length; at += stride) {
      const part = block.subarray(at, at + stride);
      plain.update(part);
      envelope.update(part);
    }
  };
  const compression = { zstd: 1 };
  for await (const chunk of readBlocks({ handle, bytes: size }, { compression, signal, onBlock }))
    stored.update(chunk);
  plain.digest();
  stored.digest();
  if (!envelope.finish().sound) throw new Error('the dump is not sound');
}

const [mode, dump = ''] = process.argv.slice(2);
await (mode === 'reading' ? withReading(dump) : withEnvelope(dump));
