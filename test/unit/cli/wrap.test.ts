import { expect, test } from 'vitest';
import { wrap } from '../../../src/cli/render/wrap.ts';

test.each([
  ['one two three', 7, 'one two\nthree'],
  ['a-word-that-is-longer than that', 6, 'a-word-that-is-longer\nthan\nthat'],
  ['fits', 80, 'fits'],
  ['', 80, ''],
])('%j in %i columns', (text, width, lines) => {
  expect(wrap(text, width)).toBe(lines);
});
