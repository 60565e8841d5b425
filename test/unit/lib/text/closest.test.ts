import { expect, it } from 'vitest';
import { closest } from '../../../../src/lib/text/closest.ts';

const keys = ['name', 'url', 'username', 'password', 'schedule', 'keep_min'];

it.each([
  ['pasword', 'password'],
  ['ulr', 'url'],
  ['URL', 'url'],
  ['user_name', 'username'],
  ['keepmin', 'keep_min'],
  ['shedule', 'schedule'],
])('takes %s for %s', (word, meant) => {
  expect(closest(word, keys)).toBe(meant);
});

it.each(['', 'x', 'colour', 'metrics', 'p'.repeat(100_000)])('finds nothing near %.10s', (word) => {
  expect(closest(word, keys)).toBeUndefined();
});

it('prefers the nearer one, then the first', () => {
  expect(closest('bat', ['cat', 'bat'])).toBe('bat');
  expect(closest('rat', ['cat', 'bat'])).toBe('cat');
});
