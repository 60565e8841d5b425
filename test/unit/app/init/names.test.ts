import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { nameInstances } from '../../../../src/app/init/names.ts';

const named = (...urls: string[]): string[] => nameInstances(urls.map((url) => ({ url, engine: 'redis' })));

test('the only one is main', () => {
  expect(named('unix:///run/x.sock')).toEqual(['main']);
});

test('several are told apart by port or socket', () => {
  expect(
    named(
      'redis://127.0.0.1:6379',
      'rediss://[::1]:6380',
      'redis://cache',
      'unix:///run/redis/redis-Queue.sock',
    ),
  ).toEqual(['redis-6379', 'redis-6380', 'redis-6379-2', 'redis-queue']);
  const valkey = { url: 'redis://127.0.0.1:6379', engine: 'valkey' } as const;
  expect(nameInstances([valkey, { url: 'unix:///run/%C3%BC.sock', engine: undefined }])).toEqual([
    'valkey-6379',
    'redis-c3-bc',
  ]);
});

test('every name is one that the configuration takes, and no two are the same', () => {
  const url = fc.oneof(
    fc.integer({ min: 1, max: 3 }).map((port) => `redis://h:${port}`),
    fc.string({ unit: 'grapheme', minLength: 1 }).map((name) => `unix:///run/${encodeURIComponent(name)}`),
    fc.string({ minLength: 60, maxLength: 99 }).map((name) => `unix:///${encodeURIComponent(name)}.sock`),
  );
  fc.assert(
    fc.property(fc.array(url, { minLength: 2, maxLength: 12 }), (urls) => {
      const names = named(...urls);
      expect(new Set(names).size).toBe(urls.length);
      for (const name of names) expect(name).toMatch(/^[a-z0-9][a-z0-9_-]{0,62}$/);
    }),
  );
});
