import { mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startFolder } from '../../../../src/backup/restore/start-folder.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const folder = realpathSync(makeTempFolder());
mkdirSync(join(folder, 'srv/data/deep'), { recursive: true });
symlinkSync(join(folder, 'srv/data'), join(folder, 'link'));
afterAll(() => removeTempFolder(folder));

test.each([
  ['/var/lib/redis', 'srv/data', '/'],
  ['.', 'srv/data', 'srv/data'],
  ['./', 'srv/data', 'srv/data'],
  ['data', 'srv/data', 'srv'],
  ['./srv//data/', 'srv/data', '.'],
  ['link', 'srv/data', '.'],
  ['../data', 'srv/data', 'srv/data'],
  ['../../srv/data', 'srv/data', 'srv/data'],
])('dir %s is %s when started from %s', (written, dir, from) => {
  expect(startFolder(written, join(folder, dir))).toBe(from === '/' ? '/' : join(folder, from));
});

test.each([
  ['other', 'srv/data'],
  ['data', 'srv'],
  ['../link2', 'srv/data'],
])('dir %s can be %s from nowhere that is known', (written, dir) => {
  expect(startFolder(written, join(folder, dir))).toBeUndefined();
});
