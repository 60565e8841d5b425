import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExpandedValue } from '../../../../src/formats/rdb/expand-value.ts';
import type { RdbRecord, TokenSink } from '../../../../src/formats/rdb/rdb-handler.ts';
import { LoneValueReader } from '../../../../src/formats/rdb/lone-value.ts';
import { RdbReader } from '../../../../src/formats/rdb/rdb-reader.ts';
import { anyFile } from '../../../support/rdb/arbitraries.ts';
import { compressLzf } from '../../../support/rdb/lzf-writer.ts';
import { sampleBytes } from '../../../support/rdb/sample-bytes.ts';
import { anyStyle } from '../../../support/rdb/style.ts';
import { trailerOf, writeRdb } from '../../../support/rdb/rdb-writer.ts';

const expanded = new ExpandedValue();

function eachValue(dump: Uint8Array, see: (record: RdbRecord, raw: Uint8Array) => void): void {
  const reader = new RdbReader({ wish: () => 'raw', record: (record, raw) => raw && see(record, raw) });
  reader.update(dump);
  reader.finish();
}

/** A dump of one string, with what stands for it in the file. */
function dumpOf(stored: Uint8Array, plain: number): Buffer {
  const value = Buffer.alloc(11);
  value.set([0xc3, 0x80]);
  value.writeUInt32BE(stored.length, 2);
  value[6] = 0x80;
  value.writeUInt32BE(plain, 7);
  const bytes = Buffer.concat([
    Buffer.from('REDIS0009'),
    Buffer.of(0, 1, 0x6b),
    value,
    stored,
    Buffer.of(0xff),
  ]);
  return Buffer.concat([bytes, trailerOf(bytes, true)]);
}

/** All that a value consists of, with its strings decompressed. */
function tokensOf(record: RdbRecord, raw: Uint8Array): string[] {
  const tokens: string[] = [];
  const keep = (bytes: Uint8Array | number | bigint): void => {
    tokens.push(bytes instanceof Uint8Array ? Buffer.from(bytes).toString('hex') : `#${bytes}`);
  };
  const sink: TokenSink = {
    begin() {},
    end() {},
    string: keep,
    skipped: keep,
    number: keep,
    bytes8: keep,
    bytes16: keep,
  };
  new LoneValueReader().read(record, raw, sink);
  return tokens;
}

test('values of every type stay what they are, and only strings that were compressed become longer', () => {
  let grown = 0;
  const anyWritten = fc.tuple(anyFile, fc.nat()).map(([model, seed]) => writeRdb(model, anyStyle(seed)));
  fc.assert(
    fc.property(anyWritten, ({ bytes }) => {
      eachValue(bytes, (record, raw) => {
        const value = expanded.of(record, raw);
        expect(value === raw || record.plainBytes > record.valueBytes).toBe(true);
        if (value === raw) return;
        grown++;
        expect(tokensOf(record, value)).toEqual(tokensOf(record, raw));
      });
    }),
    { numRuns: 60 },
  );
  expect(grown).toBeGreaterThan(20);
});

test.for([21, 63, 64, 200, 16_383, 16_384, 300_000])('a string of %d bytes becomes its bytes', (length) => {
  const plain = sampleBytes(length, 'words', 1);
  eachValue(dumpOf(compressLzf(plain), length), (record, raw) => {
    const value = expanded.of(record, raw);
    const header = length < 64 ? 1 : length < 16_384 ? 2 : 5;
    expect(Buffer.from(value.subarray(header))).toEqual(plain);
    expect(tokensOf(record, value)).toEqual([plain.toString('hex')]);
  });
});

test.for([
  ['that would become many times as long', compressLzf(Buffer.alloc(5000)), 5000],
  ['that is very long', compressLzf(sampleBytes(3_000_000, 'words', 1)), 3_000_000],
  ['that is damaged', compressLzf(sampleBytes(500, 'words', 1)), 499],
] as const)('a string %s stays as it is', ([, stored, plain]) => {
  eachValue(dumpOf(stored, plain), (record, raw) => expect(expanded.of(record, raw)).toBe(raw));
});
