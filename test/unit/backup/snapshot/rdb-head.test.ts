import { expect, test } from 'vitest';
import { readFirstDatabase } from '../../../../src/backup/snapshot/rdb-head.ts';

const aux = [0xfa, 0x03, ...Buffer.from('ctx'), 0xc2, 1, 2, 3, 4];

function head(magic: string, ...parts: number[][]): Buffer {
  return Buffer.concat([Buffer.from(magic), ...parts.map((part) => Buffer.from(part))]);
}

test.each([
  ['REDIS0009', [0xfe, 0, 0xfb, 5, 2], { number: '0', keys: 5, expires: 2 }],
  ['REDIS0012', [0xfe, 15, 0xfb, 0x41, 0x00, 0], { number: '15', keys: 256, expires: 0 }],
  ['VALKEY080', [0xfe, 0, 0xfb, 0x80, 0, 1, 0, 0, 1], { number: '0', keys: 65_536, expires: 1 }],
  ['REDIS0012', [0xfe, 0, 0xfb, 0x81, 0, 0, 0, 1, 0, 0, 0, 0, 0], { number: '0', keys: 2 ** 32, expires: 0 }],
] as const)('%s: the first database’s counts', (magic, bytes, expected) => {
  expect(readFirstDatabase(head(magic, aux, [...bytes]))).toEqual(expected);
});

test('AUX fields of every encoding and functions are passed over', () => {
  const fields = [
    [0xfa, 1, 0x61, 0xc0, 7],
    [0xfa, 1, 0x61, 0xc1, 7, 7],
    [0xfa, 1, 0x61, 0xc3, 2, 9, 0xff, 0xff], // LZF: two bytes for nine
    [0xfa, 0x40, 3, 0x61, 0x61, 0x61, 0],
    [0xf5, 4, ...Buffer.from('code')],
  ].flat();
  expect(readFirstDatabase(head('REDIS0011', fields, [0xfe, 2, 0xfb, 1, 1]))).toEqual({
    number: '2',
    keys: 1,
    expires: 1,
  });
});

test('a dump without keys', () => {
  expect(readFirstDatabase(head('REDIS0010', aux, [0xff, 0, 0, 0, 0, 0, 0, 0, 0]))).toBe('none');
});

test.each([
  ['nothing', head('')],
  ['another format', head('RIFF00000', aux, [0xff])],
  ['an end within the counts', head('REDIS0010', [0xfe, 0, 0xfb, 0x80, 0, 0])],
  ['an end within an AUX field', head('REDIS0010', [0xfa, 0x80, 0x7f, 0xff, 0xff, 0xff, 0])],
  ['an end before any database', head('REDIS0010', aux)],
  ['data of a module', head('REDIS0010', [0xf7, 1, 2, 0, 0, 0xff])],
  ['counts without a database', head('REDIS0010', [0xfb, 5, 2])],
])('%s: not known', (_, bytes) => {
  expect(readFirstDatabase(bytes)).toBe(undefined);
});
