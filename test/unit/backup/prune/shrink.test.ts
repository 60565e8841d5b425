import { describe, expect, test } from 'vitest';
import { findShrunken, type BackupSize } from '../../../../src/backup/prune/shrink.ts';

const size = (id: string, keys: number, bytes = keys * 100, accepted = false): BackupSize => ({
  id,
  keys,
  bytes,
  accepted,
});
const shrunken = (sizes: BackupSize[], share = 0.5): string[] => [...findShrunken(sizes, share).keys()];

describe('findShrunken', () => {
  test('a fall by more than the share, and not by less', () => {
    expect(shrunken([size('a', 1000), size('b', 501)])).toEqual([]);
    expect(shrunken([size('a', 1000), size('b', 499)])).toEqual(['b']);
  });

  test('what follows is compared with the last good one until the size recovers', () => {
    expect(shrunken([size('a', 1000), size('b', 10), size('c', 12), size('d', 900), size('e', 800)])).toEqual(
      ['b', 'c'],
    );
  });

  test('an accepted one is the new baseline', () => {
    expect(shrunken([size('a', 1000), size('b', 10, 1000, true), size('c', 9)])).toEqual([]);
  });

  test('bytes count where keys stay', () => {
    expect(shrunken([size('a', 1000, 50_000_000), size('b', 1000, 1_000_000)])).toEqual(['b']);
  });

  test('small data sets may swing, but not vanish', () => {
    expect(shrunken([size('a', 60), size('b', 5)])).toEqual([]);
    expect(shrunken([size('a', 60), size('b', 0)])).toEqual(['b']);
    expect(shrunken([size('a', 0), size('b', 0)])).toEqual([]);
  });

  test('a share of 1 switches it off', () => {
    expect(shrunken([size('a', 1000), size('b', 0)], 1)).toEqual([]);
  });

  test('says against what', () => {
    const found = findShrunken([size('a', 1000), size('b', 0)], 0.5).get('b');
    expect(found).toMatchObject({ baseline: { id: 'a' }, summary: 'keys fell from 1000 to 0' });
  });
});
