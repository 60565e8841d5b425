import { RdbReader } from '../rdb-reader.ts';
import type { DumpRules } from './dump-rules.ts';
import { TwinFinder } from './twin-finder.ts';

/**
 * Reads a dump once more where its first reading could not rule out that a key is there twice. Throws an RdbError at the
 * second of two; false: it could not be told.
 */
export async function findTwins(
  { twins: { suspects }, seed }: Pick<DumpRules, 'twins' | 'seed'>,
  again: () => Promise<AsyncIterable<Uint8Array>>,
): Promise<boolean> {
  if (suspects.size === 0) return true;
  const finder = new TwinFinder(suspects, seed);
  const reader = new RdbReader(finder, { withoutChecksum: true });
  for await (const chunk of await again()) reader.update(chunk);
  reader.finish();
  return !finder.unsure;
}
