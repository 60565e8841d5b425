import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { examine } from '../../../support/rdb/examine.ts';
import { everything } from '../../../support/house/tier.ts';

const folder = join(import.meta.dirname, '../../../seeds/rdb');
const seeds = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.rdb'),
);

// What scripts/fuzz/rdb.ts has found worth keeping: inputs that reach rare code, and those that once went wrong.
describe('what the fuzzer kept', () => {
  test('is there', () => expect(seeds.length).toBeGreaterThan(50));

  test('is read the same in every way', () => {
    const wrong = seeds.flatMap((name, at) => {
      const bytes = readFileSync(join(folder, name));
      const ways = [[7, 3, 64], [1], [bytes.length]];
      return (everything ? ways : [ways[at % ways.length]!]).flatMap((chunks) => {
        const problem = examine(bytes, chunks);
        return problem === undefined ? [] : [`${name} in chunks of ${chunks.join()}: ${problem}`];
      });
    });
    expect(wrong).toEqual([]);
  });
});
