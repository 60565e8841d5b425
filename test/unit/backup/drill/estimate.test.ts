import { expect, test } from 'vitest';
import { estimateRestore } from '../../../../src/backup/drill/estimate.ts';
import { sampleDrill } from '../../../support/data/sample-drill.ts';

const mebibyte = 1024 * 1024;
const drill = sampleDrill({
  bytes: 100 * mebibyte,
  seconds: { fetch: 1, decode: 2, check: 3, load: 10, compare: 50, total: 66 },
  recovery_seconds: 16,
});

const files = { method: 'files', kind: 'rdb' } as const;

test('by files a backup is loaded twice, a dump the first time while it is read; live it is read twice', () => {
  expect(estimateRestore(drill, 100 * mebibyte, files)).toEqual({
    seconds: 20,
    drill: {
      backup: drill.backup,
      at: drill.at,
      bytes: drill.bytes,
      recovery_seconds: 16,
    },
  });
  expect(estimateRestore(drill, 100 * mebibyte, { method: 'files', kind: 'aof' })?.seconds).toBe(23);
  expect(estimateRestore(drill, 100 * mebibyte, { method: 'live', kind: 'rdb' })?.seconds).toBe(16);
});

test('reading may be what a dump waits for', () => {
  const slow = sampleDrill({ ...drill, seconds: { ...drill.seconds, fetch: 30 } });
  expect(estimateRestore(slow, 100 * mebibyte, files)?.seconds).toBe(42);
});

test('scaled by size, but not below what starting takes', () => {
  expect(estimateRestore(drill, 200 * mebibyte, files)?.seconds).toBe(40);
  expect(estimateRestore(drill, 0, files)?.seconds).toBe(3.2);
  const small = sampleDrill({ ...drill, bytes: 100 });
  expect(estimateRestore(small, 200, files)?.seconds).toBe(20);
  expect(estimateRestore(small, 32 * mebibyte, files)?.seconds).toBe(40);
});

test('of a drill that did not come to its end nothing is reckoned', () => {
  expect(estimateRestore(undefined, 1, files)).toBeNull();
  expect(estimateRestore({ ...drill, recovery_seconds: null }, 1, files)).toBeNull();
  expect(estimateRestore({ ...drill, ok: false }, 1, files)).toBeNull();
});
