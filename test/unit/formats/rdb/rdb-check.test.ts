import { expect, test } from 'vitest';
import { Crc64 } from '../../../../src/formats/rdb/crc64.ts';
import { RdbCheck, type RdbVerdict } from '../../../../src/formats/rdb/rdb-check.ts';

const bytesOf = (text: string): number[] => [...Buffer.from(text)];
const text = (value: string): number[] => [value.length, ...bytesOf(value)];

/** A whole file around `body`, with a right checksum. */
function fileOf(magic: string, body: number[]): Buffer {
  const file = Buffer.from([...bytesOf(magic), ...body, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
  file.writeBigUInt64LE(new Crc64().update(file.subarray(0, -8)).digest(), file.length - 8);
  return file;
}

function check(file: Uint8Array): RdbVerdict {
  const checked = new RdbCheck(file.length);
  checked.update(file);
  return checked.finish();
}

const twoKeys = [
  ...[0xfa, ...text('redis-ver'), ...text('7.0.15')],
  ...[0xfe, 0, 0, ...text('a'), ...text('1')],
  ...[0xfe, 3, 0xfc, 1, 0, 0, 0, 0, 0, 0, 0, 2, ...text('b'), 2, ...text('x'), ...text('y')],
];

test('tells what a dump holds', () => {
  expect(check(fileOf('REDIS0010', twoKeys))).toEqual({
    sound: true,
    rdbVersion: 10,
    crc: 'ok',
    content: {
      databases: { 0: { keys: 1, expires: 0 }, 3: { keys: 1, expires: 1 } },
      types: { string: 1, set: 1 },
      aux: { 'redis-ver': '7.0.15' },
    },
  });
});

test('a right checksum around broken records is damage, and its place is named', () => {
  const verdict = check(fileOf('REDIS0010', [...twoKeys, 18, ...text('list'), 1, 7, ...text('x')]));
  expect(verdict).toEqual({
    sound: false,
    problem: 'a list node in container 7 (at byte 61 in record 2, key "list")',
  });
});

test('what is not known by name is no damage, while the file as a whole is right', () => {
  const later = fileOf('REDIS0013', [...twoKeys, 26, ...text('stream'), 0]);
  expect(check(later)).toMatchObject({
    sound: true,
    rdbVersion: 13,
    content: { unread: expect.stringContaining('a stream of Redis 8.6 or later') as unknown },
  });
  later[20]! ^= 1;
  expect(check(later)).toMatchObject({ sound: false });
});
