// Whoever may write below a prefix may put any number of objects there: a listing stays quick, and its memory bounded.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { openRepository } from '../../../src/backup/repository.ts';
import type { Store, StoredObject } from '../../../src/backup/store/store.ts';
import { everything } from '../../support/house/tier.ts';

const count = everything ? 1_000_000 : 50_000;
const id = '20261121T060000Z-7f3a';

/** Lists what `name` makes of numbers; nothing else can be asked of it. */
function storeOf(name: (index: number) => string): Store {
  const unasked = (): never => {
    throw new Error('not asked for');
  };
  return {
    description: 'a store',
    put: unasked,
    get: unasked,
    async stat() {
      return undefined;
    },
    async *list(): AsyncGenerator<StoredObject> {
      for (let index = 0; index < count; index++)
        yield { key: `main/${name(index)}`, bytes: 1, modified: new Date(0) };
    },
    remove: unasked,
    sweep: unasked,
    free: unasked,
    async close() {},
  };
}

setFlagsFromString('--expose-gc');
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what that flag brings
const collect = runInNewContext('gc') as () => void;

test.each([
  ['objects in a folder that is no backup', (index: number) => `lost/${index}`],
  ['objects in the folder of one backup', (index: number) => `${id}/${index}`],
  ['proofs of one backup that nobody has made', (index: number) => `${id}/verify-${index}.json`],
])('%s', async (_, name) => {
  const repository = openRepository(storeOf(name), 'main', { now: () => 0 });
  collect();
  const before = process.memoryUsage().heapUsed;
  const listing = await repository.list(new AbortController().signal);
  collect();
  expect(listing.backups).toEqual([]);
  expect(listing.foreign).toHaveLength(1000);
  expect(listing.foreign.length + listing.foreignMore).toBe(count);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 * 1024 * 1024);
});
