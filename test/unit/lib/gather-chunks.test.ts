import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gatherChunks } from '../../../src/lib/gather-chunks.ts';
import { collect, inChunksOf } from '../../support/data/chunks.ts';

test('the same bytes, in blocks of that length and a shorter last one', async () => {
  const sizes = fc.integer({ min: 1, max: 60 });
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), sizes, sizes, async (bytes, chunk, block) => {
      const lengths: number[] = [];
      const measured = async function* (): AsyncGenerator<Uint8Array> {
        for await (const each of gatherChunks(inChunksOf(bytes, chunk), block)) {
          lengths.push(each.length);
          yield each;
        }
      };
      expect((await collect(measured())).equals(bytes)).toBe(true);
      const last = bytes.length % block;
      const whole = Array.from({ length: Math.floor(bytes.length / block) }, () => block);
      expect(lengths).toEqual(last === 0 ? whole : [...whole, last]);
    }),
  );
});

test('what is long enough is not copied', async () => {
  const bytes = new Uint8Array(100);
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
  };
  for await (const block of gatherChunks(source(), 50)) expect(block.buffer).toBe(bytes.buffer);
});

test('who leaves early releases the source', async () => {
  let released = false;
  const source = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* inChunksOf(new Uint8Array(100), 10);
    } finally {
      released = true;
    }
  };
  for await (const _ of gatherChunks(source(), 30)) break;
  expect(released).toBe(true);
});
