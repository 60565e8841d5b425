import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { distrustFolder, distrustProgram } from '../../../../src/lib/files/distrust-path.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const me = process.geteuid?.() ?? 0;

function prepare(): { folder: string; program: string } {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  mkdirSync(join(folder, 'bin'), { mode: 0o755 });
  const program = join(folder, 'bin/tool');
  writeFileSync(program, '', { mode: 0o755 });
  return { folder, program };
}

test('what the system has is trusted, and what we own below the temporary folder', () => {
  expect(distrustProgram('/bin/sh')).toBe(undefined);
  expect(distrustProgram(prepare().program)).toBe(undefined);
});

test('not what others may write, or any folder above it', () => {
  const { folder, program } = prepare();
  chmodSync(program, 0o757);
  expect(distrustProgram(program)).toMatch(`others may write to ${program} (`);
  chmodSync(program, 0o755);
  chmodSync(join(folder, 'bin'), 0o757);
  expect(distrustProgram(program)).toMatch(`others may write to ${join(folder, 'bin')} (`);
  chmodSync(join(folder, 'bin'), 0o1777);
  expect(distrustProgram(program)).toBe(undefined);
  chmodSync(program, 0o644);
  expect(distrustProgram(program)).toMatch(/is no program/);
  expect(distrustProgram(join(folder, 'none'))).toBe(`${join(folder, 'none')} does not exist`);
});

test('links are followed, and the way behind them counts', () => {
  const { folder, program } = prepare();
  const link = join(folder, 'link');
  symlinkSync('bin', link);
  expect(distrustProgram(join(link, 'tool'))).toBe(undefined);
  chmodSync(join(folder, 'bin'), 0o777);
  expect(distrustProgram(join(link, 'tool'))).toMatch(/others may write to .*bin/);
  chmodSync(join(folder, 'bin'), 0o755);
  symlinkSync('loop', join(folder, 'loop'));
  expect(distrustProgram(join(folder, 'loop'))).toMatch(/too many links/);
  expect(distrustProgram(`${program}/x`)).toMatch(/x (?:does not exist|cannot be looked at)/);
});

test.skipIf(me !== 0)('not what belongs to another user', () => {
  const { folder, program } = prepare();
  chownSync(program, 65_534, 65_534);
  expect(distrustProgram(program)).toMatch(/tool belongs to/);
  chownSync(program, 0, 0);
  chownSync(join(folder, 'bin'), 65_534, 65_534);
  expect(distrustProgram(program)).toMatch(/bin belongs to/);
});

test.skipIf(me !== 0)('a folder for a user is his own, and nobody else leads there', () => {
  const { folder } = prepare();
  const data = join(folder, 'bin');
  expect(distrustFolder(data, 1)).toMatch(/is no folder of that user/);
  chownSync(data, 1, 1);
  expect(distrustFolder(data, 1)).toBe(undefined);
  const link = join(folder, 'link');
  symlinkSync('bin', link);
  expect(distrustFolder(link, 1)).toBe(undefined);
  chownSync(data, 2, 2);
  expect(distrustFolder(data, 1)).toMatch(/bin belongs to/);
});
