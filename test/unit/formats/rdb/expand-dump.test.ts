import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ContentDigest } from '../../../../src/backup/drill/content-digest.ts';
import { expandDump, Growth } from '../../../../src/formats/rdb/expand-dump.ts';
import { RdbError } from '../../../../src/formats/rdb/rdb-handler.ts';
import { anyFile } from '../../../support/rdb/arbitraries.ts';
import { compressLzf } from '../../../support/rdb/lzf-writer.ts';
import { mutate } from '../../../support/rdb/mutate.ts';
import { observe } from '../../../support/rdb/observe.ts';
import { sampleBytes } from '../../../support/rdb/sample-bytes.ts';
import { anyStyle, usual } from '../../../support/rdb/style.ts';
import { trailerOf, writeRdb } from '../../../support/rdb/rdb-writer.ts';

const anyChunks = fc.oneof(
  fc.constant([1]),
  fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
  fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 4 }),
);

const anyWritten = fc
  .tuple(anyFile, fc.option(fc.nat(), { nil: undefined }))
  .map(([model, seed]) => writeRdb(model, seed === undefined ? usual : anyStyle(seed)));

/** In one buffer that is overwritten after each chunk: who keeps one finds garbage. */
async function* inChunks(bytes: Uint8Array, chunks: readonly number[]): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(Math.min(bytes.length, Math.max(...chunks)));
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const part = bytes.subarray(at, at + Math.max(1, chunks[turn % chunks.length] ?? 1));
    buffer.set(part);
    yield buffer.subarray(0, part.length);
    buffer.fill(0xee, 0, part.length);
    at += part.length;
  }
}

interface Expanding {
  chunks?: readonly number[];
  portable?: boolean;
}

async function expand(
  bytes: Uint8Array,
  { chunks = [bytes.length], portable }: Expanding = {},
): Promise<Buffer> {
  const parts: Buffer[] = [];
  const options = portable === undefined ? {} : { portable };
  for await (const part of expandDump(inChunks(bytes, chunks), options)) {
    parts.push(Buffer.from(part));
    // Whoever kept it finds garbage.
    part.fill(0xee);
  }
  return Buffer.concat(parts);
}

function growthOf(bytes: Uint8Array, at = bytes.length): Growth {
  const growth = new Growth();
  growth.update(bytes.subarray(0, at));
  growth.update(bytes.subarray(at));
  return growth;
}

function digestOf(bytes: Uint8Array): ContentDigest {
  const digest = new ContentDigest();
  digest.reader.update(bytes);
  digest.reader.finish();
  return digest;
}

/** A dump of strings, each with what stands for it in the file. */
function dumpOf(values: Uint8Array[], { checksum = true, magic = 'REDIS0009' } = {}): Buffer {
  const keys = values.flatMap((value) => [Buffer.of(0, 1, 0x6b), value]);
  const bytes = Buffer.concat([Buffer.from(magic), ...keys, Buffer.of(0xff)]);
  return magic < 'REDIS0005' ? bytes : Buffer.concat([bytes, trailerOf(bytes, checksum)]);
}

