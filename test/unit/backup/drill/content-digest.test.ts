import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ContentDigest, type DigestOptions } from '../../../../src/backup/drill/content-digest.ts';
import { Differences } from '../../../../src/backup/drill/differences.ts';
import { anyFile } from '../../../support/rdb/arbitraries.ts';
import type { Contents, FileItem, KeyModel, StreamContents } from '../../../support/rdb/model.ts';
import { anyStyle } from '../../../support/rdb/style.ts';
import { writeRdb } from '../../../support/rdb/rdb-writer.ts';
import { runs } from '../../../support/house/tier.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

function key(
  name: string,
  code: number,
  contents: Contents,
  { expiresAt, idle }: { expiresAt?: number; idle?: number } = {},
): KeyModel {
  return {
    kind: 'key',
    name: bytes(name),
    code,
    contents,
    ...(expiresAt !== undefined && { expiry: { at: expiresAt, unit: 'milliseconds' as const } }),
    ...(idle !== undefined && { idle }),
  };
}

const text = (value: string): Contents => ({ data: 'string', bytes: bytes(value) });
const list = (...items: string[]): Contents => ({ data: 'list', items: items.map(bytes) });
const set = (...items: string[]): Contents => ({ data: 'set', items: items.map(bytes) });
const hash = (...items: [string, string, number?][]): Contents => ({
  data: 'hash',
  items: items.map(([field, value, at]) =>
    at === undefined ? [bytes(field), bytes(value)] : [bytes(field), bytes(value), at],
  ),
});
const zset = (...items: [string, number][]): Contents => ({
  data: 'zset',
  items: items.map(([member, score]) => [bytes(member), score]),
});

const group = {
  name: bytes('group'),
  lastId: [5n, 0n] as const,
  read: 1n,
  consumers: [
    {
      name: bytes('consumer'),
      seenAt: 1000n,
      activeAt: 900n,
      pending: [{ id: [5n, 0n] as const, deliveredAt: 800n, deliveries: 2 }],
    },
  ],
};
const someStream: StreamContents = {
  entries: [{ id: [5n, 0n], fields: [bytes('f')], values: [bytes('v')], deleted: false }],
  lastId: [5n, 0n],
  maxDeletedId: [0n, 0n],
  added: 1n,
  groups: [group],
};
const stream = (changes: Partial<StreamContents> = {}): Contents => ({
  data: 'stream',
  stream: { ...someStream, ...changes },
});

function digest(bytesOfFile: Uint8Array, options: DigestOptions = {}): ContentDigest {
  const result = new ContentDigest(options);
  result.reader.update(bytesOfFile);
  result.reader.finish();
  return result;
}

function fileOf(items: FileItem[], version = 12): Buffer {
  return writeRdb({ engine: 'redis', version, items, checksum: true }).bytes;
}

/** Is nothing but the form different? */
function same(one: FileItem[], other: FileItem[]): boolean {
  const [first, second] = [digest(fileOf(one)), digest(fileOf(other))];
  const equal = first.differingGroups(second).length === 0 && first.sameFunctions(second);
  expect(second.differingGroups(first).length === 0 && second.sameFunctions(first)).toBe(equal);
  return equal;
}

const base: FileItem[] = [
  key('text', 0, text('value'), { expiresAt: 1_900_000_000_000 }),
  key('list', 18, list('a', 'b', 'c')),
  key('set', 2, set('a', 'b', 'c')),
  key('hash', 4, hash(['f', 'v'], ['g', 'w'])),
  key('expiring', 24, hash(['f', 'v', 1_900_000_000_000], ['g', 'w'])),
  key('zset', 5, zset(['a', 1], ['b', 2.5])),
  key('stream', 21, stream()),
  { kind: 'database', database: 3 },
  key('text', 0, text('other')),
  { kind: 'functions', code: bytes('#!lua name=l\n') },
];
const without = (index: number): FileItem[] => base.toSpliced(index, 1);
const instead = (index: number, item: FileItem): FileItem[] => base.toSpliced(index, 1, item);

describe('the same content', () => {
  test.each<[string, FileItem[]]>([
    ['keys in another order', [...base.slice(0, 7).toReversed(), ...base.slice(7)]],
    ['members of a set in another order', instead(2, key('set', 2, set('c', 'a', 'b')))],
    ['a set as listpack', instead(2, key('set', 20, set('c', 'a', 'b')))],
    ['fields in another order', instead(3, key('hash', 4, hash(['g', 'w'], ['f', 'v'])))],
    ['a hash as listpack', instead(3, key('hash', 16, hash(['f', 'v'], ['g', 'w'])))],
    ['a sorted set as listpack', instead(5, key('zset', 17, zset(['a', 1], ['b', 2.5])))],
    ['a list as ziplists', instead(1, key('list', 14, list('a', 'b', 'c')))],
    ['another time of the last access', instead(8, key('text', 0, text('other'), { idle: 7 }))],
  ])('%s', (_, items) => {
    expect(same(base, items)).toBe(true);
  });

  test('in any form that the format allows', () => {
    fc.assert(
      fc.property(anyFile, fc.integer(), (model, seed) => {
        const one = digest(writeRdb(model).bytes);
        const other = digest(writeRdb(model, anyStyle(seed)).bytes);
        expect(one.differingGroups(other)).toEqual([]);
        expect(one.keys).toBe(other.keys);
      }),
      { numRuns: runs(60) },
    );
  });
});

