import { describe, expect, test } from 'vitest';
import { entriesOf, faultOf, textsOf } from '../../../../support/rdb/packed-entries.ts';

/** A ziplist of entries that are given without the length of the one before. */
function ziplist(
  entries: number[][],
  { count = entries.length, long = false, last }: { count?: number; long?: boolean; last?: number } = {},
): Buffer {
  const parts: Buffer[] = [];
  let previous = 0;
  let at = 10;
  let lastAt = 10;
  for (const entry of entries) {
    const before = previous < 254 && !long ? Buffer.of(previous) : Buffer.of(254, 0, 0, 0, 0);
    if (before.length > 1) before.writeUInt32LE(previous, 1);
    parts.push(before, Buffer.from(entry));
    lastAt = at;
    previous = before.length + entry.length;
    at += previous;
  }
  const head = Buffer.alloc(10);
  head.writeUInt32LE(at + 1);
  head.writeUInt32LE(last ?? lastAt, 4);
  head.writeUInt16LE(count, 8);
  return Buffer.concat([head, ...parts, Buffer.of(0xff)]);
}

function textEntry(length: number): number[] {
  const text = Array.from({ length }, (_, index) => 97 + (index % 26));
  if (length < 64) return [length, ...text];
  if (length < 16_384) return [0x40 | (length >> 8), length & 0xff, ...text];
  return [0x80, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff, ...text];
}

describe('a ziplist', () => {
  test.for<[form: string, bytes: number[], value: number | bigint]>([
    ['no bytes, lowest', [0xf1], 0],
    ['no bytes, highest', [0xfd], 12],
    ['8 bits, highest', [0xfe, 0x7f], 127],
    ['8 bits, lowest', [0xfe, 0x80], -128],
    ['16 bits, highest', [0xc0, 0xff, 0x7f], 32_767],
    ['16 bits, lowest', [0xc0, 0x00, 0x80], -32_768],
    ['24 bits, highest', [0xf0, 0xff, 0xff, 0x7f], 8_388_607],
    ['24 bits, lowest', [0xf0, 0x00, 0x00, 0x80], -8_388_608],
    ['32 bits, highest', [0xd0, 0xff, 0xff, 0xff, 0x7f], 2_147_483_647],
    ['32 bits, lowest', [0xd0, 0x00, 0x00, 0x00, 0x80], -2_147_483_648],
    ['64 bits, highest', [0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], 2n ** 63n - 1n],
    ['64 bits, lowest', [0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80], -(2n ** 63n)],
    ['64 bits, 2^40', [0xe0, 0, 0, 0, 0, 0, 1, 0, 0], 2 ** 40],
  ])('has integers of %s', ([, bytes, value]) => {
    expect(entriesOf('ziplist', ziplist([bytes]))).toEqual([value]);
    expect(textsOf('ziplist', ziplist([bytes, [0xf6]]))).toEqual([String(value), '5']);
  });

  test.for([0, 1, 63, 64, 250, 251, 252, 253, 254, 255, 16_383, 16_384, 70_000])(
    'has text of %s bytes',
    (length) => {
      const [text, after] = entriesOf('ziplist', ziplist([textEntry(length), [0xf6]]));
      expect(String(text)).toHaveLength(length);
      expect(String(text).at(-1)).toBe(
        length === 0 ? undefined : String.fromCharCode(97 + ((length - 1) % 26)),
      );
      expect(after).toBe(5);
    },
  );

  test('may have a short length of the entry before in the long form, which servers leave behind', () => {
    expect(entriesOf('ziplist', ziplist([[0xf2], [0xf3]], { long: true }))).toEqual([1, 2]);
  });

  test('may leave its number of entries open', () => {
    expect(entriesOf('ziplist', ziplist([[0xf2], [0xf3]], { count: 0xffff }))).toEqual([1, 2]);
    expect(entriesOf('ziplist', ziplist([]))).toEqual([]);
  });

  test.for<[what: string, bytes: Buffer, fault: string]>([
    ['nothing', Buffer.alloc(0), '0 bytes are too few'],
    ['no end', ziplist([]).subarray(0, -1), '10 bytes are too few'],
    ['another end', Buffer.from(ziplist([[0xf2]])).fill(0xfe, 12), 'end mark is missing'],
    ['a byte behind it', Buffer.concat([ziplist([[0xf2]]), Buffer.of(0xff)]), 'has 14 bytes and not the 13'],
    ['a wrong count', ziplist([[0xf2]], { count: 3 }), 'has 1 entries and not the 3'],
    ['a wrong place of the last entry', ziplist([[0xf2], [0xf2]], { last: 10 }), 'place of the last entry'],
    [
      'a wrong length of the entry before',
      Buffer.from(ziplist([[0xf2], [0xf3]])).fill(3, 12, 13),
      'entry 1 does not have',
    ],
    [
      'a length before the first entry',
      Buffer.from(ziplist([[0xf2]])).fill(1, 10, 11),
      'entry 0 does not have',
    ],
    [
      'an end before the end',
      Buffer.from(ziplist([[0xf2]])).fill(0xff, 10, 11),
      'an end mark is before entry 0',
    ],
    ['an unknown encoding', ziplist([[0xff]]), 'entry 0 has the unknown encoding 0xff'],
    ['another unknown encoding', ziplist([[0xc1, 0, 0]]), 'entry 0 has the unknown encoding 0xc1'],
    ['text past the end', ziplist([[5, 97]]), 'past the end'],
    ['long text past the end', ziplist([[0x80, 0xff, 0xff, 0xff, 0xff, 97]]), 'past the end'],
    ['half a length', ziplist([[0x80, 0]]), 'past the end'],
    ['half a short length', ziplist([[0x41]]), 'past the end'],
    ['half an integer', ziplist([[0xe0, 1, 2]]), 'past the end'],
    ['no encoding', ziplist([[]]), 'past the end'],
  ])('may not have %s', ([, bytes, fault]) => {
    expect(faultOf('ziplist', bytes)).toMatch(/^RdbError: a ziplist is damaged: /);
    expect(faultOf('ziplist', bytes)).toContain(fault);
  });
});
