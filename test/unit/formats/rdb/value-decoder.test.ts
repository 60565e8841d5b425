import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RdbError } from '../../../../src/formats/rdb/rdb-handler.ts';
import { valueTypes, type ValueType } from '../../../../src/formats/rdb/value-types.ts';
import { checkValue, decodeValue, typeOf } from '../../../support/data/decoded-value.ts';
import { contentsFor } from '../../../support/rdb/arbitraries.ts';
import { decodedModel } from '../../../support/rdb/decoded-model.ts';
import type { Contents } from '../../../support/rdb/model.ts';
import { anyStyle } from '../../../support/rdb/style.ts';
import { ValueSink } from '../../../support/rdb/value-sink.ts';
import { writeValue } from '../../../support/rdb/value-writer.ts';
import { inOrder } from '../../../support/data/read-value.ts';
import { runs } from '../../../support/house/tier.ts';

function rawOf(type: ValueType, contents: Contents, seed: number): Buffer {
  const sink = new ValueSink(anyStyle(seed));
  writeValue(sink, type, contents);
  return sink.take();
}

/** What is wrong with a value, looked at or not: both must say the same. Anything else than an RdbError is thrown. */
function faultOf(type: ValueType, raw: Uint8Array): string | undefined {
  const attempt = (read: () => unknown): string | undefined => {
    try {
      read();
      return undefined;
    } catch (error) {
      if (error instanceof RdbError) return error.message;
      throw error;
    }
  };
  const fault = attempt(() => checkValue(type, raw));
  expect(attempt(() => decodeValue(type, raw))).toBe(fault);
  return fault;
}

const nameOf = ({ code, data, encoding, since }: ValueType): string =>
  `${data} ${encoding} (${code}${since.redis === undefined ? ' of valkey' : ''})`;
const all = valueTypes.map((type): [string, ValueType] => [nameOf(type), type]);

describe('a value of every type', () => {
  test.for(all)('%s: its elements are those that were written, in any form', ([, type]) => {
    fc.assert(
      fc.property(contentsFor(type), fc.nat(), (contents, seed) => {
        const raw = rawOf(type, contents, seed);
        const expected = inOrder(decodedModel(contents, type.revision), contents.data);
        expect(inOrder(decodeValue(type, raw), contents.data)).toEqual(expected);
        expect(faultOf(type, raw)).toBeUndefined();
      }),
      { numRuns: runs(25) },
    );
  });

  test.for(all)('%s: damage is found or reads as something else, never more', ([, type]) => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(contentsFor(type), fc.nat(), edits, (contents, seed, changes) => {
        const raw = rawOf(type, contents, seed);
        expect(faultOf(type, raw.subarray(0, -1))).toBeDefined();
        for (const [at, byte] of changes) raw[at % raw.length] = byte;
        faultOf(type, raw);
      }),
      { numRuns: runs(60) },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (raw) => void faultOf(type, raw)),
      { numRuns: runs(200) },
    );
  });
});

describe('a string that is longer than the limit', () => {
  const long = Buffer.alloc(30, 'long');
  const write = (fill: (sink: ValueSink) => void): Buffer => {
    const sink = new ValueSink({ pick: () => 0 });
    fill(sink);
    return sink.take();
  };
  const short = (name: string): Buffer => Buffer.from(name);

  test('is passed over with its element, and the others are still there', () => {
    const list = write((sink) => sink.number(3).string(short('a')).string(long).string(short('b')));
    expect(decodeValue(typeOf(1), list, 20)).toMatchObject({ items: ['a', 'b'], skipped: [30] });
    const hash = write((sink) => {
      sink.number(3).string(short('a')).string(long).string(long).string(short('1'));
      sink.string(short('b')).string(short('2'));
    });
    expect(decodeValue(typeOf(4), hash, 20)).toMatchObject({ fields: [['b', '2', -1]], skipped: [30, 30] });
    const zset = write((sink) =>
      sink.number(2).string(long).fixedDouble(1).string(short('b')).fixedDouble(2),
    );
    expect(decodeValue(typeOf(5), zset, 20)).toMatchObject({ members: [['b', 2]], skipped: [30] });
    const expiring = write((sink) => {
      sink.number(2).string(short('a')).string(long).time(5);
      sink.string(short('b')).string(short('2')).time(6);
    });
    expect(decodeValue(typeOf(22, 'valkey'), expiring, 20)).toMatchObject({
      fields: [['b', '2', 6]],
      skipped: [30],
    });
    expect(
      decodeValue(
        typeOf(0),
        write((sink) => sink.string(long)),
        20,
      ),
    ).toEqual({
      items: [],
      fields: [],
      members: [],
      skipped: [30],
    });
  });

  test('when it packs elements they are all unknown, which is no damage', () => {
    const hash = write((sink) => sink.string(long));
    expect(decodeValue(typeOf(16), hash, 20)).toMatchObject({ fields: [], skipped: [30] });
    const list = write((sink) => sink.number(2).number(2).string(long).number(1).string(short('b')));
    expect(decodeValue(typeOf(18), list, 20)).toMatchObject({ items: ['b'], skipped: [30] });
  });

  test('in a stream hides what belongs to it, and no more', () => {
    const id = Buffer.alloc(16, 1);
    const raw = write((sink) => {
      // one node, its length, last id; two groups with one pending entry and one consumer each
      sink.number(1).string(id).string(long).number(7).number(9).number(9).number(2);
      for (const [group, consumer] of [
        [long, short('hidden')],
        [short('g'), long],
      ] as const) {
        sink.string(group).number(9).number(9);
        sink.number(1).fixed(id).time(5).number(1);
        sink.number(1).string(consumer).time(6).number(1).fixed(id);
      }
    });
    const decoded = decodeValue(typeOf(15), raw, 20);
    expect(decoded.skipped).toEqual([30, 30, 30]);
    expect(decoded.stream?.groups).toMatchObject([
      { name: 'g', pending: [['72340172838076673-72340172838076673', 5, 1]] },
    ]);
    expect(decoded.stream?.groups[0]?.consumers).toEqual([]);
  });
});
