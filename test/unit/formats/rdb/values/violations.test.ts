import { describe, expect, test } from 'vitest';
import { RdbError } from '../../../../../src/formats/rdb/rdb-handler.ts';
import type { ValueType } from '../../../../../src/formats/rdb/value-types.ts';
import { checkValue, decodeValue, typeOf } from '../../../../support/data/decoded-value.ts';
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
    [
      'an empty intset',
      11,
      raw((sink) => sink.string(Buffer.from('0200000000000000', 'hex'))),
      'no elements',
    ],
    ['an empty zipmap', 9, raw((sink) => sink.string(Buffer.of(0, 0xff))), 'no elements'],
    [
      'a zipmap with a short length in the long form',
      9,
      raw((sink) => sink.string(Buffer.from('01fe0100000061010062ff', 'hex'))),
      'a length of 1 in the long form',
    ],
    [
      'a zipmap that counts 255 pairs',
      9,
      raw((sink) => sink.string(Buffer.from('ff0161010062ff', 'hex'))),
      'not the 255 of its header',
    ],
    [
      'a list with an empty element in a node of its own',
      18,
      raw((sink) => sink.number(2).number(1).string(bytes('a')).number(1).string(bytes(''))),
      'that is empty',
    ],
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
      'an expiry in digits',
      25,
      raw((sink) => sink.time(0).string(listpack([bytes('a'), bytes(1), bytes(5)], { pick: digitsOnce() }))),
      'expiry is not a number',
    ],
    [
      'fields that do not ascend by their expiry',
      25,
      raw((sink) => sink.time(0).string(packed('a', 1, 9, 'b', 2, 8))),
      'do not ascend by their expiry',
    ],
    [
      'a field without an expiry before one that has one',
      23,
      raw((sink) => sink.string(packed('a', 1, 0, 'b', 2, 8))),
      'do not ascend by their expiry',
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
    const without = raw((sink) => sink.string(packed('b', 2, 1, 'a', 1, 0)));
    expect(decodeValue(typeOf(23), without).fields).toEqual([
      ['b', '2', 1],
      ['a', '1', -1],
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

describe('an empty collection', () => {
  test.for<[code: number, value: Buffer]>([
    [1, raw((sink) => sink.number(0))],
    [2, raw((sink) => sink.number(0))],
    [3, raw((sink) => sink.number(0))],
    [4, raw((sink) => sink.number(0))],
    [5, raw((sink) => sink.number(0))],
    [14, raw((sink) => sink.number(0))],
    [16, raw((sink) => sink.string(packed()))],
    [17, raw((sink) => sink.string(packed()))],
    [18, raw((sink) => sink.number(1).number(2).string(packed()))],
    [20, raw((sink) => sink.string(packed()))],
    [24, raw((sink) => sink.time(0).number(0))],
    [25, raw((sink) => sink.time(0).string(packed()))],
  ])('of type %j is what servers leave out', ([code, value]) => {
    checkValue(typeOf(code), value);
    expect(decodeValue(typeOf(code), value).passedOver).toEqual(['empty']);
  });
});

describe('a score that is text', () => {
  const score = (text: string): Buffer =>
    raw((sink) => sink.number(1).string(bytes('m')).byte(text.length).bytes(Buffer.from(text, 'latin1')));

  test.for([' 1', '+1', '.5', '5.', '1e400', '-Infinity', '\t-2.5e-3'])('may be %j', (text) => {
    expect(decodeValue(typeOf(3), score(text)).members).toEqual([['m', Number(text)]]);
  });

  test.for(['\xa01', '1\xa0', '0b1', '0o7', '1_0', '', ' ', '1e', '1 1', '--1', 'infinite'])(
    'may not be %j',
    (text) => expectFault(typeOf(3), score(text), 'score is not a number'),
  );
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
      'flags of more than one byte',
      [
        [
          [1, 0],
          [...master(1), ...entry(2_000, 0)],
        ],
      ],
      'flags of more than one byte',
    ],
    [
      'a node of deleted entries only',
      [
        [
          [1, 0],
          [...master(0, 1), ...entry(3, 0)],
        ],
      ],
      'without an entry that is not deleted',
    ],
    [
      'two nodes with one id',
      [
        [
          [7, 0],
          [...master(1), ...entry(2, 0)],
        ],
        [
          [7, 0],
          [...master(1), ...entry(2, 1)],
        ],
      ],
      'nodes are out of order',
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

  test('may state another length than it has, but not without entries', () => {
    const nodes: Stream['nodes'] = [
      [
        [1, 0],
        [...master(2), ...entry(2, 0), ...entry(2, 1)],
      ],
    ];
    for (const length of [0, 1, 3]) {
      checkValue(typeOf(15), stream({ nodes, length }));
      expect(decodeValue(typeOf(15), stream({ nodes, length })).passedOver).toEqual(['stream-length']);
    }
    expectFault(typeOf(15), stream({ length: 1 }), 'has no entries and not the 1 that it states');
  });

  test('counts no more entries than a server can', () => {
    const counted = (added: bigint, read: bigint): Buffer =>
      raw((sink) => {
        sink.number(0).number(0).number(9).number(9);
        sink.number(0).number(0).number(0).number(0).number(added).number(1);
        sink.string(bytes('g')).number(0).number(0).number(read).number(0).number(0);
      });
    const most = 2n ** 63n - 1n;
    expect(() => checkValue(typeOf(19), counted(most, 2n ** 64n - 1n))).not.toThrow();
    expectFault(typeOf(19), counted(most + 1n, 0n), 'counts more entries than a server can');
    expectFault(typeOf(19), counted(0n, most + 1n), 'counts more entries than a server can');
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
