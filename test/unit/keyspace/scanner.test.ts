import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileKernel } from '../../../scripts/lib/compile-kernel.ts';
import { scanKernel } from '../../../src/keyspace/scan-kernel.ts';
import { anyFile } from '../../support/rdb/arbitraries.ts';
import type { FileItem, FileModel } from '../../support/rdb/model.ts';
import { mutate } from '../../support/rdb/mutate.ts';
import { readBothWays } from '../../support/rdb/read-both-ways.ts';
import { anyStyle, usual } from '../../support/rdb/style.ts';
import { writeRdb } from '../../support/rdb/rdb-writer.ts';
import { rdbOf } from '../../support/rdb/rdb.ts';
import { runs, sampled } from '../../support/house/tier.ts';

test('the kernel is what its source compiles to; else run scripts/build-kernel', () => {
  expect(compileKernel().toString('base64')).toBe(scanKernel);
});

const segment = fc.constantFrom(
  'user',
  'cart',
  'u',
  'session-of-somebody',
  'exactly8',
  'nine-char',
  '12',
  '007',
  '1234567890123456',
  '12345678901234567x',
  'order-1234',
  'b6d2ab14-972a-4ca8-a27d-7c248bebee13',
  'deadbeef01',
  '',
  'é',
  'Name\u0001',
  'x'.repeat(300),
);
const anyName = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.array(segment, { minLength: 1, maxLength: 6 }), fc.constantFrom(':', ':', ':', '/'))
      .map(([segments, separator]) => Buffer.from(segments.join(separator))),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
);

/** The items of a file, several times and with other names: only what comes again is known to the kernel. */
const anyKeyspace: fc.Arbitrary<FileModel> = fc
  .tuple(anyFile, fc.array(anyName, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 6 }))
  .map(([file, names, times]) => {
    const items = Array.from({ length: times }, () => file.items).flat();
    const named = items.map((item, at): FileItem => {
      const name = names[(at * 7) % names.length]!;
      return item.kind === 'key' ? { ...item, name } : item;
    });
    return { ...file, items: named };
  });
const anyWritten = fc
  .tuple(anyKeyspace, fc.option(fc.nat(), { nil: undefined }))
  .map(([model, seed]) => writeRdb(model, seed === undefined ? usual : anyStyle(seed)));
const anyChunks = fc.oneof(
  fc.constant([1_000_000]),
  fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 4 }),
);
const anyOptions = fc.record({
  separator: fc.constantFrom(':', ':', '/'),
  depth: fc.integer({ min: 0, max: 5 }),
  top: fc.constantFrom(0, 1, 20),
});

describe('with the kernel and without it', () => {
  test('any file gives the same report', () => {
    fc.assert(
      fc.property(anyWritten, anyChunks, anyOptions, ({ bytes }, chunks, options) => {
        const { scanned, portable } = readBothWays(bytes, chunks, options);
        expect(scanned.found).toEqual(portable.found);
      }),
      { numRuns: runs(120) },
    );
  });

  test('any damage gives the same fault', () => {
    fc.assert(
      fc.property(anyWritten, anyWritten, anyChunks, fc.nat(), (file, other, chunks, seed) => {
        const [one, two] = [file, other].map(({ bytes, items }) => ({ bytes, marks: items }));
        const { scanned, portable } = readBothWays(mutate(one!, two!, seed), chunks, {
          separator: ':',
          top: 0,
        });
        expect(scanned.found).toEqual(portable.found);
      }),
      { numRuns: runs(150) },
    );
  });

  test('more prefixes than are held are forgotten alike', () => {
    const names = Array.from({ length: 90_000 }, (_, at) => `${lettersOf(at % 50_000)}:${at}:cart`);
    const { scanned, portable } = readBothWays(fileOf(names), [100_000], { separator: ':' });
    expect(scanned.found.summary.prefixes.missed).toBeGreaterThan(0);
    expect(scanned.found).toEqual(portable.found);
  });
});

