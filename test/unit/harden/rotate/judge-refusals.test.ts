import { expect, test } from 'vitest';
import { logged, refusedSince } from '../../../../src/harden/rotate/judge-refusals.ts';
import type { Denial } from '../../../../src/redis/acl-log.ts';

/** A refused login as app; `age` in seconds before the log is read. */
const line = (age: number, count = 1, more: Partial<Denial> = {}): Denial => ({
  user: 'app',
  reason: 'auth',
  object: 'AUTH',
  address: '10.0.0.1:5',
  name: 'web',
  count,
  age,
  id: undefined,
  ...more,
});
const then = 1_000_000;
/** Half a minute later. */
const now = then + 30_000;
const times = (before: Denial[], after: Denial[]): number[] =>
  refusedSince(logged(before, 'app', then), after, 'app', now).map((each) => each.times);

test('what was there before is nobody’s news', () => {
  expect(times([line(10, 4), line(500, 2)], [line(40, 4), line(530, 2)])).toEqual([]);
  expect(times([line(10, 4, { id: '7' })], [line(40, 4, { id: '7' })])).toEqual([]);
});

test('of a line that the server has added to only what was added counts', () => {
  expect(times([line(10, 4), line(500, 2)], [line(1, 7), line(530, 2)])).toEqual([3]);
  expect(times([line(10, 4, { id: '7' })], [line(1, 7, { id: '7' })])).toEqual([3]);
});

test('a line made since counts whole, also where an earlier one looks like it', () => {
  expect(times([line(500, 2)], [line(3, 2), line(530, 2)])).toEqual([2]);
  expect(times([line(10, 4, { id: '7' })], [line(2, 1, { id: '8' }), line(40, 4, { id: '7' })])).toEqual([1]);
  expect(times([line(10, 4)], [line(3, 2, { object: 'HELLO' }), line(40, 4)])).toEqual([2]);
  // The earlier one has fallen out of the log.
  expect(times([line(500, 9)], [line(3, 2)])).toEqual([2]);
});

test('others, and what is no login, do not count', () => {
  expect(times([], [line(1, 1, { user: 'other' }), line(1, 1, { reason: 'command' })])).toEqual([]);
  expect(refusedSince([], [line(1, 2)], 'app', now)).toEqual([
    { address: '10.0.0.1:5', name: 'web', times: 2 },
  ]);
});
