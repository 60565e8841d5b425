import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import type { Store } from '../../src/backup/store/store.ts';
import { collect, inChunksOf } from '../support/data/chunks.ts';
import { openStore, type StoreSpec } from '../support/stores/store-child.ts';

/** A store implementation and the place to try it in. */
export interface StoreSubject {
  /** A new, empty store's whereabouts. */
  fresh(): Promise<StoreSpec>;
  supports: {
    /** Conditional writes are honoured, so of parallel puts exactly one wins. */
    ifNoneMatch: boolean;
    /** The same for an object of several parts. */
    ifNoneMatchMultipart: boolean;
    /** Objects of several parts come back as they went in. */
    multipart: boolean;
    /** What an interrupted put left can be found. */
    listsUploads: boolean;
  };
  stop(): Promise<void>;
}

export const mebibyte = 1024 * 1024;
/** The S3 store's part size. */
export const part = 16 * mebibyte;
/** A signal that does not abort. */
export const never = new AbortController().signal;

export const inAnHour = (): Date => new Date(Date.now() + 3_600_000);

export async function toArray<T>(items: AsyncIterable<T>): Promise<T[]> {
  const array: T[] = [];
  for await (const item of items) array.push(item);
  return array;
}

/** A fresh store for each test, and short ways to use it. */
export interface StoreHarness {
  readonly supports: StoreSubject['supports'];
  readonly spec: StoreSpec;
  readonly store: Store;
  /** Puts a text, the key by default. */
  put: (key: string, text?: string) => Promise<{ bytes: number }>;
  read: (key: string) => Promise<string>;
  keys: (prefix?: string) => Promise<string[]>;
  sweep: (before?: Date) => Promise<string[]>;
  /** Everything that is there: keys, a stat of `a/b`, and what interrupted puts left where that can be listed. */
  leftOvers: () => Promise<unknown[]>;
}

/** Call it inside describe(): it registers the hooks. */
export function storeHarness(start: () => Promise<StoreSubject>): StoreHarness {
  let subject: StoreSubject | undefined;
  let spec: StoreSpec | undefined;
  let store: Store | undefined;
  beforeAll(async () => {
    subject = await start();
  });
  afterAll(async () => {
    await subject?.stop();
  });
  beforeEach(async () => {
    const { opened, at } = await open(subject);
    [spec, store] = [at, opened];
    return async () => {
      await opened.close();
    };
  });

  const harness: StoreHarness = {
    get supports() {
      return required(subject).supports;
    },
    get spec() {
      return required(spec);
    },
    get store() {
      return required(store);
    },
    async put(key, text = key) {
      return await harness.store.put(key, inChunksOf(Buffer.from(text), 7), { signal: never });
    },
    async read(key) {
      return (await collect((await harness.store.get(key, { signal: never })).chunks)).toString();
    },
    async keys(prefix = '') {
      const listed = (await toArray(harness.store.list(prefix, { signal: never }))).map(({ key }) => key);
      const names = harness.store.keys?.(prefix, { signal: never });
      if (names !== undefined) expect(await toArray(names)).toEqual(listed);
      return listed;
    },
    async sweep(before = inAnHour()) {
      return await harness.store.sweep('', { before, signal: never });
    },
    async leftOvers() {
      const stat = await harness.store.stat('a/b', { signal: never });
      const swept = harness.supports.listsUploads ? await harness.sweep() : [];
      return [...(await harness.keys()), ...(stat === undefined ? [] : [stat]), ...swept];
    },
  };
  return harness;
}

async function open(subject: StoreSubject | undefined): Promise<{ opened: Store; at: StoreSpec }> {
  const at = await required(subject).fresh();
  return { opened: await openStore(at), at };
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the store under test did not start');
  return value;
}
