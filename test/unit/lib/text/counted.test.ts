import { expect, test } from 'vitest';
import { counted, verb } from '../../../../src/lib/text/counted.ts';

test('one is one, and none and more are several', () => {
  expect([0, 1, 2].map((count) => counted(count, 'key'))).toEqual(['0 keys', '1 key', '2 keys']);
  expect(counted(2, 'reply', 'replies')).toBe('2 replies');
  expect([0, 1, 2].map((count) => verb(count, 'is', 'are'))).toEqual(['are', 'is', 'are']);
});
