import { describe, expect, test } from 'vitest';
import { entriesOf, faultOf, textsOf } from '../../../../support/rdb/packed-entries.ts';

/** A listpack of entries that are given with their back lengths. */
function listpack(entries: (number[] | Buffer)[], count = entries.length): Buffer {
  const body = Buffer.concat(entries.map((entry) => Buffer.from(entry)));
  const head = Buffer.alloc(6);
  head.writeUInt32LE(body.length + 7);
  head.writeUInt16LE(count, 4);
  return Buffer.concat([head, body, Buffer.of(0xff)]);
}

/** Text in its shortest form, with the back length that listpack.c writes. */
function textEntry(length: number): Buffer {
  const text = Buffer.alloc(length, 'abcdefghijklmnopqrstuvwxyz');
  const head =
    length < 64
      ? [0x80 | length]
      : length < 4096
        ? [0xe0 | (length >> 8), length & 0xff]
        : [0xf0, length & 0xff, (length >> 8) & 0xff, (length >> 16) & 0xff, length >>> 24];
  return Buffer.concat([Buffer.of(...head), text, Buffer.of(...backLength(head.length + length))]);
}

function backLength(length: number): number[] {
  const low = (shift: number): number => ((length >> shift) & 127) | 128;
  if (length <= 127) return [length];
  if (length < 16_383) return [length >> 7, low(0)];
  if (length < 2_097_151) return [length >> 14, low(7), low(0)];
  return [length >> 21, low(14), low(7), low(0)];
}

