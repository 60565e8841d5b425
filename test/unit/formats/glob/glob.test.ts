import { expect, test } from 'vitest';
import { compileGlob } from '../../../../src/formats/glob/glob.ts';

function match(pattern: string, key: string): boolean {
  // Not from offset 0: keys are parts of larger buffers.
  const bytes = Buffer.from(`#${key}#`, 'latin1');
  return compileGlob(Buffer.from(pattern, 'latin1'))(bytes, 1, bytes.length - 1);
}

test.each<[pattern: string, yes: string[], no: string[]]>([
  ['*', ['', 'a', 'any:key'], []],
  ['**', ['a', 'any'], ['']],
  ['', [''], ['a']],
  ['user:*', ['user:', 'user:1'], ['user', 'auser:1', 'users:1']],
  ['*:*:end', ['a:b:end', ':::end:end'], ['a:end', 'a:b:end ']],
  ['h?llo', ['hello', 'h\nllo'], ['hllo', 'heello']],
  ['h[ae]llo', ['hello', 'hallo'], ['hillo', 'hllo']],
  ['h[^e]llo', ['hallo'], ['hello']],
  ['h[a-c]llo', ['hallo', 'hcllo'], ['hdllo', 'h-llo']],
  ['h[c-a]llo', ['hbllo'], ['hdllo']],
  [String.raw`a\*b`, ['a*b'], ['axb', String.raw`a\*b`]],
  [String.raw`[\]\-]`, [']', '-'], ['\\']],
  ['a\\', ['a\\'], ['a']],
  ['[ab', ['a', 'b'], ['c', '[ab']],
  ['[a-]', ['a', '`', ']'], ['-', 'b']],
  ['[^', ['a', '^'], ['', 'aa']],
  ['[', [], ['[', '']],
  ['[]', [], [']', '[]']],
  ['[\x7f-\x80]', ['\x7f', '\x80', 'a', '\0'], []],
  ['[\xf0-\xff]', ['\xf0', '\xff'], ['\xef', 'a']],
  ['*a*', ['a', 'ba', 'ab'], ['', 'b']],
])('%j', (pattern, yes, no) => {
  expect(yes.filter((key) => !match(pattern, key))).toEqual([]);
  expect(no.filter((key) => match(pattern, key))).toEqual([]);
});

test('a hostile pattern takes no longer than pattern times key', () => {
  // Tried the way of the server's older versions, this would not end within the life of the universe.
  const pattern = `${'a*'.repeat(2000)}b`;
  expect(match(pattern, 'a'.repeat(20_000))).toBe(false);
  expect(match(pattern, `${'a'.repeat(20_000)}b`)).toBe(true);
});
