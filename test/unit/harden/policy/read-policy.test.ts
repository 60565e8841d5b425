import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readPolicy } from '../../../../src/harden/policy/read-policy.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

function policy(text: string, name = 'mine.yaml'): string {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const head = 'name: mine\nsummary: ours\nextends: queue\ndirectives:\n';

test('one of ours is extended: a value in its place, another taken out', async () => {
  const { name, wishes } = await readPolicy(
    policy(`${head}  bind: { value: 10.0.1.5, reason: r, source: s }\n  timeout: null\n`),
  );
  expect(name).toBe('mine');
  expect(wishes.find((wish) => wish.name === 'bind')).toMatchObject({ value: ['10.0.1.5'], from: 'mine' });
  expect(wishes.find((wish) => wish.name === 'timeout')).toBeUndefined();
  expect(wishes.find((wish) => wish.name === 'maxmemory-policy')).toMatchObject({ from: 'queue' });
});

test.each([
  ['a key that is missing', 'name: mine\ndirectives: {}\n', 'line 1: summary: is missing'],
  ['a wrong key', `${head}  timeout: { valeu: 3, reason: r, source: s }\n`, 'line 5: directives.timeout'],
  [
    'a secret',
    `${head}  requirepass: { value: x1y2z3, reason: r, source: s }\n`,
    'line 5: directives.requirepass: is a secret',
  ],
  [
    'a quote',
    `${head}  timeout: { value: 'a"b', reason: r, source: s }\n`,
    'directives.timeout.value: holds a quote',
  ],
  ['a tab', 'name: mine\n\tsummary: ours\n', 'line 2: '],
  ['nothing', '', 'line 1: it has no name:'],
  ['a list', '- name: mine\n', 'line 1: it has no name:'],
])('%s is told in one line, with its line of the file and nothing that it holds', async (_, text, said) => {
  const error: unknown = await readPolicy(policy(text)).catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: 'usage', message: expect.stringContaining(said) });
  expect(String(error)).not.toMatch(/\n|x1y2z3/);
});

test('policies that extend one another end', async () => {
  const path = policy('name: mine\nsummary: ours\nextends: ./mine.yaml\ndirectives: {}\n');
  await expect(readPolicy(path)).rejects.toThrow('extend one another');
});
