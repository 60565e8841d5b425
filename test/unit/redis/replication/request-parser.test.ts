import { describe, expect, test } from 'vitest';
import { RequestError, RequestParser } from '../../../../src/redis/replication/request-parser.ts';

const replconf = '*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$2\r\n14\r\n';

describe('requests of a replica', () => {
  test.each([1, 2, 3, 7, 1000])('are found in chunks of %i bytes, whatever their form', (size) => {
    const text = `*1\r\n$4\r\nPING\r\n\n\r\n${replconf}PSYNC ? -1\r\n*2\r\n$4\r\nAUTH\r\n$4\r\na\r\nb\r\n\n`;
    const bytes = Buffer.from(text);
    const parser = new RequestParser();
    const found: string[][] = [];
    for (let at = 0; at < bytes.length; at += size)
      found.push(...parser.update(bytes.subarray(at, at + size)));
    expect(found).toEqual([['PING'], ['REPLCONF', 'ACK', '14'], ['PSYNC', '?', '-1'], ['AUTH', 'a\r\nb']]);
  });

  test.each([
    ['an array that never ends', '*1000000\r\n'],
    ['a length that is none', '*x\r\n'],
    ['a negative length', '*-1\r\n'],
    ['a word of any size', '*1\r\n$999999\r\n'],
    ['a word without a length', '*1\r\nPING\r\n'],
    ['a word that is longer than it says', '*1\r\n$2\r\nPING\r\n'],
    ['a line that never ends', 'x'.repeat(5000)],
    ['a line that ends too late', `${'x'.repeat(5000)}\r\n`],
  ])('refuse %s', (_, text) => {
    expect(() => new RequestParser().update(Buffer.from(text))).toThrow(RequestError);
  });

  test('take no more memory than one of them', () => {
    const parser = new RequestParser();
    const most = `*16\r\n${`$4096\r\n${'x'.repeat(4096)}\r\n`.repeat(16)}`;
    expect(parser.update(Buffer.from(most))[0]).toHaveLength(16);
  });
});
