import { readdirSync, readlinkSync } from 'node:fs';
import { copyFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileSource, inputSource } from '../../../../src/jobs/keys/key-source.ts';
import { digestOf, patternChunks } from '../../../support/data/pattern.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

/** Several chunks, and a part of one. */
const bytes = 3 * 1024 * 1024 + 12_345;
const folder = makeTempFolder();
const path = join(folder, 'dump.rdb');
const { signal } = new AbortController();

beforeAll(async () => writeFile(path, patternChunks(bytes)));
afterAll(() => removeTempFolder(folder));

/** Of this process, how often the file is open. */
function descriptors(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false; // the one that listed them
    }
  }).length;
}

test('a file comes whole and in order, though it is read ahead of whoever looks at it', async () => {
  const source = await fileSource(path);
  expect(await digestOf(source.open(signal))).toEqual(await digestOf(patternChunks(bytes)));
  expect(source.bytes).toBe(bytes);
});

test('a chunk stays as it is until the next one is asked for', async () => {
  const source = await fileSource(path);
  for await (const chunk of source.open(signal)) {
    const before = Buffer.from(chunk);
    await readFile(path); // longer than what is read ahead takes, which was asked for before
    expect(before.equals(chunk)).toBe(true);
  }
});

test('who stops early leaves nothing open', async () => {
  const source = await fileSource(path);
  for await (const _ of source.open(signal)) break;
  expect(descriptors()).toBe(0);
});

test('an abort ends it with its reason', async () => {
  const stop = new AbortController();
  const reading = (async () => {
    const source = await fileSource(path);
    for await (const _ of source.open(stop.signal)) stop.abort(new Error('enough'));
  })();
  await expect(reading).rejects.toThrow('enough');
  expect(descriptors()).toBe(0);
});

test('an abort ends what waits for input, and is not taken for the end of a dump', async () => {
  const stop = new AbortController();
  const input = new PassThrough();
  input.write(Buffer.alloc(100));
  const reading = (async () => {
    for await (const _ of inputSource(input).open(stop.signal)) stop.abort(new Error('enough'));
  })();
  await expect(reading).rejects.toThrow('enough');
  const ended = digestOf(inputSource(Readable.from([])).open(stop.signal));
  await expect(ended).rejects.toThrow('enough');
});

test.each([1, 3, 65_536])('what comes in may be zstd, in chunks of %i bytes', async (size) => {
  const plain = Buffer.from('REDIS0010'.repeat(9));
  const packed = zstdCompressSync(plain);
  const chunks = Array.from({ length: Math.ceil(packed.length / size) }, (_, index) =>
    packed.subarray(index * size, (index + 1) * size),
  );
  expect(await digestOf(inputSource(Readable.from(chunks)).open(signal))).toEqual(
    await digestOf(Readable.from([plain])),
  );
});

test('what pzstd writes is zstd too: it begins with a frame that is passed over', async () => {
  const plain = Buffer.from('REDIS0010');
  const skipped = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 9, 9, 9, 9]);
  const packed = join(folder, 'pzstd.rdb.zst');
  await writeFile(packed, Buffer.concat([skipped, zstdCompressSync(plain)]));
  const expected = await digestOf(Readable.from([plain]));
  const source = await fileSource(packed);
  expect(source.bytes).toBeUndefined();
  expect(await digestOf(source.open(signal))).toEqual(expected);
});

test('what the system cannot read is no defect of ours', async () => {
  // Its first page is mapped nowhere: EIO.
  await expect(fileSource('/proc/self/mem')).rejects.toMatchObject({
    code: 'failed',
    message: expect.stringMatching(/^cannot read \/proc\/self\/mem: EIO/) as unknown,
  });
});

test.each([
  ['age-encryption.org/v1\n-> X25519 ', /standard input is encrypted/],
  ['\x1f\x8b\x08', /standard input is compressed with gzip/],
  ['*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n', /standard input is an append only file/],
])('what is no dump is not read as a damaged one: %j', async (text, message) => {
  const reading = digestOf(inputSource(Readable.from([Buffer.from(text, 'latin1')])).open(signal));
  await expect(reading).rejects.toMatchObject({ code: 'usage', message });
});

test('what is cut off within zstd is told with its file', async () => {
  const cut = join(folder, 'cut.rdb.zst');
  const packed = zstdCompressSync(Buffer.from('REDIS0010'.repeat(9)));
  await writeFile(cut, packed.subarray(0, -5));
  const source = await fileSource(cut);
  await expect(digestOf(source.open(signal))).rejects.toMatchObject({
    code: 'damaged',
    reason: 'truncated',
    message: expect.stringContaining(`${cut}: it ends at byte `) as unknown,
  });
});

test('a file that is replaced between two readings is not taken for the one that was read first', async () => {
  const replaced = join(folder, 'replaced.rdb');
  await copyFile(path, replaced);
  const source = await fileSource(replaced);
  await digestOf(source.open(signal));
  await copyFile(path, join(folder, 'next.rdb'));
  await rename(join(folder, 'next.rdb'), replaced);
  await expect(digestOf(source.open(signal))).rejects.toMatchObject({ code: 'failed', reason: 'replaced' });
});
