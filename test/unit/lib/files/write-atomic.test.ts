import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, it } from 'vitest';
import { writeAtomic } from '../../../../src/lib/files/write-atomic.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

function folder(): string {
  const path = makeTempFolder();
  onTestFinished(() => removeTempFolder(path));
  return path;
}

it('writes a new file with its mode whatever the umask', async () => {
  const dir = folder();
  const umask = process.umask(0o077);
  onTestFinished(() => void process.umask(umask));
  await writeAtomic(join(dir, 'file'), 'one', { mode: 0o644 });
  expect(readFileSync(join(dir, 'file'), 'utf8')).toBe('one');
  expect(statSync(join(dir, 'file')).mode & 0o777).toBe(0o644);
});

it('replaces content and mode, and leaves no other file', async () => {
  const dir = folder();
  writeFileSync(join(dir, 'file'), 'a much longer old one', { mode: 0o666 });
  await writeAtomic(join(dir, 'file'), new Uint8Array([110, 101, 119]), { mode: 0o600 });
  expect(readFileSync(join(dir, 'file'), 'utf8')).toBe('new');
  expect(statSync(join(dir, 'file')).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir)).toEqual(['file']);
});

it('never changes the old file in place', async () => {
  const dir = folder();
  writeFileSync(join(dir, 'target'), 'target');
  symlinkSync('target', join(dir, 'link'));
  await writeAtomic(join(dir, 'link'), 'new', { mode: 0o600 });
  expect(readFileSync(join(dir, 'target'), 'utf8')).toBe('target');
  expect(readFileSync(join(dir, 'link'), 'utf8')).toBe('new');
});

it('fails with the system’s error and cleans up', async () => {
  const dir = folder();
  mkdirSync(join(dir, 'taken', 'full'), { recursive: true });
  await expect(writeAtomic(join(dir, 'taken'), 'x', { mode: 0o600 })).rejects.toMatchObject({
    code: 'EISDIR',
  });
  await expect(writeAtomic(join(dir, 'no', 'file'), 'x', { mode: 0o600 })).rejects.toMatchObject({
    code: 'ENOENT',
  });
  expect(readdirSync(dir)).toEqual(['taken']);
});
