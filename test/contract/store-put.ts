import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { collect, inChunksOf } from '../support/data/chunks.ts';
import { digestOf, patternChunks } from '../support/data/pattern.ts';
import { runStoreChild } from '../support/stores/run-store-child.ts';
import { everything } from '../support/house/tier.ts';
import { mebibyte, never, part, type StoreHarness } from './store-harness.ts';

/** What the contract says of `put`. */
export function putContract(store: StoreHarness): void {
  const most = everything ? [1, 2 * part - 1, 5 * part + 1] : [3 * part + 1];
  test.each([0, 997, part - 1, part, part + 1, 2 * part, ...most])('gives %i bytes back', async (size) => {
    const sent = createHash('sha256');
    // A chunk size that never meets the part size, in a buffer that is overwritten behind put's back.
    const chunks = patternChunks(size, 1_000_004, (chunk) => sent.update(chunk));
    expect(await store.store.put('a/b', chunks, { signal: never })).toEqual({ bytes: size });
    const reader = await store.store.get('a/b', { signal: never });
    expect(reader.bytes).toBe(size);
    expect(await digestOf(reader.chunks)).toEqual({ bytes: size, sha256: sent.digest('hex') });
    const found = await store.store.stat('a/b', { signal: never });
    expect(found).toMatchObject({ key: 'a/b', bytes: size });
    // Within ten minutes: a wrong unit or epoch shows, a slow machine does not.
    expect(Math.abs((found?.modified.getTime() ?? 0) - Date.now())).toBeLessThan(600_000);
    expect(await store.keys()).toEqual(['a/b']);
  });

  test('never replaces an object', async () => {
    await store.put('a/b', 'old');
    const again = store.put('a/b', 'new');
    await expect(again).rejects.toMatchObject({ code: 'repository', reason: 'exists' });
    await expect(again).rejects.toThrow(/put a\/b/);
    expect(await store.read('a/b')).toBe('old');
  });

  test.each([
    ['small', 10],
    ['large', part + 10],
  ])('lets exactly one of parallel puts win: %s', async (key, size) => {
    const results = await Promise.allSettled(
      [1, 2, 3, 4].map(async (writer) => {
        const bytes = Buffer.alloc(size, writer);
        await store.store.put(key, inChunksOf(bytes, mebibyte), { signal: never });
        return writer;
      }),
    );
    const winners = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
    const losses: unknown[] = results
      .filter((result) => result.status === 'rejected')
      .map(({ reason }) => reason);
    for (const loss of losses) expect(loss).toMatchObject({ reason: 'exists' });
    const honoured = size > part ? store.supports.ifNoneMatchMultipart : store.supports.ifNoneMatch;
    // Elsewhere the last writer wins; who was overtaken is told so or not, but what is there is one writer's, whole.
    expect(winners.length).toBeLessThanOrEqual(honoured ? 1 : 4);
    expect(winners.length).toBeGreaterThanOrEqual(1);
    const stored = await collect((await store.store.get(key, { signal: never })).chunks);
    expect(winners.some((writer) => stored.equals(Buffer.alloc(size, writer)))).toBe(true);
    expect(store.supports.listsUploads ? await store.sweep() : []).toEqual([]);
  });

  test.each([
    ['small', 10],
    ['large', 2 * part],
  ])('does not replace what another put stored while this one was under way: %s', async (key, size) => {
    async function* overtaken(): AsyncGenerator<Uint8Array> {
      yield* patternChunks(size);
      await store.put(key, 'faster');
    }
    const putting = store.store.put(key, overtaken(), { signal: never });
    await expect(putting.then(() => 'stored')).rejects.toMatchObject({ reason: 'exists' });
    expect(await store.read(key)).toBe('faster');
    expect(store.supports.listsUploads ? await store.sweep() : []).toEqual([]);
  });

  test('shows nothing before the end', async () => {
    let looked = 0;
    async function* watched(): AsyncGenerator<Uint8Array> {
      for await (const chunk of patternChunks(2 * part, 4 * mebibyte)) {
        yield chunk;
        looked += 1;
        expect(await store.keys()).toEqual([]);
        expect(await store.store.stat('a/b', { signal: never })).toBeUndefined();
        await expect(store.store.get('a/b', { signal: never })).rejects.toMatchObject({ reason: 'missing' });
      }
    }
    await store.store.put('a/b', watched(), { signal: never });
    expect(looked).toBe(8);
    expect(await store.keys()).toEqual(['a/b']);
  });

  test.each([0, 1, 3 * part])(
    'passes on what the producer throws after %i bytes, leaving nothing',
    async (size) => {
      const failure = new RangeError('the source broke');
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield* patternChunks(size);
        throw failure;
      }
      await expect(store.store.put('a/b', failing(), { signal: never })).rejects.toBe(failure);
      expect(await store.leftOvers()).toEqual([]);
      await store.put('a/b', 'second try');
      expect(await store.read('a/b')).toBe('second try');
    },
  );

  test.each([0, 1, 3 * part])(
    'stops when aborted after %i bytes, though the producer is silent',
    async (size) => {
      const abort = new AbortController();
      const reason = new Error('stop');
      const silence = Promise.withResolvers<void>();
      const finished = Promise.withResolvers<string>();
      async function* producer(): AsyncGenerator<Uint8Array> {
        try {
          yield* patternChunks(size);
          queueMicrotask(() => abort.abort(reason));
          await silence.promise;
        } finally {
          finished.resolve('finished');
        }
      }
      await expect(store.store.put('a/b', producer(), { signal: abort.signal })).rejects.toBe(reason);
      expect(await store.leftOvers()).toEqual([]);
      silence.resolve();
      expect(await finished.promise).toBe('finished');
    },
  );

  test('tells a producer that rests to stop', async () => {
    const abort = new AbortController();
    let finished = false;
    async function* producer(): AsyncGenerator<Uint8Array> {
      try {
        for await (const chunk of patternChunks(part)) {
          abort.abort(new Error('stop'));
          yield chunk;
        }
      } finally {
        finished = true;
      }
    }
    await expect(store.store.put('a/b', producer(), { signal: abort.signal })).rejects.toThrow('stop');
    expect(finished).toBe(true);
  });

  test('leaves nothing that is listed when the process is killed midway; sweep clears the rest', async ({
    skip,
  }) => {
    const task = { store: store.spec, key: 'a/b', bytes: 1024 * mebibyte, pause: 5 };
    expect(await runStoreChild(task, { killAfter: 3 * part })).toBeUndefined();
    expect(await store.keys()).toEqual([]);
    expect(await store.store.stat('a/b', { signal: never })).toBeUndefined();
    skip(!store.supports.listsUploads, 'this server cannot list unfinished uploads');
    expect(await store.sweep(new Date(Date.now() - 3_600_000))).toEqual([]);
    const elsewhere = { before: new Date(Date.now() + 3_600_000), signal: never };
    expect(await store.store.sweep('b', elsewhere)).toEqual([]);
    const swept = await store.sweep();
    expect(swept).toHaveLength(1);
    expect(swept[0]).toMatch(/^a\//);
    expect(await store.leftOvers()).toEqual([]);
    await store.put('a/b');
  });
}
