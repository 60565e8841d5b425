import { describe, expect, test } from 'vitest';
import { RdbError } from '../../../../../src/formats/rdb/rdb-handler.ts';
import { withRules } from '../../../../../src/formats/rdb/rdb-check.ts';
import { RdbReader } from '../../../../../src/formats/rdb/rdb-reader.ts';
import { describePassed, passedOver } from '../../../../../src/formats/rdb/whole/describe-passed.ts';
import { DumpRules } from '../../../../../src/formats/rdb/whole/dump-rules.ts';
import { findTwins } from '../../../../../src/formats/rdb/whole/find-twins.ts';
import { rdbOf } from '../../../../support/rdb/rdb.ts';

const seed = { high: 0x1234_5678, low: 0x0fed_cba9 };

function read(bytes: Uint8Array): DumpRules {
  const rules = new DumpRules(seed, { bytes: bytes.length });
  const reader = new RdbReader(withRules({}, rules), { sink: rules.sink });
  reader.update(bytes);
  reader.finish();
  return rules;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const text = (value: string): number[] => [value.length, ...Buffer.from(value)];
const key = (name: string): number[] => [0, ...text(name), ...text('v')];
const library = (code: string): number[] => [245, ...text(code)];
const dump = (...parts: number[][]): Buffer => rdbOf(Buffer.from(parts.flat()));

async function faultOf(bytes: Uint8Array): Promise<unknown> {
  try {
    return await findTwins(read(bytes).twins, async () => once(bytes));
  } catch (error) {
    return error;
  }
}

describe('a key', () => {
  test('may be in two databases, and in each only once', async () => {
    expect(await faultOf(dump(key('a'), [254, 1], key('a'), key('b')))).toBe(true);
    expect(await faultOf(dump(key('a'), key('b'), [254, 1], [254, 0], key('a')))).toMatchObject({
      kind: 'damaged',
      message: expect.stringContaining('database 0 has this key twice'),
      record: { index: 2, key: 'a' },
    });
  });

  test('is found twice among thousands, and none that is there once', async () => {
    const keys = Array.from({ length: 8_000 }, (_, at) => key(`key:${at}`));
    expect(await faultOf(dump(...keys))).toBe(true);
    expect(await faultOf(dump(...keys, key('key:4711')))).toMatchObject({ record: { key: 'key:4711' } });
  });

  test('whose name was cut makes it unsure where another is like it', async () => {
    const long = (end: string): number[] => {
      const name = Buffer.alloc(70_000, 'x');
      name.write(end, name.length - 1);
      const header = Buffer.alloc(5, 0x80);
      header.writeUInt32BE(name.length, 1);
      return [0, ...header, ...name, ...text('v')];
    };
    expect(await faultOf(dump(long('a')))).toBe(true);
    expect(await faultOf(dump(long('a'), long('b')))).toBe(false);
  });
});

describe('function libraries', () => {
  test('are counted, and no two have one name', async () => {
    expect(read(dump(library('#!lua name=a\n'), library('#!LUA  name=b\nx'))).libraries).toBe(2);
    expect(await faultOf(dump(library('#!lua name=a\n1'), library('#!lua name=a\n2')))).toMatchObject({
      kind: 'damaged',
      message: 'the function library a is there twice, and no server starts with that',
    });
  });

  test.for(['return 1', '#!lua\n', '#!lua name=\n', '#!lua name=a-b\n', '#!lua name=a name=b\n'])(
    'do not begin with %j',
    async (code) => expect(await faultOf(dump(library(code)))).toBeInstanceOf(RdbError),
  );
});

test('the highest database that is selected counts, with keys or without', () => {
  expect(read(dump([254, 3], key('a'), [254, 20], [254, 1])).highestDatabase).toBe(20);
  expect(read(dump(key('a'))).highestDatabase).toBe(0);
});

test('what servers pass over is named and counted by database', () => {
  const empty = (name: string): number[] => [1, ...text(name), 0];
  const rules = read(dump(key('a'), empty('l'), [254, 2], [252, 0, 0, 0, 0, 0, 1, 0, 0], empty('m')));
  expect(rules.empty).toEqual({ count: 2, examples: ['l', 'm'] });
  expect(rules.emptyByDatabase).toEqual({ 0: { keys: 1, expires: 0 }, 2: { keys: 1, expires: 1 } });
  expect(describePassed(passedOver(rules)).join()).toMatch(/^2 keys are \("l", "m"\) without any element/);
});
