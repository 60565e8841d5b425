import { describe, expect, test } from 'vitest';
import { RdbError } from '../../../../../src/formats/rdb/rdb-handler.ts';
import type { ValueType } from '../../../../../src/formats/rdb/value-types.ts';
import { checkValue, decodeValue, typeOf } from '../../../../support/decoded-value.ts';
import { listpack } from '../../../../support/rdb/packed-writer.ts';
import { usual } from '../../../../support/rdb/style.ts';
import { ValueSink } from '../../../../support/rdb/value-sink.ts';

const bytes = (text: string | number): Buffer => Buffer.from(String(text));
const packed = (...entries: (string | number)[]): Buffer => listpack(entries.map(bytes), usual);

function raw(fill: (sink: ValueSink) => unknown): Buffer {
  const sink = new ValueSink(usual);
  fill(sink);
  return sink.take();
}

/** Expects the same complaint whether somebody takes the elements or not. */
function expectFault(type: ValueType, value: Uint8Array, fault: string): void {
  for (const read of [checkValue, decodeValue]) {
    let thrown: unknown;
    try {
      read(type, value);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(RdbError);
    expect(thrown).toMatchObject({ kind: 'damaged', message: expect.stringContaining(fault) });
  }
}

const nan = Buffer.from([0, 0, 0, 0, 0, 0, 0xf8, 0x7f]);
const latest = 2 ** 48 - 2;

describe('a collection', () => {
  test.for<[what: string, code: number, value: Buffer, fault: string]>([
    ['an empty list', 1, raw((sink) => sink.number(0)), 'a list has no elements'],
    ['an empty list of nodes', 14, raw((sink) => sink.number(0)), 'a list has no elements'],
    [
      'a list of one empty node',
      18,
      raw((sink) => sink.number(1).number(2).string(packed())),
      'has no elements',
    ],
    [
      'a list with an empty element in a node of its own',
      18,
      raw((sink) => sink.number(2).number(1).string(bytes('a')).number(1).string(bytes(''))),
      'that is empty',
    ],
    ['an empty set', 2, raw((sink) => sink.number(0)), 'a set has no elements'],
    ['an empty packed set', 20, raw((sink) => sink.string(packed())), 'a set has no elements'],
    ['an empty hash', 4, raw((sink) => sink.number(0)), 'a hash has no elements'],
    ['an empty zset', 17, raw((sink) => sink.string(packed())), 'a zset has no elements'],
    [
      'a member twice',
      2,
      raw((sink) => sink.number(2).string(bytes('a')).string(bytes('a'))),
      'a set has the same member twice',
    ],
    ['a packed member twice', 20, raw((sink) => sink.string(packed('a', 'b', 'a'))), 'the same member twice'],
    [
      'an integer and its digits',
      20,
      raw((sink) => sink.string(listpack([bytes(7), bytes(7)], { pick: digitsOnce() }))),
      'twice',
    ],
    [
      'a field twice',
      16,
      raw((sink) => sink.string(packed('a', 1, 'a', 2))),
      'a hash has the same field twice',
    ],
    [
      'a field without a value',
      16,
      raw((sink) => sink.string(packed('a', 1, 'b'))),
      'a field without a value',
    ],
    [
      'a field without an expiry',
      25,
      raw((sink) => sink.time(0).string(packed('a', 1))),
      'a field without an expiry',
    ],
    [
      'an expiry that is text',
      25,
      raw((sink) => sink.time(0).string(packed('a', 1, 'x'))),
      'expiry is not a number',
    ],
    [
      'an expiry before 1970',
      25,
      raw((sink) => sink.time(0).string(packed('a', 1, -5))),
      'expiry is out of range',
    ],
    [
      'an expiry too late',
      25,
      raw((sink) => sink.time(0).string(packed('a', 1, latest + 1))),
      'expiry is out of range',
    ],
    [
      'a sum of expiries too late',
      24,
      raw((sink) => sink.time(latest).number(1).number(2).string(bytes('a')).string(bytes(1))),
      'out of range',
    ],
    [
      'a score that is NaN',
      5,
      raw((sink) => sink.number(1).string(bytes('a')).fixed(nan)),
      'score is not a number',
    ],
    ['a score of other text', 17, raw((sink) => sink.string(packed('a', 'b'))), 'score is not a number'],
    ['a score of no text', 17, raw((sink) => sink.string(packed('a', ''))), 'score is not a number'],
    ['a score of blanks', 17, raw((sink) => sink.string(packed('a', ' '))), 'score is not a number'],
    ['a packed NaN', 17, raw((sink) => sink.string(packed('a', 'nan'))), 'score is not a number'],
    [
      'an endless score',
      17,
      raw((sink) => sink.string(packed('a', '1'.repeat(129)))),
      'score is not a number',
    ],
    [
      'a member without a score',
      17,
      raw((sink) => sink.string(packed('a', 1, 'b'))),
      'a member without a score',
    ],
  ])('may not be or have %s', ([, code, value, fault]) => {
    expectFault(typeOf(code), value, fault);
  });

  test('of Valkey may not have an expiry before 1970, except never', () => {
    const at = (time: number): Buffer =>
      raw((sink) => sink.number(1).string(bytes('a')).string(bytes(1)).time(time));
    expectFault(typeOf(22, 'valkey'), at(-2), 'expiry is out of range');
    expect(decodeValue(typeOf(22, 'valkey'), at(-1)).fields).toEqual([['a', '1', -1]]);
  });

  test('has the earliest and the latest expiry', () => {
    const pair = (sink: ValueSink): unknown => sink.string(bytes('a')).string(bytes(1));
    const released = raw((sink) => pair(sink.time(latest).number(1).number(1)));
    expect(decodeValue(typeOf(24), released).fields).toEqual([['a', '1', latest]]);
    const candidate = raw((sink) => pair(sink.number(1).number(latest)));
    expect(decodeValue(typeOf(22), candidate).fields).toEqual([['a', '1', latest]]);
    const without = raw((sink) => sink.string(packed('a', 1, 0, 'b', 2, 1)));
    expect(decodeValue(typeOf(23), without).fields).toEqual([
      ['a', '1', -1],
      ['b', '2', 1],
    ]);
  });

  test('may have an empty node among others, the same item twice in a list, and infinite scores', () => {
    const list = raw((sink) => sink.number(2).number(2).string(packed()).number(2).string(packed('a', 'a')));
    expect(decodeValue(typeOf(18), list).items).toEqual(['a', 'a']);
    const scores = raw((sink) =>
      sink.string(packed('a', 'inf', 'b', '-inf', 'c', '+inf', 'd', '-0', 'e', '1e-3')),
    );
    expect(decodeValue(typeOf(17), scores).members).toEqual([
      ['a', Infinity],
      ['b', -Infinity],
      ['c', Infinity],
      ['d', -0],
      ['e', 0.001],
    ]);
  });
});

/** An entry with an integer in it first as that, then as text. */
function digitsOnce(): (choices: number) => number {
  let asked = 0;
  return (choices) => (choices === 4 && ++asked === 2 ? 3 : 0);
}

interface Stream {
  nodes?: [id: [number, number], entries: (string | number)[]][];
  length?: number;
  groups?: { name: string; pending: number[]; consumers: [name: string, pending: number[]][] }[];
}

const idBytes = (ms: number, seq = 0): Buffer => {
  const id = Buffer.alloc(16);
  id.writeBigUInt64BE(BigInt(ms));
  id.writeBigUInt64BE(BigInt(seq), 8);
  return id;
};

function stream({ nodes = [], length = 0, groups = [] }: Stream): Buffer {
  return raw((sink) => {
    sink.number(nodes.length);
    for (const [[ms, seq], entries] of nodes) sink.string(idBytes(ms, seq)).string(packed(...entries));
    sink.number(length).number(9).number(9).number(groups.length);
    for (const { name, pending, consumers } of groups) {
      sink.string(bytes(name)).number(9).number(9).number(pending.length);
      for (const ms of pending) sink.fixed(idBytes(ms)).time(5).number(1);
      sink.number(consumers.length);
      for (const [consumer, ids] of consumers) {
        sink.string(bytes(consumer)).time(6).number(ids.length);
        for (const ms of ids) sink.fixed(idBytes(ms));
      }
    }
  });
}

/** Count, deleted, one field `f`, end; then entries of the master's fields. */
const master = (count: number, deleted = 0): (string | number)[] => [count, deleted, 1, 'f', 0];
const entry = (flags: number, ms: number, seq = 0): (string | number)[] => [flags, ms, seq, 'v', 4];

describe('a stream', () => {
  test('is empty, or has entries of which deleted ones are not seen', () => {
    expect(decodeValue(typeOf(15), stream({})).stream).toMatchObject({ length: 0, entries: [], groups: [] });
    const nodes: Stream['nodes'] = [
      [
        [5, 1],
        [...master(1, 1), ...entry(2, 0), ...entry(3, 1, -1)],
      ],
      [
        [7, 0],
        [...master(1), 0, 0, 0, 2, 'a', 1, 'b', 2, 8],
      ],
    ];
    expect(decodeValue(typeOf(15), stream({ nodes, length: 2 })).stream?.entries).toEqual([
      ['5-1', 'f', 'v'],
      ['7-0', 'a', '1', 'b', '2'],
    ]);
  });

  test.for<[what: string, nodes: NonNullable<Stream['nodes']>, fault: string]>([
    [
      'another length',
      [
        [
          [1, 0],
          [...master(2), ...entry(2, 0), ...entry(2, 1)],
        ],
      ],
      'has 2 entries and not the 1 that it states',
    ],
    ['an empty node', [[[1, 0], []]], 'ends where'],
    [
      'a wrong count',
      [
        [
          [1, 0],
          [...master(2), ...entry(2, 0)],
        ],
      ],
      'has 1 entries and 0 deleted, and not the 2 and 0',
    ],
    [
      'a wrong count of deleted',
      [
        [
          [1, 0],
          [...master(1, 1), ...entry(2, 0)],
        ],
      ],
      'not the 1 and 1',
    ],
    [
      'a text as count',
      [
        [
          [1, 0],
          ['x', 0, 1, 'f', 0],
        ],
      ],
      "has text as an entry's number of entries",
    ],
    [
      'a count below 0',
      [
        [
          [1, 0],
          [-1, 0, 1, 'f', 0],
        ],
      ],
      'a number of entries below 0',
    ],
    [
      'no end of fields',
      [
        [
          [1, 0],
          [1, 0, 1, 'f', 1, ...entry(2, 0)],
        ],
      ],
      "no end of the first entry's fields",
    ],
    [
      'more fields than there are',
      [
        [
          [1, 0],
          [1, 0, 1_000_000_000, 'f', 0],
        ],
      ],
      'ends where',
    ],
    [
      'unknown flags',
      [
        [
          [1, 0],
          [...master(1), ...entry(4, 0)],
        ],
      ],
      'unknown flags 4',
    ],
    [
      'a wrong length of an entry',
      [
        [
          [1, 0],
          [...master(1), 2, 0, 0, 'v', 5],
        ],
      ],
      'does not have the length',
    ],
    [
      'half an entry',
      [
        [
          [1, 0],
          [...master(1), 2, 0],
        ],
      ],
      'ends where',
    ],
    [
      'more values than there are',
      [
        [
          [1, 0],
          [...master(1), 0, 0, 0, 1_000_000_000, 'f', 'v'],
        ],
      ],
      'ends where',
    ],
    [
      'an id twice',
      [
        [
          [1, 0],
          [...master(2), ...entry(2, 0), ...entry(2, 0)],
        ],
      ],
      'out of order',
    ],
    [
      'ids that fall',
      [
        [
          [1, 0],
          [...master(2), ...entry(2, 5), ...entry(2, 4, 9)],
        ],
      ],
      'out of order',
    ],
    [
      'nodes in another order',
      [
        [
          [8, 0],
          [...master(1), ...entry(2, 0)],
        ],
        [
          [7, 0],
          [...master(1), ...entry(2, 0)],
        ],
      ],
      'out of order',
    ],
  ])('may not have %s', ([, nodes, fault]) => {
    expectFault(typeOf(15), stream({ nodes, length: 1 }), fault);
  });

  test.for<[what: string, groups: NonNullable<Stream['groups']>, fault: string]>([
    [
      'a group twice',
      [
        { name: 'g', pending: [], consumers: [] },
        { name: 'g', pending: [], consumers: [] },
      ],
      'a stream has the same group twice',
    ],
    [
      'a consumer twice',
      [
        {
          name: 'g',
          pending: [],
          consumers: [
            ['c', []],
            ['c', []],
          ],
        },
      ],
      'a group has the same consumer twice',
    ],
    [
      'a pending entry twice',
      [{ name: 'g', pending: [1, 1], consumers: [] }],
      'pending entries are out of order',
    ],
    ['pending entries in another order', [{ name: 'g', pending: [2, 1], consumers: [] }], 'out of order'],
    [
      'one that nobody has',
      [{ name: 'g', pending: [1], consumers: [['c', []]] }],
      '1 pending entries and its consumers 0',
    ],
    [
      'one that only a consumer has',
      [{ name: 'g', pending: [1, 3], consumers: [['c', [2]]] }],
      'is not one of its group',
    ],
    [
      'one of two consumers',
      [
        {
          name: 'g',
          pending: [1, 2],
          consumers: [
            ['c', [1]],
            ['d', [1]],
          ],
        },
      ],
      'two consumers have the same',
    ],
    ['one of a consumer twice', [{ name: 'g', pending: [1, 2], consumers: [['c', [1, 1]]] }], 'out of order'],
  ])('may not have %s', ([, groups, fault]) => {
    expectFault(typeOf(15), stream({ groups }), fault);
  });

  test('knows its pending entries also when there are many', () => {
    const ids = Array.from({ length: 3000 }, (_, index) => index * 3);
    const odd = ids.filter((_, index) => index % 2 === 1);
    const even = ids.filter((_, index) => index % 2 === 0);
    const group = (last: number[]): Stream => ({
      groups: [
        {
          name: 'g',
          pending: ids,
          consumers: [
            ['a', even],
            ['b', last],
          ],
        },
      ],
    });
    expect(() => checkValue(typeOf(15), stream(group(odd)))).not.toThrow();
    expectFault(typeOf(15), stream(group(odd.slice(1))), 'has 3000 pending entries and its consumers 2999');
    expectFault(typeOf(15), stream(group([...odd.slice(0, -1), 9001])), 'is not one of its group');
  });
});
