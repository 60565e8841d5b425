import { chmodSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findSystemUser, isThere, placeFile, placeFolder, Undo } from '../../../../src/app/init/files.ts';
import { actAsNobody } from '../../../support/agent/as-nobody.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

function folder(): string {
  const path = makeTempFolder();
  onTestFinished(() => removeTempFolder(path));
  return path;
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;

test('what was replaced stays beside it, each time under a name of its own', async () => {
  const dir = folder();
  const path = join(dir, 'config');
  const place = (text: string): Promise<string | undefined> =>
    placeFile(path, text, { mode: 0o640, undo: new Undo() });
  expect([await place('1'), await place('2'), await place('3')]).toEqual([
    undefined,
    `${path}.bak`,
    `${path}.bak2`,
  ]);
  const contents = ['', '.bak', '.bak2'].map((suffix) => readFileSync(path + suffix, 'utf8'));
  expect(contents).toEqual(['3', '1', '2']);
  expect(modeOf(path)).toBe(0o640);
});

test('everything is taken back, the last step first', async () => {
  const dir = folder();
  writeFileSync(join(dir, 'old'), 'old');
  const undo = new Undo();
  const options = { mode: 0o700, undo };
  await placeFolder(join(dir, 'a/b/c'), options);
  await placeFile(join(dir, 'a/b/c/new'), 'x', options);
  await placeFile(join(dir, 'old'), 'new', options);
  expect(readdirSync(dir).toSorted()).toEqual(['a', 'old', 'old.bak']);
  expect(await undo.run()).toEqual([]);
  expect(readdirSync(dir)).toEqual(['old']);
  expect(readFileSync(join(dir, 'old'), 'utf8')).toBe('old');
  expect(await undo.run()).toEqual([]);
});

test('what cannot be taken back is named, and the rest still is', async () => {
  const dir = folder();
  const undo = new Undo();
  await placeFile(join(dir, 'file'), 'x', { mode: 0o600, undo });
  undo.add('the user', () => Promise.reject(new Error('gone')));
  expect(await undo.run()).toEqual(['the user (gone)']);
  expect(readdirSync(dir)).toEqual([]);
});

test('a replacement that fails leaves the old file alone', async () => {
  const dir = folder();
  const path = join(dir, 'there');
  mkdirSync(path);
  const undo = new Undo();
  await expect(placeFile(path, 'x', { mode: 0o600, undo })).rejects.toMatchObject({
    code: 'failed',
    message: expect.stringContaining(`cannot write ${path}`),
  });
  expect(await undo.run()).toEqual([]);
  expect(readdirSync(dir)).toEqual(['there']);
});

test('folders get their mode whatever the umask, and those that are there keep theirs', async () => {
  const dir = folder();
  const umask = process.umask(0o077);
  try {
    await placeFolder(join(dir, 'a/b'), { mode: 0o750, undo: new Undo() });
  } finally {
    process.umask(umask);
  }
  expect([modeOf(join(dir, 'a')), modeOf(join(dir, 'a/b'))]).toEqual([0o755, 0o750]);
  chmodSync(join(dir, 'a/b'), 0o711);
  await placeFolder(join(dir, 'a/b'), { mode: 0o750, undo: new Undo() });
  expect(modeOf(join(dir, 'a/b'))).toBe(0o711);
});

test('no right to write: says who lacks it, and where else to go', async () => {
  const dir = folder();
  mkdirSync(join(dir, 'etc'));
  actAsNobody(dir, [join(dir, 'etc')]);
  await expect(
    placeFile(join(dir, 'etc/config'), 'x', { mode: 0o600, undo: new Undo() }),
  ).rejects.toMatchObject({
    reason: 'denied',
    message: expect.stringMatching(/cannot write .*config: \S+ may not write there \(EACCES\)$/),
    hint: expect.stringContaining('run init as root'),
  });
});

test.runIf(process.geteuid?.() === 0)('root gives files to their owner', async () => {
  const dir = folder();
  const owner = { uid: 65_534, gid: 65_533 };
  await placeFile(join(dir, 'secret'), 'x', { mode: 0o600, owner, undo: new Undo() });
  expect(statSync(join(dir, 'secret'))).toMatchObject(owner);
});

test('a link to nothing is there, too', async () => {
  const dir = folder();
  expect(await isThere(join(dir, 'x'))).toBe(false);
  expect(await isThere(dir)).toBe(true);
});

test('system users', async () => {
  expect(await findSystemUser('root')).toEqual({ uid: 0, gid: 0 });
  expect(await findSystemUser('no-such-user')).toBeUndefined();
});
