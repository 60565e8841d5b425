import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadCommands } from '../../../src/cli/commands/index.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

const { commands } = await loadCommands();

const root = join(import.meta.dirname, '../../..');

test('the manual has a page for each command, with each of its options', () => {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  execFileSync(join(root, 'scripts/node'), [
    join(root, 'scripts/lib/packages/manual.ts'),
    folder,
    '1.2.3',
    '2026-01-01',
  ]);
  const pages = readdirSync(folder);
  expect(pages).toHaveLength(commands.length + 1);
  const overview = readFileSync(join(folder, 'redis-agent.1'), 'utf8');
  for (const { usage } of commands) expect(overview).toContain(`.B ${usage.replaceAll('-', '\\-')}\n`);
  const restore = readFileSync(join(folder, 'redis-agent-restore.1'), 'utf8');
  for (const option of ['dry-run', 'method', 'into', 'allow-unloaded', 'accept-unencrypted'])
    expect(restore).toContain(`\\fB\\-\\-${option.replaceAll('-', '\\-')}\\fR`);
  // A line that begins with a dot is a macro: only those that we write.
  const macros = pages.flatMap((page) => [
    ...(readFileSync(join(folder, page), 'utf8').match(/^[.'].[^ \n]*/gm) ?? []),
  ]);
  expect([...new Set(macros)].toSorted()).toEqual(['.B', '.BR', '.I', '.SH', '.TH', '.TP']);
});

test.each(['postinst', 'prerm', 'postrm'])('the maintainer script %s is one for every shell', (name) => {
  const text = ['scripts/packaging/common.sh', `scripts/packaging/deb/${name}`]
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .join('');
  execFileSync('sh', ['-n'], { input: `set -e\n${text}` });
  expect(text).not.toMatch(/\[\[|\bfunction\b|<<</);
});