/** Every length and number at which anything is decided, for each kind of value: random files hit few of them. */
describe('at every edge', () => {
  const edges = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 17, 31, 32, 33, 43, 44, 45, 46, 59, 60, 63, 64, 65,
  ];
  const far = [
    100, 119, 120, 121, 125, 126, 127, 128, 129, 130, 200, 255, 256, 257, 1000, 1023, 1024, 1025, 4090, 8190,
  ];
  const lengths = [...edges, ...far, 8191, 8192, 8193, 16_383];
  const engines = [
    { magic: 'REDIS0009' },
    { magic: 'REDIS0012' },
    { magic: 'REDIS0011', valkey: '8.1.0' },
    { magic: 'VALKEY080' },
  ];
  const compare = (bodies: readonly Uint8Array[], chunk = 100_000): void => {
    for (const { magic, valkey } of sampled(engines, 2)) {
      const aux = valkey === undefined ? [] : [Buffer.of(0xfa), str('valkey-ver'), str(valkey)];
      const made = [Buffer.of(0xfa), str('ctime'), str('1000')];
      // What is not known yet is not the kernel's: everything comes twice.
      const body = Buffer.concat([...aux, ...made, ...bodies, ...bodies]);
      const { scanned, portable } = readBothWays(rdbOf(body, magic), [chunk], { separator: ':', top: 2 });
      expect(scanned.found).toEqual(portable.found);
      expect(portable.calls - scanned.calls).toBeGreaterThan(0.45 * portable.calls);
    }
  };
  /** Of one value, alone in its report: sums of many may hide what one adds and another lacks. */
  const compareEach = (values: readonly { code: number; value: Uint8Array }[]): void => {
    const database = (at: number): Buffer => Buffer.of(0xfe, 0x80, 0, 0, at >> 8, at & 255);
    compare(values.map(({ code, value }, at) => Buffer.concat([database(at), key(code, 'k:x', value)])));
  };

  test('of names', () => {
    const names = [...lengths, 253, 254, 258, 300].map((length) =>
      `k:${'n'.repeat(length)}`.slice(0, 16_383),
    );
    const divided = [250, 251, 252, 253, 254, 255, 256, 257].flatMap((length) => [
      `k:${'n'.repeat(length)}:x`,
      `7:${'n'.repeat(length)}`,
      `7:${'1'.repeat(length)}:x`,
    ]);
    const segments = edges.flatMap((length) => [
      `k:${'a'.repeat(length)}:x`,
      `k:${'5'.repeat(length)}:x`,
      `7:${'b'.repeat(length)}`,
      `7:${'b'.repeat(length)}:${'c'.repeat(length)}`,
    ]);
    const database = (at: number): Buffer => Buffer.of(0xfe, 0x80, 0, 0, at >> 8, at & 255);
    compare(
      [...names, ...divided, ...segments].map((name, at) =>
        Buffer.concat([
          database(at),
          key(0, name, str('v')),
          Buffer.of(0xfc),
          expiry(5),
          key(0, name, str('v')),
        ]),
      ),
    );
  });

  test('of strings', () => {
    const plain = lengths.map((length) => str('s'.repeat(length)));
    const integers = [Buffer.of(0xc0, 1), Buffer.of(0xc1, 1, 2), Buffer.of(0xc2, 1, 2, 3, 4)];
    const long = [Buffer.of(0xc3, 0x80, 0, 0, 0, 2, 10, 1, 2), Buffer.of(0xc3, 2, 0x80, 0, 0, 0, 10, 1, 2)];
    const compressed = [1, 2, 10, 44, 45, 64, 1000, 16_383].flatMap((length) =>
      [length, 2 * length, 88 * length].filter((whole) => whole < 16_384).map((whole) => lzf(length, whole)),
    );
    compareEach([...plain, ...integers, ...long, ...compressed].map((value) => ({ code: 0, value })));
  });

  test('of packed values', () => {
    const counts = [0, 1, 2, 3, 255, 256, 65_533, 65_534];
    const packed = counts.flatMap((count) =>
      [10, 11, 12, 64, 1000, 8192, 16_383].flatMap((length) => [
        { code: 16, value: str(listpack(count, length)) },
        { code: 20, value: str(listpack(count, length)) },
        { code: 13, value: str(ziplist(count, length)) },
        { code: 11, value: str(intset(count, length)) },
      ]),
    );
    const short = [6, 7, 8, 9].map((length) => ({ code: 17, value: str(listpack(3, length)) }));
    const inLzf = [10, 11, 31, 32].flatMap((literals) =>
      [12, 33, 40, 1000].map((length) => ({
        code: 16,
        value: lzf(Math.max(length, literals + 2), 2000, Buffer.of(literals - 1, ...listpack(77, literals))),
      })),
    );
    compareEach([...packed, ...short, ...inLzf]);
  });

  test('of sets, hashes and sorted sets', () => {
    const values = [1, 2, 3, 4, 7, 63, 64, 65, 130].flatMap((count) =>
      [...edges, 60, 100, 128, 255, 256].flatMap((length) =>
        [length, length + 1, 2 * length, 3].flatMap((last) => {
          const strings = Array.from({ length: 2 * count }, (_, at) =>
            str('m'.repeat(at === 0 ? last : length)),
          );
          const scores = strings.slice(0, count).flatMap((each) => [each, Buffer.alloc(8, 1)]);
          return [
            { code: 2, value: Buffer.concat([size(count), ...strings.slice(0, count)]) },
            { code: 4, value: Buffer.concat([size(count), ...strings]) },
            { code: 5, value: Buffer.concat([size(count), ...scores]) },
          ];
        }),
      ),
    );
    const integers = Buffer.concat([size(3), Buffer.of(0xc0, 1, 0xc1, 1, 2, 0xc2, 1, 2, 3, 4)]);
    const compressed = Buffer.concat([size(2), lzf(20, 400), str('m'.repeat(30))]);
    const others = [integers, compressed].map((value) => ({ code: 2, value }));
    for (let at = 0; at < values.length; at += 900) compareEach([...values.slice(at, at + 900), ...others]);
  });

  test('of lists', () => {
    const node = (length: number): Buffer => Buffer.concat([Buffer.of(2), str(listpack(5, length))]);
    const early = (length: number): Buffer => str(ziplist(5, length));
    const nodes = [10, 64, 1000, 8190, 8191, 8192, 8193, 16_000];
    const values = nodes.flatMap((length) => [
      { code: 18, value: Buffer.concat([size(1), node(length)]) },
      { code: 18, value: Buffer.concat([size(2), node(length), node(40)]) },
      { code: 18, value: Buffer.concat([size(2), node(40), Buffer.of(1), str('p'.repeat(length))]) },
      { code: 18, value: Buffer.concat([size(1), Buffer.of(1), str('p'.repeat(length))]) },
      { code: 14, value: Buffer.concat([size(1), early(length)]) },
      { code: 14, value: Buffer.concat([size(2), early(length), early(40)]) },
    ]);
    compareEach(values);
  });

  test('of times', () => {
    const bounds = [0, 60, 3600, 86_400, 7 * 86_400, 30 * 86_400].map((seconds) => (1000 + seconds) * 1000);
    const times = [...bounds.flatMap((at) => [at - 1, at, at + 1]), 0, 1, -1, -2, -5000, 2 ** 52];
    compare(times.map((at) => Buffer.concat([Buffer.of(0xfc), expiry(at), key(0, 'k:x', str('v'))])));
    const [expiring, lasting] = [
      Buffer.concat([Buffer.of(0xfc), expiry(5), key(0, 'k:x', str('v'))]),
      key(0, 'k:x', str('v')),
    ];
    compare(Array.from({ length: 20 }, () => [expiring, lasting]).flat());
  });

  test('of idle times and frequencies', () => {
    const idle = [0, 1, 59, 60, 61, 63, 64, 3599, 3600, 3601, 16_383].map((seconds) =>
      Buffer.concat([Buffer.of(0xf8), size(seconds)]),
    );
    const longer = [5, 86_399, 86_400, 7 * 86_400, 30 * 86_400 - 1, 30 * 86_400, 2 ** 32 - 1].map(
      (seconds) => {
        const bytes = Buffer.of(0xf8, 0x80, 0, 0, 0, 0);
        bytes.writeUInt32BE(seconds, 2);
        return bytes;
      },
    );
    const often = [0, 1, 5, 6, 10, 11, 50, 51, 100, 101, 254, 255].map((times) => Buffer.of(0xf9, times));
    const notes = [...idle, ...longer, ...often, Buffer.concat([idle[3]!, often[3]!])];
    const expires = Buffer.concat([Buffer.of(0xfc), expiry(1e6)]);
    compare(
      notes.flatMap((note) => [
        Buffer.concat([note, key(0, 'k:x', str('v'))]),
        Buffer.concat([expires, note, key(16, 'k:x', str(listpack(3, 20)))]),
        key(0, 'k:x', str('v')),
      ]),
    );
    const eightBytes = Buffer.concat([Buffer.of(0xf8, 0x81), Buffer.alloc(8, 0), key(0, 'k:x', str('v'))]);
    compare(
      Array.from({ length: 10 }, () => [
        eightBytes,
        ...Array.from({ length: 9 }, () => key(0, 'k:x', str('v'))),
      ]).flat(),
    );
  });

  test('of damage', () => {
    const heads = [31, 32, 33, 64, 224].map((control) => Buffer.of(control, ...listpack(5, 30)));
    const values = [
      ...[lzf(1, 88), lzf(1, 89), lzf(0, 5), lzf(5, 0), lzf(100, 8801)].map((value) => ({ code: 0, value })),
      ...[lzf(10, 40, heads[0]), lzf(11, 40, heads[0])].map((value) => ({ code: 16, value })),
      ...heads.map((head) => ({ code: 16, value: lzf(40, 100, head) })),
      ...[0xc3, 0xc4, 0xff].map((first) => ({ code: 0, value: Buffer.of(first, 1, 2, 3) })),
      ...[0xc0, 0xc3, 0x80, 0x81, 0].map((first) => ({ code: 2, value: Buffer.of(first, 1, 2, 3) })),
      ...[0, 3, 0x42].map((kind) => ({ code: 18, value: Buffer.of(1, kind, ...str(listpack(5, 20))) })),
      { code: 16, value: str(listpack(65_535, 64)) },
      { code: 16, value: str(Buffer.alloc(5, 1)) },
      ...[2, 4, 5].map((code) => ({ code, value: Buffer.of(0) })),
      { code: 4, value: Buffer.concat([size(2), str('a'), str('b'), str('c')]) },
      { code: 16, value: Buffer.of(0xc0, 1) },
    ];
    for (const { code, value } of values) {
      const known = Array.from({ length: 4 }, () => key(0, 'k:x', str('v')));
      const file = rdbOf(
        Buffer.concat([...known, key(code, 'k:x', value), ...known, Buffer.alloc(100, 0x55)]),
      );
      const { scanned, portable } = readBothWays(file, [file.length], { separator: ':', top: 0 });
      expect(scanned.found).toEqual(portable.found);
    }
  });

  test('of windows', () => {
    const values = [
      key(0, 'k:some:name', str('v')),
      key(2, 'k:some', Buffer.concat([size(3), str('aa'), str('bbbbbbb'), lzf(4, 40)])),
      Buffer.concat([Buffer.of(0xfc), expiry(1e6), key(0, 'k:12:part', lzf(9, 90))]),
      key(5, 'k:12', Buffer.concat([size(2), str('aa'), Buffer.alloc(8, 7), str('b'), Buffer.alloc(8, 9)])),
      key(2, 'k:some', Buffer.concat([size(2), str('aa'), str('b'.repeat(70))])),
      key(5, 'k:12', Buffer.concat([size(1), str('c'.repeat(70)), Buffer.alloc(8, 3)])),
      key(16, 'k:some:name', str(listpack(6, 30))),
      key(
        18,
        'k:12:part',
        Buffer.concat([size(2), Buffer.of(2), str(listpack(4, 20)), Buffer.of(1, 3), str('ab')]),
      ),
      Buffer.concat([Buffer.of(0xf8, 0x80, 0, 1, 0, 0), key(0, 'k:some', Buffer.of(0xc1, 1, 2))]),
      Buffer.concat([Buffer.of(0xf9, 200), key(0, 'k:12:part', str('value'))]),
    ];
    const whole = rdbOf(Buffer.concat([...values, ...values]));
    const one = readBothWays(whole, [whole.length], { separator: ':', top: 0 }).portable.found;
    // Small windows cut everything; of the larger ones each fifth is another cut.
    const chunks = Array.from({ length: whole.length }, (_, at) => at + 1);
    for (const chunk of [...chunks.slice(0, 40), ...sampled(chunks.slice(40), 5)]) {
      const { scanned } = readBothWays(whole, [chunk], { separator: ':', top: 0 });
      expect(scanned.found, `in chunks of ${chunk}`).toEqual(one);
    }
    for (const length of sampled(chunks.slice(8, -1), 3)) {
      const { scanned, portable } = readBothWays(whole.subarray(0, length), [whole.length], {
        separator: ':',
      });
      expect(scanned.found.verdict, `cut to ${length}`).toEqual(portable.found.verdict);
    }
  });
});

