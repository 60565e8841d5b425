import { createHash } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { encodeRdb, type EncodedRdb, type Encoding } from '../../../../src/backup/artefact/encode.ts';
import type { CompressionSettings } from '../../../../src/domain/settings.ts';
import { makeAofArchive, sampleAofFiles } from '../../../support/data/aof-archive.ts';
import {
  digestOf,
  encoded,
  encodedArchive,
  neverAborted,
  sampleRdb,
} from '../../../support/data/artefacts.ts';
import { collect } from '../../../support/data/chunks.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const block = 4 * 2 ** 20;
const folder = makeTempFolder();
afterAll(() => removeTempFolder(folder));

async function encodingOf(
  plain: Uint8Array,
  options: {
    bytes?: number;
    compression?: CompressionSettings;
    recipients?: string[];
    signal?: AbortSignal;
    onProgress?: (bytes: number) => void;
  } = {},
): Promise<Encoding<EncodedRdb> & AsyncDisposable> {
  const file = join(folder, `${Math.random()}.rdb`);
  await writeFile(file, plain);
  const handle = await open(file);
  const { bytes = plain.length, ...rest } = options;
  const usual = { compression: { zstd: 1 }, recipients: [], signal: neverAborted };
  const encoding = encodeRdb({ handle, bytes }, { ...usual, ...rest });
  // A read after this would fail, and an unhandled failure fails the run.
  return { ...encoding, [Symbol.asyncDispose]: () => handle.close() };
}

describe('encodeRdb', () => {
  test('describes what it read and what it made', async () => {
    const plain = sampleRdb(block + 1000);
    const { artefact, rdbVersion, crc, stored, name } = await encoded(plain, { compression: { zstd: 3 } });
    expect({ rdbVersion, crc, name }).toEqual({ rdbVersion: 10, crc: 'ok', name: 'dump.rdb.zst' });
    expect(artefact).toEqual({
      name: 'dump.rdb.zst',
      plain: digestOf(plain),
      stored: digestOf(stored),
      compression: { algorithm: 'zstd', level: 3 },
      encryption: null,
    });
    expect(stored.length).toBeLessThan(plain.length * 0.6);
  });

  test('stores it as it is where it is not to be compressed', async () => {
    const plain = sampleRdb(2 * block + 1000);
    const { artefact, stored } = await encoded(plain, { compression: 'none' });
    expect(stored.equals(plain)).toBe(true);
    expect(artefact).toEqual({
      name: 'dump.rdb',
      plain: digestOf(plain),
      stored: digestOf(plain),
      compression: { algorithm: 'none' },
      encryption: null,
    });
    const archive = makeAofArchive(sampleAofFiles());
    const aof = await encodedArchive(archive, { compression: 'none' });
    expect(aof.stored.equals(archive)).toBe(true);
    expect(aof.artefact).toMatchObject({ name: 'aof.tar', stored: digestOf(archive) });
  });

  test('a block stays as it is until it was used, also uncompressed by a consumer that takes its time', async () => {
    const plain = sampleRdb(11 * block + 9);
    for (const compression of ['none', { zstd: 1 }] as const) {
      await using encoding = await encodingOf(plain, { compression });
      const hash = createHash('sha256');
      for await (const chunk of encoding.chunks) {
        await setImmediate();
        hash.update(chunk);
        // What is read ahead must not come into it.
        await setImmediate();
        expect(chunk.length).toBeLessThanOrEqual(2 ** 19);
      }
      expect(hash.digest('hex')).toBe(encoding.result().artefact.stored.sha256);
    }
  });

  test('tells progress in plain bytes, up to the end', async () => {
    const plain = sampleRdb(2 * block + 5);
    const seen: number[] = [];
    await using encoding = await encodingOf(plain, { onProgress: (bytes) => seen.push(bytes) });
    await collect(encoding.chunks);
    expect(seen).toEqual([block, 2 * block, 2 * block + 5]);
  });

  test('says when the server writes no CRC64', async () => {
    const plain = sampleRdb(1000);
    plain.fill(0, 992);
    expect(await encoded(plain)).toMatchObject({ crc: 'off' });
  });

  test('reads the given number of bytes of a file that has grown', async () => {
    const plain = sampleRdb(2000);
    await using encoding = await encodingOf(Buffer.concat([plain, plain]), { bytes: 2000 });
    await collect(encoding.chunks);
    expect(encoding.result().artefact.plain).toEqual(digestOf(plain));
  });

  test('refuses a dump that is damaged, empty, cut off or something else', async () => {
    const flipped = sampleRdb(block + 100);
    flipped[block]! ^= 1;
    const cases: [Uint8Array, string, number?][] = [
      [flipped, 'the server wrote a damaged RDB: its CRC64 does not match'],
      [Buffer.alloc(0), 'damaged RDB: it is empty'],
      [Buffer.from('R'), 'damaged RDB: it is truncated: it ends after 1 bytes'],
      [Buffer.alloc(5000, 'something else '), 'it does not start with REDIS or VALKEY'],
      [sampleRdb(1000), 'the dump ends after 1000 bytes, and had 1001', 1001],
      [sampleRdb(1000), 'the dump ends after 1000 bytes', 3 * block],
    ];
    for (const [plain, message, bytes = plain.length] of cases) {
      await using encoding = await encodingOf(plain, { bytes });
      const run = collect(encoding.chunks);
      await expect(run).rejects.toMatchObject({ code: 'damaged' });
      await expect(run).rejects.toThrow(message);
      expect(() => encoding.result()).toThrow('has not ended');
    }
  });

  test('refuses what is no age recipient, before anything is read', async () => {
    let read = false;
    const onProgress = (): void => void (read = true);
    await using encoding = await encodingOf(sampleRdb(1000), { recipients: ['age1nobody'], onProgress });
    await expect(collect(encoding.chunks)).rejects.toMatchObject({ code: 'usage' });
    expect(read).toBe(false);
  });

  test('an abort midway rejects with its reason, and nothing reads the file afterwards', async () => {
    const us = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
    const forms = [[], [us]].flatMap((recipients) => [
      { recipients, compression: 'none' as const },
      { recipients, compression: { zstd: 1 } },
    ]);
    for (const form of forms) {
      const abort = new AbortController();
      const reason = new Error('enough');
      const run = async (): Promise<void> => {
        await using encoding = await encodingOf(sampleRdb(6 * block), { ...form, signal: abort.signal });
        for await (const _ of encoding.chunks) abort.abort(reason);
      };
      await expect(run()).rejects.toBe(reason);
    }
  });

  test('a consumer that leaves stops it', async () => {
    for (const compression of ['none', { zstd: 1 }] as const) {
      let read = 0;
      const onProgress = (bytes: number): void => void (read = bytes);
      await using encoding = await encodingOf(sampleRdb(9 * block), { compression, onProgress });
      for await (const _ of encoding.chunks) break;
      expect(read).toBeLessThanOrEqual(6 * block);
      expect(() => encoding.result()).toThrow('has not ended');
    }
  });
});
