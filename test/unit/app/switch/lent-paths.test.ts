// What root opens for a process without its rights: nothing that who may put things there could not open himself.
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openPaths, type LentPaths } from '../../../../src/app/switch/lent-paths.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

let folder: string;
let lent: LentPaths | undefined;

beforeEach(() => {
  folder = makeTempFolder();
});

afterEach(() => {
  for (const { descriptor } of lent?.files ?? []) closeSync(descriptor);
  lent = undefined;
  removeTempFolder(folder);
});

const inFolder = (name: string): string => join(folder, name);

function opened(paths: string[]): Record<string, string> {
  lent = openPaths(paths);
  return Object.fromEntries(
    lent.files.map(({ path, descriptor }) => [basename(path), readFileSync(descriptor, 'utf8')]),
  );
}

test('a file, by whatever links, as a person has named it; no pipe, no device, nothing that is not there', () => {
  writeFileSync(inFolder('real'), 'text');
  symlinkSync('real', inFolder('link'));
  execFileSync('mkfifo', [inFolder('pipe')]);
  expect(opened([inFolder('link'), inFolder('pipe'), inFolder('gone'), '/dev/zero'])).toEqual({
    link: 'text',
  });
});

test('a folder with its files, and the one of before beside it', () => {
  const aof = inFolder('appendonlydir');
  mkdirSync(join(aof, 'deeper'), { recursive: true });
  writeFileSync(join(aof, 'a.aof.manifest'), 'list');
  writeFileSync(join(aof, 'a.aof.1.incr.aof'), 'commands');
  writeFileSync(inFolder('a.aof'), 'old');
  writeFileSync(inFolder('other'), 'not asked for');
  expect(opened([aof])).toEqual({ 'a.aof.manifest': 'list', 'a.aof.1.incr.aof': 'commands', 'a.aof': 'old' });
  expect(lent?.folders).toEqual([aof]);
});

test('an empty folder: a server before 7.0 has the usual name beside it', () => {
  mkdirSync(inFolder('appendonlydir'));
  writeFileSync(inFolder('appendonly.aof'), 'old');
  expect(opened([inFolder('appendonlydir')])).toEqual({ 'appendonly.aof': 'old' });
});

test('no link in a folder is followed', () => {
  writeFileSync(inFolder('secret'), 'secret');
  mkdirSync(inFolder('aof'));
  symlinkSync('../secret', inFolder('aof/a.aof'));
  expect(opened([inFolder('aof')])).toEqual({});
});

test.runIf(process.geteuid?.() === 0)('of another user’s folder what he could open himself', () => {
  writeFileSync(inFolder('secret'), 'secret', { mode: 0o600 });
  const aof = inFolder('aof');
  mkdirSync(aof, { mode: 0o700 });
  writeFileSync(join(aof, 'his'), 'his', { mode: 0o600 });
  // A hard link to a file of root's.
  linkSync(inFolder('secret'), join(aof, 'planted'));
  for (const path of [aof, join(aof, 'his')]) chownSync(path, 65_534, 65_534);
  expect(lstatSync(join(aof, 'planted')).uid).toBe(0);
  expect(opened([aof])).toEqual({ his: 'his' });
  rmSync(join(aof, 'planted'));
});

test('a folder of many files is refused', () => {
  for (let index = 0; index < 257; index++) writeFileSync(inFolder(String(index)), '');
  expect(() => openPaths([folder])).toThrow(`${folder} holds 257 files: that is no append only file`);
});