describe('another content', () => {
  const entry = someStream.entries[0]!;
  test.each<[string, FileItem[]]>([
    ['a value', instead(0, key('text', 0, text('valuf'), { expiresAt: 1_900_000_000_000 }))],
    ['no expiry', instead(0, key('text', 0, text('value')))],
    [
      'an expiry a millisecond later',
      instead(0, key('text', 0, text('value'), { expiresAt: 1_900_000_000_001 })),
    ],
    ['a missing key', without(1)],
    ['one key more', [...base, key('more', 0, text('value'))]],
    ['another name', instead(1, key('lisp', 18, list('a', 'b', 'c')))],
    ['a list in another order', instead(1, key('list', 18, list('a', 'c', 'b')))],
    ['elements that are cut elsewhere', instead(1, key('list', 18, list('ab', 'c')))],
    ['a member', instead(2, key('set', 2, set('a', 'b', 'd')))],
    ['a member less', instead(2, key('set', 2, set('a', 'b')))],
    ['another type with the same elements', instead(2, key('set', 18, list('a', 'b', 'c')))],
    ['exchanged values', instead(3, key('hash', 4, hash(['f', 'w'], ['g', 'v'])))],
    ["a field's expiry", instead(4, key('expiring', 24, hash(['f', 'v', 1_900_000_000_001], ['g', 'w'])))],
    ['a field that stays', instead(4, key('expiring', 24, hash(['f', 'v'], ['g', 'w', 1_900_000_000_000])))],
    ['a score', instead(5, key('zset', 5, zset(['a', 1], ['b', 2.5000000000000004])))],
    ['exchanged scores', instead(5, key('zset', 5, zset(['a', 2.5], ['b', 1])))],
    [
      "an entry's value",
      instead(6, key('stream', 21, stream({ entries: [{ ...entry, values: [bytes('w')] }] }))),
    ],
    ["an entry's id", instead(6, key('stream', 21, stream({ entries: [{ ...entry, id: [4n, 0n] }] })))],
    ['a last id', instead(6, key('stream', 21, stream({ lastId: [6n, 0n] })))],
    ['entries added', instead(6, key('stream', 21, stream({ added: 2n })))],
    ['no group', instead(6, key('stream', 21, stream({ groups: [] })))],
    ["a group's place", instead(6, key('stream', 21, stream({ groups: [{ ...group, lastId: [4n, 0n] }] })))],
    ['no pending entry', instead(6, key('stream', 21, stream({ groups: [{ ...group, consumers: [] }] })))],
    ['another database', instead(7, { kind: 'database', database: 4 })],
    ['a function', instead(9, { kind: 'functions', code: bytes('#!lua name=m\n') })],
    ['no function', without(9)],
  ])('%s', (_, items) => {
    expect(same(base, items)).toBe(false);
  });

  test('two keys that exchange their values', () => {
    const pair = (one: string, other: string): FileItem[] => [
      key('one', 0, text(one)),
      key('other', 0, text(other)),
    ];
    expect(same(pair('a', 'b'), pair('b', 'a'))).toBe(false);
  });
});

test('of streams, what the older file knows', () => {
  const old = digest(fileOf([key('stream', 15, stream())], 9));
  expect(old.streams).toBe(1);
  const now = fileOf([key('stream', 21, stream({ added: 7n }))]);
  expect(old.differingGroups(digest(now, { streams: old.streams }))).toEqual([]);
  expect(old.differingGroups(digest(now))).toHaveLength(1);
});

test('what is a module’s own cannot be compared, and is counted', () => {
  const parts = [{ op: 'unsigned' as const, value: 3n }];
  const module: Contents = { data: 'module', module: 'testtype1', version: 1, parts };
  expect(digest(fileOf([key('m', 7, module), key('s', 0, text('x'))]))).toMatchObject({
    incomplete: 1,
    keys: 2,
  });
});

describe('differences are named', () => {
  function named(one: FileItem[], other: FileItem[], withNames = true): string[] {
    const differences = new Differences(withNames);
    const groups = new Set(digest(fileOf(one)).differingGroups(digest(fileOf(other))));
    digest(fileOf(one), { watch: { groups, onKey: (found) => differences.expect(found) } });
    digest(fileOf(other), { watch: { groups, onKey: (found) => differences.find(found) } });
    return differences.lines();
  }

  test('by key and kind', () => {
    expect(named(base, without(1))).toEqual(['key "list" of database 0 is missing']);
    expect(named(without(1), base)).toEqual(['key "list" of database 0 is not in the backup']);
    expect(named(base, instead(0, key('text', 0, text('value'))))).toEqual([
      'key "text" of database 0 expires at another time',
    ]);
    expect(named(base, instead(8, key('text', 0, text('third'))))).toEqual([
      'key "text" of database 3 has another value',
    ]);
    expect(named(base, base)).toEqual([]);
  });

  test('safely, and cut', () => {
    const name = `\u001b[31m${'x'.repeat(100)}`;
    expect(named([key(name, 0, text('a'))], [])).toEqual([
      `key "\\\\x1b[31m${'x'.repeat(55)}"… of database 0 is missing`,
    ]);
  });

  test('without names, where names are content', () => {
    expect(named(base, without(1), false)).toEqual(['a key of database 0 is missing']);
  });

  test('ten at most', () => {
    const many = Array.from({ length: 30 }, (_, index) => key(`key:${index}`, 0, text('a')));
    const lines = named(many, []);
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toBe('and 20 more');
  });
});
