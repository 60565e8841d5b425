import { expect, test } from 'vitest';
import { RdbCheck, type CheckOptions, type RdbVerdict } from '../../../../src/formats/rdb/rdb-check.ts';
import { DumpRules } from '../../../../src/formats/rdb/whole/dump-rules.ts';
import type { RdbRecord } from '../../../../src/formats/rdb/rdb-handler.ts';
import { faultOf } from '../../../support/rdb/observe.ts';
import { rdbOf } from '../../../support/rdb/rdb.ts';

const bytesOf = (text: string): number[] => [...Buffer.from(text)];
const text = (value: string): number[] => [value.length, ...bytesOf(value)];

function check(file: Uint8Array, options: CheckOptions = {}): RdbVerdict {
  const checked = new RdbCheck(file.length, options);
  checked.update(file);
  return checked.finish();
}

const twoKeys = [
  [0xfa, ...text('redis-ver'), ...text('7.0.15')],
  [0xfe, 0, 0, ...text('a'), ...text('1')],
  [0xfe, 3, 0xfc, 1, 0, 0, 0, 0, 0, 0, 0, 2, ...text('b'), 2, ...text('x'), ...text('y')],
].flat();

test('tells what a dump holds', () => {
  expect(check(rdbOf(Buffer.from(twoKeys)))).toEqual({
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
  const verdict = check(
    rdbOf(Buffer.from([...twoKeys, 18, ...text('list'), 1, 7, ...text('x')]), 'REDIS0010'),
  );
  expect(verdict).toEqual({
    sound: false,
    problem: 'a list node in container 7 (at byte 61 in record 2, key "list")',
  });
});

test.each([
  ['of UTF-8, as it reads', Buffer.from('ключ'), 'ключ'],
  ['of other bytes, escaped', Buffer.from([0x61, 0xff, 0x80]), 'a\\xff\\x80'],
  ['cut between characters', Buffer.from(`a${'ю'.repeat(150)}`), `a${'ю'.repeat(99)}`],
])('a broken record is named by its key: %s', (_, name, shown) => {
  const length = [0x40 | (name.length >> 8), name.length & 0xff];
  const file = rdbOf(Buffer.from([0xfe, 0, 18, ...length, ...name, 1, 7, ...text('x')]));
  expect(faultOf(file)).toMatchObject({ record: { index: 0, key: shown } });
});

test('what is not known by name is no damage, while the file as a whole is right', () => {
  const later = rdbOf(Buffer.from([...twoKeys, 26, ...text('stream'), 0]), 'REDIS0013');
  expect(check(later)).toMatchObject({
    sound: true,
    rdbVersion: 13,
    content: { unread: expect.stringContaining('a stream of Redis 8.6 or later') as unknown },
  });
  later[20]! ^= 1;
  expect(check(later)).toMatchObject({ sound: false });
});

test('without a checksum, what is not known by name is damage where everything of the version is known', () => {
  const withoutChecksum = (magic: string): Buffer => {
    const file = rdbOf(Buffer.from([...twoKeys, 32, ...text('a'), ...text('1')]), magic);
    return file.fill(0, file.length - 8);
  };
  expect(check(withoutChecksum('REDIS0010'))).toEqual({
    sound: false,
    problem: 'the value type 32 is not known in a file of redis (at byte 54), and it has no checksum',
  });
  expect(check(withoutChecksum('REDIS0013'))).toMatchObject({ sound: true, crc: 'off' });
  expect(check(rdbOf(Buffer.from([...twoKeys, 32, ...text('a')]), 'REDIS0010'))).toMatchObject({
    sound: true,
  });
});

test('counts of a file with no end of databases stay bounded, and none of its keys is left out', () => {
  const one = [0xfe, 0x80, 0, 0, 0, 0, 0, ...text('a'), ...text('1')];
  const body = Buffer.alloc(70_000 * one.length);
  for (let database = 0; database < 70_000; database++) {
    body.set(one, database * one.length);
    body.writeUInt32BE(database, database * one.length + 2);
  }
  const verdict = check(rdbOf(body));
  const content = verdict.sound && 'databases' in verdict.content ? verdict.content : undefined;
  const counts = Object.values(content?.databases ?? {});
  expect(counts).toHaveLength(65_536);
  expect(counts.reduce((sum, { keys }) => sum + keys, 0)).toBe(70_000);
});

test('damage inside a packed value is found by decoding it, and only so', () => {
  // a listpack of one entry that claims to be ten bytes longer than the listpack
  const listpack = [10, 0, 0, 0, 1, 0, 0x8a, 0x61, 1, 0xff];
  const file = rdbOf(Buffer.from([0xfe, 0, 20, ...text('set'), listpack.length, ...listpack]), 'REDIS0011');
  expect(check(file)).toMatchObject({ sound: true, content: { types: { set: 1 } } });
  expect(check(file, { rules: new DumpRules({ high: 1, low: 2 }) })).toMatchObject({
    sound: false,
    problem: expect.stringMatching(/in record 0, key "set"\)$/) as unknown,
  });
});

test('a listener hears of every key, whether values are decoded or not', () => {
  for (const deep of [false, true]) {
    const keys: number[] = [];
    const listener = { record: (record: RdbRecord) => void keys.push(record.database) };
    check(rdbOf(Buffer.from(twoKeys)), {
      listener,
      rules: deep ? new DumpRules({ high: 1, low: 2 }) : undefined,
    });
    expect(keys).toEqual([0, 3]);
  }
});
