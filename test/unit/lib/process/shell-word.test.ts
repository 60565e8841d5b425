import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { shellWord } from '../../../../src/lib/process/shell-word.ts';

test('what needs none gets no quotes', () => {
  expect(shellWord('/backup/20261121T060000Z-7f3a')).toBe('/backup/20261121T060000Z-7f3a');
});

test.each(['re pair', "it's", '$HOME `id` "x" \\', '*', '~root', 'ümlaut', ''])(
  '%j is one word to a shell',
  (text) => {
    const said = execFileSync('sh', ['-c', `printf '<%s>' ${shellWord(text)}`], { encoding: 'utf8' });
    expect(said).toBe(`<${text}>`);
  },
);
