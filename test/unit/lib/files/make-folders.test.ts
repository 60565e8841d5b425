import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeFolders } from '../../../../src/lib/files/make-folders.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

test('makes what is missing, with its mode, and leaves what is there', () => {
  const root = makeTempFolder();
  onTestFinished(() => removeTempFolder(root));
  const before = statSync(root).mode;
  makeFolders(join(root, 'a/b'), 0o700);
  makeFolders(join(root, 'a/b'), 0o755);
  expect(['a', 'a/b'].map((name) => statSync(join(root, name)).mode & 0o777)).toEqual([0o700, 0o700]);
  expect(statSync(root).mode).toBe(before);
  writeFileSync(join(root, 'file'), '');
  expect(() => makeFolders(join(root, 'file'), 0o700)).toThrow('EEXIST');
  expect(() => makeFolders(join(root, 'file/a'), 0o700)).toThrow('EEXIST');
});

test.each(['/proc/redis-agent', '/proc/redis-agent/a'])(
  'comes back at %s, where no folder can be made',
  (path) => {
    expect(() => makeFolders(path, 0o700)).toThrow('ENOENT');
  },
);