test('the kernel reads nearly all keys of a file, in every database, once it is known what divides their names', () => {
  const names = Array.from({ length: 30_000 }, (_, at) => `${['user', 'cart', 'seen'][at % 3]}:${at}:name`);
  const other = Buffer.concat([Buffer.of(0xfe, 3), bodyOf(names.slice(0, 1000)), Buffer.of(0xfe, 1)]);
  const body = Buffer.concat([bodyOf(names), other, bodyOf(names.slice(0, 10))]);
  const { scanned, portable } = readBothWays(rdbOf(body), [300_000]);
  expect(scanned.found).toEqual(portable.found);
  expect(scanned.found.verdict).toMatchObject({
    content: {
      databases: {
        0: { keys: 30_000, expires: 0 },
        3: { keys: 1000, expires: 0 },
        1: { keys: 10, expires: 0 },
      },
      types: { string: 31_010 },
    },
  });
  expect(scanned.found.summary.databases.map(({ database, keys }) => [database, keys])).toEqual([
    [0, 30_000],
    [1, 10],
    [3, 1000],
  ]);
  // the sample, and what lay in one window with its end
  expect(scanned.calls).toBeLessThan(20_000);
  expect(portable.calls).toBe(31_010);
});

/** Not a number, since numbers count as one. */
function lettersOf(number: number): string {
  return Array.from(String(number), (digit) => 'ghijklmnop'[Number(digit)]).join('');
}