function longForm(length: number): Buffer {
  const bytes = Buffer.alloc(5, 0x80);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

const plainString = (plain: Uint8Array): Buffer => {
  const { length } = plain;
  const short = length < 64 ? Buffer.of(length) : Buffer.of(0x40 | (length >> 8), length & 0xff);
  return Buffer.concat([length < 16_384 ? short : longForm(length), plain]);
};

const compressedString = (compressed: Uint8Array, plain: number): Buffer =>
  Buffer.concat([Buffer.of(0xc3), longForm(compressed.length), longForm(plain), compressed]);

const compressedOf = (plain: Uint8Array): Buffer => compressedString(compressLzf(plain), plain.length);

describe('expanding any file of any version', () => {
  test('leaves its content, whatever the chunks, and with nothing left to be expanded', async () => {
    let strings = 0;
    await fc.assert(
      fc.asyncProperty(anyWritten, anyChunks, async ({ bytes }, chunks) => {
        const growth = growthOf(bytes, bytes.length >> 1);
        const expanded = await expand(bytes, { chunks });
        strings += growth.strings;
        expect(expanded.length).toBe(bytes.length + growth.bytes);
        expect(growthOf(expanded).strings).toBe(0);
        // Its checksum too.
        const [before, after] = [bytes, expanded].map((file) => observe(file, { wish: 'tokens' }));
        expect({ ...after?.summary, bytes: 0 }).toEqual({ ...before?.summary, bytes: 0 });
        expect(after?.others).toEqual(before?.others);
        expect(after?.records.map(({ tokens }) => tokens)).toEqual(
          before?.records.map(({ tokens }) => tokens),
        );
        const [one, other] = [digestOf(bytes), digestOf(expanded)];
        expect(one.differingGroups(other)).toEqual([]);
        expect(one.sameFunctions(other)).toBe(true);
      }),
      { numRuns: 50 },
    );
    expect(strings).toBeGreaterThan(20);
  });

  test('gives the same without WebAssembly', async () => {
    await fc.assert(
      fc.asyncProperty(anyWritten, anyChunks, async ({ bytes }, chunks) => {
        expect(await expand(bytes, { chunks, portable: true })).toEqual(await expand(bytes));
      }),
      { numRuns: 30 },
    );
  });

  test('changes nothing where there is nothing to expand', async () => {
    const dump = dumpOf([plainString(Buffer.from('plain')), Buffer.of(0xc0, 5), Buffer.of(0xc1, 1, 1)]);
    expect(await expand(dump)).toEqual(dump);
    expect(growthOf(dump)).toMatchObject({ strings: 0, bytes: 0 });
  });
});

describe('strings', () => {
  test.each([21, 63, 64, 200, 16_383, 16_384, 300_000, 1024 * 1024])('of %d bytes', async (length) => {
    const plain = sampleBytes(length, 'words', 1);
    const [first, last] = [plainString(Buffer.from('first')), plainString(Buffer.from('last'))];
    const dump = dumpOf([first, compressedOf(plain), last]);
    const expected = dumpOf([first, plainString(plain), last]);
    for (const chunks of [[dump.length], [100_003], [131_072, 1]])
      expect((await expand(dump, { chunks })).equals(expected)).toBe(true);
  });

  test('that are very long, or become many times as long, stay as they are', async () => {
    const long = sampleBytes(1024 * 1024 + 1, 'words', 1);
    const literals = Buffer.alloc(1024 * 1024 + 1);
    const dump = dumpOf([
      compressedOf(long),
      compressedString(literals, 2 * 1024 * 1024),
      compressedOf(new Uint8Array(5000)),
      plainString(Buffer.from('last')),
    ]);
    for (const chunks of [[dump.length], [100_003]])
      expect((await expand(dump, { chunks })).equals(dump)).toBe(true);
    expect(growthOf(dump).strings).toBe(0);
  });

  test('in thousands, as long as they may become, one behind a long one', async () => {
    // Four times as long: as much of it as can comes at once.
    const plain = Buffer.from('0123456789abcdef'.repeat(5));
    const small = compressedString(compressLzf(plain), plain.length);
    const long = sampleBytes(1024 * 1024, 'words', 1);
    const many = Array.from({ length: 6000 }, () => small);
    const dump = dumpOf([compressedOf(long), ...many, compressedOf(long), ...many]);
    const expected = dumpOf([
      plainString(long),
      ...many.map(() => plainString(plain)),
      plainString(long),
      ...many.map(() => plainString(plain)),
    ]);
    for (const chunks of [[dump.length], [131_072], [1_000_003]])
      expect((await expand(dump, { chunks })).equals(expected)).toBe(true);
  });
});

describe('the end', () => {
  const value = compressedOf(sampleBytes(500, 'words', 1));

  test('has a checksum where it had one', async () => {
    for (const checksum of [true, false]) {
      const expanded = await expand(dumpOf([value], { checksum }));
      expect(expanded.subarray(-8)).toEqual(trailerOf(expanded.subarray(0, -8), checksum));
    }
    expect((await expand(dumpOf([value], { magic: 'REDIS0004' }))).at(-1)).toBe(0xff);
  });

  test('is not there before the dump has come to a good end', async () => {
    const dump = dumpOf([value]);
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield dump;
      throw new Error('it is not what it was');
    }
    let bytes = 0;
    const run = (async () => {
      for await (const part of expandDump(broken())) bytes += part.length;
    })();
    await expect(run).rejects.toThrow('it is not what it was');
    expect(bytes).toBeLessThan(dump.length + growthOf(dump).bytes - 8);
  });
});

