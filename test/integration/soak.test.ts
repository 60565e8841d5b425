import { expect, test } from 'vitest';
import { makeTempFolder, removeTempFolder } from '../support/house/temp-folder.ts';
import { everything } from '../support/house/tier.ts';
import { randomNumbers } from '../support/rdb/style.ts';
import { compare } from '../support/soak/compare.ts';
import { soak } from '../support/soak/soak.ts';

// scripts/soak.ts writes docs/soak.md from a run of thirty days.
test.each(everything ? [1, 2, 3] : [1])(
  'what is told in days full of faults is what went wrong (seed %d)',
  async (seed) => {
    const folder = makeTempFolder();
    try {
      const result = await soak(folder, { days: everything ? 30 : 2, random: randomNumbers(seed) });
      expect(result.faults.length).toBeGreaterThan(3);
      expect(compare(result).problems).toEqual([]);
      // And what is missing, or too much, is seen.
      const [first, ...others] = result.told;
      expect(compare({ ...result, told: others }).problems).toHaveLength(1);
      const doubled = { ...first!, key: 'another' };
      expect(compare({ ...result, told: [...result.told, doubled] }).problems).toHaveLength(1);
    } finally {
      removeTempFolder(folder);
    }
  },
  // Days of work, with hardly a wait in it.
  600_000,
);