describe('a listpack', () => {
  test.for<[form: string, bytes: number[], value: number | bigint]>([
    ['7 bits, lowest', [0x00, 1], 0],
    ['7 bits, highest', [0x7f, 1], 127],
    ['13 bits, highest', [0xcf, 0xff, 2], 4095],
    ['13 bits, lowest', [0xd0, 0x00, 2], -4096],
    ['13 bits, -1', [0xdf, 0xff, 2], -1],
    ['16 bits, highest', [0xf1, 0xff, 0x7f, 3], 32_767],
    ['16 bits, lowest', [0xf1, 0x00, 0x80, 3], -32_768],
    ['24 bits, highest', [0xf2, 0xff, 0xff, 0x7f, 4], 8_388_607],
    ['24 bits, lowest', [0xf2, 0x00, 0x00, 0x80, 4], -8_388_608],
    ['24 bits, -1', [0xf2, 0xff, 0xff, 0xff, 4], -1],
    ['32 bits, highest', [0xf3, 0xff, 0xff, 0xff, 0x7f, 5], 2_147_483_647],
    ['32 bits, lowest', [0xf3, 0x00, 0x00, 0x00, 0x80, 5], -2_147_483_648],
    ['64 bits, 2^31', [0xf4, 0, 0, 0, 0x80, 0, 0, 0, 0, 9], 2_147_483_648],
    ['64 bits, 2^53 - 1', [0xf4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0, 9], 2 ** 53 - 1],
    ['64 bits, 2^53 + 1', [0xf4, 1, 0, 0, 0, 0, 0, 0x20, 0, 9], 9_007_199_254_740_993n],
    [
      '64 bits, -2^53 - 1',
      [0xf4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xdf, 0xff, 9],
      -9_007_199_254_740_993n,
    ],
    ['64 bits, highest', [0xf4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 9], 2n ** 63n - 1n],
    ['64 bits, lowest', [0xf4, 0, 0, 0, 0, 0, 0, 0, 0x80, 9], -(2n ** 63n)],
    ['64 bits, -1', [0xf4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 9], -1],
  ])('has integers of %s', ([, bytes, value]) => {
    expect(entriesOf('listpack', listpack([bytes]))).toEqual([value]);
    expect(textsOf('listpack', listpack([bytes, [5, 1]]))).toEqual([String(value), '5']);
  });

  test.for([
    0, 1, 63, 64, 125, 126, 127, 4095, 4096, 16_376, 16_377, 16_378, 16_379, 2_097_145, 2_097_146, 2_097_147,
  ])('has text of %s bytes', (length) => {
    const [text, after] = entriesOf('listpack', listpack([textEntry(length), [5, 1]]));
    expect(String(text)).toHaveLength(length);
    expect(String(text).at(-1)).toBe(
      length === 0 ? undefined : String.fromCharCode(97 + ((length - 1) % 26)),
    );
    expect(after).toBe(5);
  });

  test('has the greatest lengths behind an entry in two forms: Valkey 9.1 leaves out a zero', () => {
    for (const [length, back] of [
      [16_383, Buffer.of(0x7f, 0xff)],
      [2_097_151, Buffer.of(0x7f, 0xff, 0xff)],
    ] as const) {
      const usual = textEntry(length - 5);
      const short = Buffer.concat([usual.subarray(0, length), back]);
      expect(usual).toHaveLength(length + back.length + 1);
      expect(textsOf('listpack', listpack([usual, [5, 1]]))).toEqual(
        textsOf('listpack', listpack([short, [5, 1]])),
      );
    }
  });

  test('may have text in a longer form than needed, and digits as text', () => {
    expect(
      entriesOf(
        'listpack',
        listpack([
          [0xf0, 2, 0, 0, 0, 0x34, 0x32, 7],
          [0xe0, 1, 97, 3],
        ]),
      ),
    ).toEqual(['42', 'a']);
  });

  test('may leave its number of entries open', () => {
    expect(
      entriesOf(
        'listpack',
        listpack(
          [
            [1, 1],
            [2, 1],
          ],
          0xffff,
        ),
      ),
    ).toEqual([1, 2]);
    expect(entriesOf('listpack', listpack([]))).toEqual([]);
  });

  test.for<[what: string, bytes: Buffer, fault: string]>([
    ['nothing', Buffer.alloc(0), '0 bytes are too few'],
    ['no end', Buffer.of(6, 0, 0, 0, 0, 0), '6 bytes are too few'],
    ['another end', Buffer.of(7, 0, 0, 0, 0, 0, 0xfe), 'end mark is missing'],
    ['a byte behind it', Buffer.concat([listpack([[1, 1]]), Buffer.of(0xff)]), 'has 10 bytes and not the 9'],
    ['a byte less', listpack([[1, 1]]).subarray(0, -1), 'has 8 bytes and not the 9'],
    ['too high a count', listpack([[1, 1]], 2), 'has 1 entries and not the 2'],
    [
      'too low a count',
      listpack(
        [
          [1, 1],
          [2, 1],
        ],
        1,
      ),
      'has 2 entries and not the 1',
    ],
    ['an end before the end', listpack([[0xff], [1, 1]]), 'unknown encoding 0xff'],
    [
      'an unknown encoding',
      listpack([
        [1, 1],
        [0xf5, 0, 2],
      ]),
      'entry 1 has the unknown encoding 0xf5',
    ],
    ['a wrong back length', listpack([[1, 2]]), 'the length behind entry 0'],
    ['a back length in a longer form', listpack([[0xf1, 1, 1, 0, 0x83]]), 'the length behind entry 0'],
    ['a wrong long back length', listpack([textEntry(200).fill(2, 202, 203)]), 'behind entry 0'],
    ['text past the end', listpack([[0x85, 97, 98]]), 'entry 1 reaches past the end'],
    ['text to the end without a back length', listpack([[0x82, 97, 98]]), 'past the end'],
    ['long text past the end', listpack([[0xf0, 0xff, 0xff, 0xff, 0xff, 97, 98]]), 'past the end'],
    ['half an integer', listpack([[0xf4, 1, 2, 3]]), 'entry 0 reaches past the end'],
    ['half a length', listpack([[0xf0, 1]]), 'entry 0 reaches past the end'],
    [
      'a back length that reaches over the end mark',
      listpack([textEntry(200).subarray(0, -1)]),
      'past the end',
    ],
  ])('may not have %s', ([, bytes, fault]) => {
    expect(faultOf('listpack', bytes)).toMatch(/^RdbError: a listpack is damaged: /);
    expect(faultOf('listpack', bytes)).toContain(fault);
  });
});
