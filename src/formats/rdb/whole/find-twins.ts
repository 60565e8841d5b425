import { RdbReader } from '../rdb-reader.ts';
import type { TwinFilter } from './twin-filter.ts';
import { TwinFinder } from './twin-finder.ts';

/**
 * Reads a dump, sound by its first reading, once more where that could not rule out that a key is there twice. Throws an
 * RdbError at the second of two; false: it could not be told.
 */
export async function findTwins(
  { suspects, seed }: Pick<TwinFilter, 'suspects' | 'seed'>,
  again: () => Promise<AsyncIterable<Uint8Array>>,
  keyLimit?: number,
): Promise<boolean> {
  if (suspects.size === 0) return true;
  const finder = new TwinFinder(suspects, seed);
  const reader = new RdbReader(finder, {
    withoutChecksum: true,
    partOfFile: true,
    ...(keyLimit !== undefined && { keyLimit }),
  });
  for await (const chunk of await again()) {
    reader.update(chunk);
    if (reader.end !== undefined) break;
  }
  return reader.end !== undefined && !finder.unsure;
}
