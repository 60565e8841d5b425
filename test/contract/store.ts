import { describe, expect, test } from 'vitest';
import { digestOf, patternChunks } from '../support/data/pattern.ts';
import { inAnHour, mebibyte, never, storeHarness, toArray, type StoreSubject } from './store-harness.ts';
import { putContract } from './store-put.ts';

/**
 * Every sentence of the contract in src/backup/store/store.ts, on one implementation. `missing` says why it cannot be
 * had here: then all is skipped.
 */
export function storeContract(name: string, start: () => Promise<StoreSubject>, missing?: string): void {
  describe.skipIf(missing !== undefined)([name, missing].filter(Boolean).join(': '), () => {
    const harness = storeHarness(start);
    const { put, read, keys } = harness;

    putContract(harness);

    test.each([
      '',
      '/a',
      'a/',
      'a//b',
      '.',
      '..',
      '.a',
      'a/.b',
      'a/../b',
      'a b',
      'ä',
      'a\0b',
      'a\n',
      'a\\b',
      'a+b',
      'a%2Fb',
      'x'.repeat(256),
      `${'a/'.repeat(256)}b`,
    ])('refuses %j as a key', async (key) => {
      const { store } = harness;
      const refusal = { code: 'repository', reason: 'bad-key' };
      await expect(put(key)).rejects.toMatchObject(refusal);
      await expect(store.get(key, { signal: never })).rejects.toMatchObject(refusal);
      await expect(store.stat(key, { signal: never })).rejects.toMatchObject(refusal);
      await expect(store.remove(key, { signal: never })).rejects.toMatchObject(refusal);
      // As a prefix '' is everything.
      const prefix = key === '' ? '/' : key;
      await expect(keys(prefix)).rejects.toMatchObject(refusal);
      await expect(store.sweep(prefix, { before: new Date(), signal: never })).rejects.toMatchObject(refusal);
    });

    test('takes the longest names', async () => {
      const key = `${'x'.repeat(255)}/${'A.b_c-9'.repeat(36)}`;
      await put(key);
      expect(await keys()).toEqual([key]);
      expect(await read(key)).toBe(key);
    });

    test('lists whole segments below a prefix, sorted by name', async () => {
      const all = ['a-b', 'a.b', 'a/b', 'a/b-c', 'a/b.json', 'a/c/d', 'aa/b', 'ab/c', 'B/x', '_/x', 'a/B'];
      for (const key of all) await put(key);
      expect(await keys()).toEqual(all.toSorted());
      expect(await keys('a')).toEqual(['a/B', 'a/b', 'a/b-c', 'a/b.json', 'a/c/d']);
      expect(await keys('a/c')).toEqual(['a/c/d']);
      expect(await keys('a/b')).toEqual([]);
      expect(await keys('none/at/all')).toEqual([]);
    });

    test('removes one object and does not mind a missing one', async () => {
      const { store } = harness;
      await put('a/b');
      await put('a/bc');
      await store.remove('a/b', { signal: never });
      await store.remove('a/b', { signal: never });
      await store.remove('never/was', { signal: never });
      await store.remove('a', { signal: never });
      expect(await keys()).toEqual(['a/bc']);
      expect(await store.stat('a/b', { signal: never })).toBeUndefined();
      await put('a/b', 'again');
      expect(await read('a/b')).toBe('again');
    });

    test.each(['c', 'a', 'a/b/c', 'a/bb'])('says that %s is missing', async (key) => {
      const { store } = harness;
      await put('a/b');
      expect(await store.stat(key, { signal: never })).toBeUndefined();
      const got = store.get(key, { signal: never });
      await expect(got).rejects.toMatchObject({ code: 'repository', reason: 'missing' });
      await expect(got).rejects.toThrow(`get ${key} in ${store.description}`);
    });

    test('reads on after a loop was left early or never begun', async () => {
      const { store } = harness;
      await store.put('a', patternChunks(8 * mebibyte), { signal: never });
      await store.get('a', { signal: never });
      for await (const chunk of (await store.get('a', { signal: never })).chunks) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      const { chunks } = await store.get('a', { signal: never });
      expect((await digestOf(chunks)).bytes).toBe(8 * mebibyte);
    });

    test('rejects every call with the reason of a signal that has aborted', async () => {
      const { store } = harness;
      await put('a');
      const reason = new Error('stop');
      const signal = AbortSignal.abort(reason);
      await expect(store.put('b', patternChunks(1), { signal })).rejects.toBe(reason);
      await expect(store.get('a', { signal })).rejects.toBe(reason);
      await expect(store.stat('a', { signal })).rejects.toBe(reason);
      await expect(toArray(store.list('', { signal }))).rejects.toBe(reason);
      const names: AsyncIterable<unknown> = store.keys?.('', { signal }) ?? store.list('', { signal });
      await expect(toArray(names)).rejects.toBe(reason);
      await expect(store.remove('a', { signal })).rejects.toBe(reason);
      await expect(store.sweep('', { before: inAnHour(), signal })).rejects.toBe(reason);
      expect(await keys()).toEqual(['a']);
    });

    test('stops reading when the signal aborts', async () => {
      const { store } = harness;
      await store.put('a', patternChunks(8 * mebibyte), { signal: never });
      const abort = new AbortController();
      const reason = new Error('stop');
      const { chunks } = await store.get('a', { signal: abort.signal });
      const reading = (async () => {
        for await (const chunk of chunks) if (chunk.length > 0) abort.abort(reason);
      })();
      await expect(reading).rejects.toBe(reason);
    });

    test('describes itself without secrets', async () => {
      const { store, spec } = harness;
      expect(store.description).toMatch(/^(filesystem|s3) /);
      expect(store.description).not.toContain(spec.type === 's3' ? spec.secretAccessKey : 'secret');
      const free = await store.free();
      expect(free === undefined || free > 0).toBe(true);
    });
  });
}
