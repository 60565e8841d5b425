import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countEntries, packedReader } from '../../../../../src/formats/rdb/packed/packed.ts';
import type { Packing } from '../../../../../src/formats/rdb/value-types.ts';
import { entriesOf, faultOf, textsOf } from '../../../../support/rdb/packed-entries.ts';
import { intset, listpack, zipmap, ziplist } from '../../../../support/rdb/packed-writer.ts';
import { anyStyle, usual } from '../../../../support/rdb/style.ts';
import { runs } from '../../../../support/house/tier.ts';

function rawIntset(width: number, values: bigint[], count = values.length): Buffer {
  const bytes = Buffer.alloc(8 + values.length * width);
  bytes.writeUInt32LE(width);
  bytes.writeUInt32LE(count, 4);
  for (const [index, value] of values.entries()) {
    const at = 8 + index * width;
    if (width === 2) bytes.writeInt16LE(Number(value), at);
    else if (width === 4) bytes.writeInt32LE(Number(value), at);
    else bytes.writeBigInt64LE(value, at);
  }
  return bytes;
}

describe('an intset', () => {
  test.for<[width: number, values: bigint[]]>([
    [2, [-32_768n, -1n, 0n, 32_767n]],
    [4, [-2_147_483_648n, 0n, 2_147_483_647n]],
    [
      8,
      [
        -(2n ** 63n),
        -(2n ** 63n) + 1n,
        -(2n ** 53n) - 1n,
        -(2n ** 53n),
        0n,
        2n ** 53n,
        2n ** 53n + 1n,
        2n ** 63n - 1n,
      ],
    ],
  ])('has integers of %s bytes', ([width, values]) => {
    expect(textsOf('intset', rawIntset(width, values))).toEqual(values.map(String));
  });

  test.for<[what: string, bytes: Buffer, fault: string]>([
    ['nothing', Buffer.alloc(7), '7 bytes are too few'],
    ['another width', rawIntset(3, []), 'unknown encoding 3'],
    ['too few integers', rawIntset(2, [1n], 2), 'has 10 bytes and not the 12'],
    ['too many', rawIntset(4, [1n], 0), 'has 12 bytes and not the 8'],
    ['an enormous count', rawIntset(8, [1n], 0xffff_ffff), 'and not the 34359738368'],
    ['a number twice', rawIntset(2, [1n, 1n]), 'integer 1 is out of order'],
    ['a lower one after a higher', rawIntset(4, [1n, 2n, -3n]), 'integer 2 is out of order'],
    ['a lower one beyond 2^53', rawIntset(8, [2n ** 53n + 1n, 2n ** 53n]), 'integer 1 is out of order'],
    ['one twice beyond 2^53', rawIntset(8, [2n ** 60n, 2n ** 60n]), 'integer 1 is out of order'],
  ])('may not have %s', ([, bytes, fault]) => {
    expect(faultOf('intset', bytes)).toContain('RdbError: an intset is damaged: ');
    expect(faultOf('intset', bytes)).toContain(fault);
  });
});

describe('a zipmap', () => {
  const long = (length: number): number[] => [254, length & 0xff, length >> 8, 0, 0];

  test('has keys and values, with unused bytes behind values', () => {
    expect(textsOf('zipmap', Buffer.of(2, 1, 97, 1, 0, 98, 0, 2, 3, 99, 100, 9, 9, 9, 255))).toEqual([
      'a',
      'b',
      '',
      'cd',
    ]);
    expect(textsOf('zipmap', Buffer.of(0, 255))).toEqual([]);
  });

  test.for([253, 254, 255, 300, 70_000])('has lengths around 254: %s', (length) => {
    const text = Buffer.alloc(length, 'xyz');
    const head = length < 254 ? [length] : [254, length & 0xff, (length >> 8) & 0xff, length >> 16, 0];
    const bytes = Buffer.concat([
      Buffer.of(1, ...head),
      text,
      Buffer.of(...head, 2),
      text,
      Buffer.of(0, 0, 255),
    ]);
    expect(textsOf('zipmap', bytes)).toEqual([text.toString(), text.toString()]);
  });

  test('may leave its number of pairs open', () => {
    expect(textsOf('zipmap', Buffer.of(254, 1, 97, 1, 0, 98, 255))).toEqual(['a', 'b']);
  });

  test.for<[what: string, bytes: Buffer, fault: string]>([
    ['nothing', Buffer.of(0), '1 bytes are too few'],
    ['no end', Buffer.of(1, 1, 97, 1, 0, 98), 'end mark is missing'],
    ['a wrong count', Buffer.of(2, 1, 97, 1, 0, 98, 255), 'has 1 pairs and not the 2'],
    ['a key without a value', Buffer.of(1, 1, 97, 255), 'last key has no value'],
    ['an end before the end', Buffer.of(1, 255, 255), 'an end mark is before entry 0'],
    ['a key past the end', Buffer.of(1, 9, 97, 255), 'past the end'],
    ['a long key past the end', Buffer.of(1, ...long(65_535), 97, 255), 'past the end'],
    ['half a length', Buffer.of(1, 254, 1, 255), 'past the end'],
    ['unused bytes past the end', Buffer.of(1, 1, 97, 1, 9, 98, 255), 'past the end'],
    ['no number of unused bytes', Buffer.of(1, 1, 97, 0, 255), 'past the end'],
  ])('may not have %s', ([, bytes, fault]) => {
    expect(faultOf('zipmap', bytes)).toContain('RdbError: a zipmap is damaged: ');
    expect(faultOf('zipmap', bytes)).toContain(fault);
  });
});

