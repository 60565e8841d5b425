import { describe, expect, test } from 'vitest';
import { ValueDecoder } from '../../../../src/formats/rdb/value-decoder.ts';
import { featureFiles } from '../../../support/rdb/feature-files.ts';
import { everything } from '../../../support/house/tier.ts';
import { expected, faultOf, observe, type ObserveOptions } from '../../../support/rdb/observe.ts';

const ways: readonly ObserveOptions[] = [
  {},
  { wish: 'raw', chunks: [7] },
  { wish: 'tokens', chunks: [5, 3] },
  { wish: 'tokens', sink: new ValueDecoder() },
];

describe('a file that is not whole or not right', () => {
  test.for(featureFiles(true))('$name: whole, it is read', ({ file }) => {
    for (const way of ways.slice(0, 3)) expect(observe(file.bytes, way)).toEqual(expected(file, way));
  });

  test.for(featureFiles(true))('$name: cut anywhere, it is damaged', ({ file: { bytes } }) => {
    for (const [index, way] of ways.entries()) {
      const lengths = Array.from(bytes.keys()).filter((at) => everything || at % ways.length === index);
      const found = lengths.map((length) => faultOf(bytes.subarray(0, length), way)?.kind);
      expect(new Set(found)).toEqual(new Set(['damaged']));
    }
  });

  test.for(featureFiles(true))('$name: with more behind it, it is damaged', ({ file: { bytes } }) => {
    for (const way of ways) expect(faultOf(Buffer.concat([bytes, Buffer.of(0)]), way)?.kind).toBe('damaged');
  });

  test.for(featureFiles(true).filter(({ file }) => file.model.version >= 5))(
    '$name: any byte changed, it is not taken for right',
    ({ file: { bytes } }) => {
      for (const [index, change] of [1, 0x40, 0xff].entries()) {
        const places = Array.from(bytes.keys()).filter((at) => everything || at % 3 === index);
        const missed = places.filter(
          (at) => faultOf(changed(bytes, at, change), ways[change % ways.length]) === undefined,
        );
        expect(missed).toEqual([]);
      }
    },
  );

  test.for(featureFiles(false))(
    '$name: any byte changed where nothing is summed, nothing but an RdbError is thrown',
    ({ file: { bytes } }) => {
      for (const [index, change] of [1, 0x40, 0x80, 0xff].entries())
        for (const at of bytes.keys())
          if (everything || (at >> 2) % 4 === index)
            faultOf(changed(bytes, at, change), ways[at % ways.length]);
    },
  );
});

function changed(bytes: Uint8Array, at: number, change: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ change;
  return copy;
}
