import { expect, test } from 'vitest';
import { countCommandsBehind } from '../../../../src/formats/aof/commands-behind.ts';
import { resp } from '../../../support/data/resp.ts';

const set = resp(['SET', 'key', 'value']);

test('a tear has nothing behind it', () => {
  for (let length = 0; length < set.length; length++)
    expect(countCommandsBehind(set.subarray(0, length))).toBe(0);
});

test('behind a damaged length there are whole commands', () => {
  const bytes = Buffer.concat([
    Buffer.from('*3\r\n$3\r\nSET\r\n$300000\r\nkey\r\n$5\r\nvalue\r\n'),
    set,
    set,
    set.subarray(0, 9),
  ]);
  expect(countCommandsBehind(bytes)).toBe(2);
});

test('many false beginnings end the search and not the process', () => {
  expect(countCommandsBehind(Buffer.from('\r\n*1\r\n$3\r\nX'.repeat(50_000)))).toBe(0);
});