describe('what is wrong', () => {
  test('is an RdbError, wherever the dump is cut', async () => {
    const dump = dumpOf([compressedOf(sampleBytes(200, 'words', 1)), plainString(Buffer.from('last'))]);
    for (let length = 0; length < dump.length; length++)
      await expect(expand(dump.subarray(0, length)), `${length}`).rejects.toThrow(RdbError);
    await expect(expand(Buffer.concat([dump, dump]))).rejects.toThrow('bytes follow its end');
  });

  test.each<[what: string, value: Buffer, message: RegExp]>([
    ['literals past the end', compressedString(Buffer.of(5, 1, 2), 6), /literal bytes reaches past/],
    ['a copy of what is not there', compressedString(Buffer.of(0, 1, 0x20, 1), 4), /starts before the first/],
    ['a copy past the end', compressedString(Buffer.of(0, 1, 0xe0, 200, 0), 20), /copy reaches past the end/],
    ['half a copy', compressedString(Buffer.of(0, 1, 0x20), 4), /ends within a copy/],
    ['too few bytes', compressedString(Buffer.of(1, 1, 2), 3), /does not give the 3 bytes/],
    ['too many bytes', compressedString(Buffer.of(1, 1, 2, 1, 3, 4), 2), /does not give the 2 bytes/],
    ['more than can be', compressedString(Buffer.of(1, 1, 2), 1000), /cannot become 1000/],
    ['no bytes', compressedString(Buffer.of(), 0), /cannot become/],
    ['an unknown encoding', Buffer.of(0xc4, 1, 2), /unknown encoding 4/],
    ['a length that is none', Buffer.of(0x90), /begins with 0x90/],
  ])('is named: %s', async (_, value, message) => {
    for (const portable of [false, true]) {
      const run = expand(dumpOf([value]), { portable });
      await expect(run).rejects.toThrow(message);
      await expect(run).rejects.toBeInstanceOf(RdbError);
    }
  });

  test('is an RdbError with anything, the same in any chunks and without WebAssembly', async () => {
    await fc.assert(
      fc.asyncProperty(anyWritten, anyWritten, fc.nat(), anyChunks, async (one, other, seed, chunks) => {
        const [input, from] = [one, other].map(({ bytes, records, items }) => ({
          bytes,
          marks: [...items, ...records.map(({ valueOffset }) => valueOffset)],
        }));
        if (input === undefined || from === undefined) return;
        const bytes = mutate(input, from, seed);
        const results = await Promise.all(
          [{ chunks }, {}, { portable: true }].map((options) => expand(bytes, options).catch(textOf)),
        );
        expect(results[1]).toEqual(results[2]);
        expect(results[0]).toEqual(results[1]);
      }),
      { numRuns: 80 },
    );
  });
});

function textOf(error: unknown): string {
  if (!(error instanceof RdbError)) throw error;
  // How much has come when it is seen depends on the chunks.
  return error.message.replaceAll(/\d+/g, 'n');
}