const anyEntries = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 70 }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => Buffer.from(String(value))),
    fc.integer({ min: -5000, max: 5000 }).map((value) => Buffer.from(String(value))),
    fc.integer({ min: 120, max: 5000 }).map((length) => Buffer.alloc(length, 'long ')),
  ),
  { maxLength: 20 },
);
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

const writers = { listpack, ziplist } as const;

describe('any of them', () => {
  test.for(['listpack', 'ziplist'] as const)('%s: gives back what was written, in any form', (packing) => {
    fc.assert(
      fc.property(anyEntries, fc.nat(), (entries, seed) => {
        const bytes = writers[packing](entries, anyStyle(seed));
        expect(textsOf(packing, bytes)).toEqual(entries.map(latin1));
        const count = countEntries(packing, bytes.subarray(0, 10));
        expect(count ?? entries.length).toBe(entries.length);
      }),
    );
  });

  test('zipmap and intset too', () => {
    fc.assert(
      fc.property(anyEntries, fc.nat(), (entries, seed) => {
        const pairs = entries.slice(0, entries.length & ~1);
        const bytes = zipmap(pairs, anyStyle(seed));
        expect(textsOf('zipmap', bytes)).toEqual(pairs.map(latin1));
        expect(countEntries('zipmap', bytes)).toBe(pairs.length);
      }),
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
        fc.nat(),
        (values, seed) => {
          const bytes = intset(values, anyStyle(seed));
          const sorted = values.toSorted((a, b) => (a < b ? -1 : 1));
          expect(textsOf('intset', bytes)).toEqual(sorted.map(String));
          expect(countEntries('intset', bytes)).toBe(values.length);
        },
      ),
    );
  });

  test('its count is not told by a header that is short or leaves it open', () => {
    for (const packing of ['listpack', 'ziplist', 'intset', 'zipmap'] as const)
      expect(countEntries(packing, Buffer.alloc(0))).toBeUndefined();
    expect(countEntries('listpack', Buffer.of(0, 0, 0, 0, 255, 255))).toBeUndefined();
    expect(countEntries('listpack', Buffer.of(0, 0, 0, 0, 254, 255))).toBe(65_534);
    expect(countEntries('ziplist', Buffer.of(0, 0, 0, 0, 0, 0, 0, 0, 255, 255))).toBeUndefined();
    expect(countEntries('zipmap', Buffer.of(253))).toBe(506);
    expect(countEntries('zipmap', Buffer.of(254))).toBeUndefined();
    expect(countEntries('intset', Buffer.of(2, 0, 0, 0, 1, 0, 0, 0x80))).toBe(0x8000_0001);
  });

  test.for<Packing>(['listpack', 'ziplist', 'intset', 'zipmap'])(
    '%s: damage is an RdbError or reads as something else, never more',
    (packing) => {
      const make = (entries: Uint8Array[], seed: number): Buffer => {
        if (packing === 'zipmap') return zipmap(entries.slice(0, entries.length & ~1), anyStyle(seed));
        if (packing === 'intset')
          return intset([...new Set(entries.map((entry) => BigInt(entry.length)))], usual);
        return writers[packing](entries, anyStyle(seed));
      };
      const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 });
      fc.assert(
        fc.property(anyEntries, fc.nat(), edits, fc.nat(20), (entries, seed, changes, cut) => {
          const bytes = make(entries, seed);
          for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
          const fault = faultOf(packing, bytes.subarray(0, cut === 0 ? -1 : bytes.length));
          expect(fault ?? 'RdbError: ').toContain('RdbError: ');
        }),
        { numRuns: runs(1500) },
      );
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
          expect(faultOf(packing, bytes) ?? 'RdbError: ').toContain('RdbError: ');
        }),
        { numRuns: runs(1000) },
      );
    },
  );

  test('text that is an integer of 64 bits can be taken for one, nothing else', () => {
    const integers: Record<string, number | bigint> = {
      '0': 0,
      '-1': -1,
      '9007199254740993': 9_007_199_254_740_993n,
      '-9223372036854775808': -(2n ** 63n),
    };
    const others = [
      '',
      '-0',
      '01',
      '+1',
      '1 ',
      'a',
      '1.0',
      '9223372036854775808',
      '-9223372036854775809',
      '1'.repeat(40),
    ];
    const forced = { pick: (choices: number) => (choices === 4 ? 3 : 0) };
    for (const text of [...Object.keys(integers), ...others]) {
      const reader = packedReader('listpack');
      reader.open(listpack([Buffer.from(text)], forced));
      reader.next();
      expect(reader.isInteger).toBe(false);
      expect(reader.toInteger()).toBe(Object.hasOwn(integers, text));
      expect(reader.isInteger ? (reader.large ?? reader.value) : undefined).toBe(integers[text]);
      expect(latin1(reader.bytes())).toBe(text);
    }
    expect(entriesOf('listpack', listpack([Buffer.from('42')], usual))).toEqual([42]);
  });
});
