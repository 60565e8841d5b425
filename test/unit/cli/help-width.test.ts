import { expect, test } from 'vitest';
import { loadCommands } from '../../../src/cli/commands/index.ts';
import { parseArguments } from '../../../src/cli/parse-arguments.ts';
import plainWidth from '../../../scripts/lib/plain-width.ts';

const { commands } = await loadCommands();

/** What takes one column each, and is one unit of a string. */
const oneColumn = /^[\n\u0020-\u007E‘’“”…·]*$/;

test('every help has only characters of one column, which is what the bundle counts on', async () => {
  const words = commands.map(({ usage }) => usage.split(' ').filter((word) => /^[a-z]/.test(word)));
  for (const argv of [[], ...words]) {
    const help = await parseArguments([...argv, '--help'], 80);
    if (help.kind !== 'text') throw new Error(`${argv.join(' ')} --help ran`);
    expect(help.text).toMatch(oneColumn);
    expect(Math.max(...help.text.split('\n').map(plainWidth))).toBeLessThanOrEqual(80);
  }
});

test('colours take no column', () => {
  expect(plainWidth('\u001B[31;1mred\u001B[0m')).toBe(3);
});
