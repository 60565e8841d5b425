import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allVaries, generalise, wholeVaries } from '../../../src/keyspace/segment.ts';
import { runs } from '../../support/house/tier.ts';

function written(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + 1);
  return out.subarray(0, generalise(bytes, 0, bytes.length, out));
}

describe('whether all of a name varies', () => {
  test.for<[name: string, all: boolean]>([
    ['1234', true],
    ['2026-11-21', true],
    ['0123abcd-e29b-41d4-a716-446655440000', true],
    ['deadbeef01', true],
    ['\x01user', true],
    ['user', false],
    ['user:1234', false],
    ['v2.1', false],
    ['é:1', false],
    ['', false],
  ])('%s', ([name, all]) => {
    const bytes = Buffer.from(name);
    expect(wholeVaries(bytes, 0, bytes.length)).toBe(all);
  });

  test('it is what generalise writes, for any name', () => {
    const letter = fc.constantFrom(...'0123456789abcdefgxyz:-_./é\x00'.split(''));
    const name = fc.oneof(fc.string({ unit: letter, maxLength: 40 }), fc.uuid());
    fc.assert(
      fc.property(name, (text) => {
        const bytes = Buffer.from(text);
        const out = written(bytes);
        expect(wholeVaries(bytes, 0, bytes.length)).toBe(allVaries(out, out.length));
      }),
      { numRuns: runs(2000) },
    );
  });
});