function fileOf(names: readonly string[]): Buffer {
  return rdbOf(bodyOf(names));
}

function bodyOf(names: readonly string[]): Buffer {
  return Buffer.concat(
    names.map((name) => Buffer.from(`\0${String.fromCharCode(name.length)}${name}\u0001v`, 'latin1')),
  );
}

/** A length in its shortest form, of up to two bytes. */
function size(length: number): Buffer {
  return length < 64 ? Buffer.of(length) : Buffer.of(0x40 | (length >> 8), length & 255);
}

function str(content: string | Uint8Array): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  return Buffer.concat([size(bytes.length), bytes]);
}

function key(code: number, name: string, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(code), str(name), value]);
}

/** Milliseconds, as they follow their opcode. */
function expiry(at: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(at));
  return bytes;
}

/** A string that says that it is compressed; nothing decompresses more than its head. */
function lzf(stored: number, whole: number, head: Uint8Array = Buffer.of(31)): Buffer {
  const bytes = Buffer.alloc(stored);
  bytes.set(head.subarray(0, stored));
  return Buffer.concat([Buffer.of(0xc3), size(stored), size(whole), bytes]);
}

// Packed values that have right heads and nothing else: no more is looked at.
function listpack(count: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt16LE(count, 4);
  return bytes;
}

function ziplist(count: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt16LE(count, 8);
  return bytes;
}

function intset(count: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(count, 4);
  return bytes;
}
