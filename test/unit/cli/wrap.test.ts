import { expect, test } from 'vitest';
import { wrap } from '../../../src/cli/render/wrap.ts';

test.each([
  ['one two three', 7, '', 'one two\nthree'],
  ['one two three', 8, '  ', 'one two\n  three'],
  ['a-word-that-is-longer than that', 6, ' ', 'a-word-that-is-longer\n than\n that'],
  ['fits', 80, '  ', 'fits'],
  ['', 80, '', ''],
])('%j in %i columns', (text, width, indent, lines) => {
  expect(wrap(text, width, indent)).toBe(lines);
});
