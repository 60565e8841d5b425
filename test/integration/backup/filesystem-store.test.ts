import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openFilesystemStore } from '../../../src/backup/store/filesystem.ts';
import { renameUnderLock } from '../../../src/backup/store/filesystem-put.ts';
import type { Store } from '../../../src/backup/store/store.ts';
import { actAsNobody } from '../../support/agent/as-nobody.ts';
import { digestOf, patternChunks } from '../../support/data/pattern.ts';
import { runStoreChild } from '../../support/stores/run-store-child.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

const mebibyte = 1024 * 1024;
const never = new AbortController().signal;
const isRoot = process.geteuid?.() === 0;

let root: string;
let store: Store;

beforeEach(async (context) => {
  const folder = makeTempFolder();
  // Not as beforeEach's own end, which would come before what tests undo: mounts and another user.
  context.onTestFinished(() => removeTempFolder(folder));
  root = folder;
  store = await openFilesystemStore(folder);
});

const put = async (key: string, bytes = 10): Promise<unknown> =>
  await store.put(key, patternChunks(bytes), { signal: never });

async function keys(prefix = ''): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix, { signal: never })) found.push(key);
  return found;
}

/** Mounts a small file system until the test ends. */
function mountSmall(options: string): string {
  const folder = join(root, 'mounted');
  mkdirSync(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
  onTestFinished(() => void execFileSync('umount', [folder]));
  return folder;
}

const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

describe('files and folders', () => {
  test('are for the owner and the group', async () => {
    const before = process.umask(0o022);
    onTestFinished(() => void process.umask(before));
    await put('main/id/dump');
    expect(mode(join(root, 'main/id/dump'))).toBe('640');
    expect([mode(join(root, 'main')), mode(join(root, 'main/id'))]).toEqual(['750', '750']);
  });

  test('are made from the root on by the first put, and not by looking', async () => {
    const path = join(root, 'deep/er');
    const fresh = await openFilesystemStore(path);
    for await (const object of fresh.list('', { signal: never })) expect(object).toBeUndefined();
    expect(await fresh.free()).toBeGreaterThan(0);
    expect(existsSync(path)).toBe(false);
    await fresh.put('a', patternChunks(1), { signal: never });
    expect(readdirSync(path)).toEqual(['a']);
  });

  test('that became empty go with the last object, the root stays', async () => {
    await put('main/a/dump');
    await put('main/b/dump');
    await store.remove('main/a/dump', { signal: never });
    expect(readdirSync(join(root, 'main'))).toEqual(['b']);
    await store.remove('main/b/dump', { signal: never });
    expect(readdirSync(root)).toEqual([]);
  });

  test('of a put that fails go too', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
      throw new RangeError('broke');
    }
    await expect(store.put('a/b/c', failing(), { signal: never })).rejects.toThrow('broke');
    expect(readdirSync(root)).toEqual([]);
  });

  test('survive puts and removals side by side', async () => {
    await Promise.all(
      Array.from({ length: 40 }, async (_each, index) => {
        await put(`a/b/${index}`);
        await store.remove(`a/b/${index}`, { signal: never });
      }),
    );
    expect(readdirSync(root)).toEqual([]);
  });

  test('a root that is a file is refused when it is opened', async () => {
    await writeFile(join(root, 'file'), '');
    const opening = openFilesystemStore(join(root, 'file'));
    await expect(opening).rejects.toMatchObject({
      code: 'repository',
      hint: expect.stringContaining('path'),
    });
  });

  test('a root that is a link to what is not there, or not mounted, is refused when it is opened', async () => {
    symlinkSync(join(root, 'nowhere'), join(root, 'link'));
    await expect(openFilesystemStore(join(root, 'link'))).rejects.toMatchObject({
      code: 'repository',
      message: expect.stringContaining('it is a symbolic link to what is not there'),
    });
  });

  test('an object is no folder', async () => {
    await put('a');
    await expect(put('a/b')).rejects.toMatchObject({ reason: 'exists' });
    await expect(put('a/b/c')).rejects.toMatchObject({ reason: 'exists' });
    await put('x/y');
    await expect(put('x')).rejects.toMatchObject({ reason: 'exists' });
    expect(await keys()).toEqual(['a', 'x/y']);
  });
});

describe('what is no object', () => {
  test('is passed over by list: odd names, other kinds, temporary files', async () => {
    await put('main/id/dump');
    writeFileSync(join(root, 'main/foreign.txt'), 'x');
    for (const name of ['.hidden', '.tmp-0123', 'a b', 'ü', 'tab\tb', 'new\nline', 'a+b'])
      writeFileSync(join(root, name), 'x');
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x66, 0xff, 0xfe])]), 'x');
    mkdirSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x64, 0xff])]));
    mkdirSync(join(root, '.snapshots'));
    writeFileSync(join(root, '.snapshots/x'), 'x');
    mkdirSync(join(root, 'empty'));
    execFileSync('mkfifo', [join(root, 'fifo')]);
    symlinkSync('/etc/passwd', join(root, 'link'));
    symlinkSync('/etc', join(root, 'folder-link'));
    expect(await keys()).toEqual(['main/foreign.txt', 'main/id/dump']);
    expect(await keys('folder-link')).toEqual([]);
  });

  test('is not read, and not removed', async () => {
    execFileSync('mkfifo', [join(root, 'fifo')]);
    symlinkSync('/etc/passwd', join(root, 'link'));
    mkdirSync(join(root, 'folder'));
    for (const name of ['fifo', 'link', 'folder']) {
      expect(await store.stat(name, { signal: never })).toBeUndefined();
      await expect(store.get(name, { signal: never })).rejects.toMatchObject({ reason: 'missing' });
      await store.remove(name, { signal: never });
      await expect(put(name)).rejects.toMatchObject({ reason: 'exists' });
    }
    expect(readdirSync(root).toSorted()).toEqual(['fifo', 'folder', 'link']);
  });

  test('is not reached through a link that leads out', async () => {
    const outside = makeTempFolder();
    onTestFinished(() => removeTempFolder(outside));
    writeFileSync(join(outside, 'dump'), 'x');
    symlinkSync(outside, join(root, 'main'));
    const refusal = { reason: 'denied', message: expect.stringContaining('symbolic link') };
    await expect(put('main/new')).rejects.toMatchObject(refusal);
    await expect(store.get('main/dump', { signal: never })).rejects.toMatchObject(refusal);
    await expect(store.stat('main/dump', { signal: never })).rejects.toMatchObject(refusal);
    await expect(store.remove('main/dump', { signal: never })).rejects.toMatchObject(refusal);
    expect(await keys('main')).toEqual([]);
    expect(await store.sweep('main', { before: new Date(), signal: never })).toEqual([]);
    expect(readdirSync(outside)).toEqual(['dump']);
  });

  test('may be the root: that link is followed', async () => {
    const link = join(root, 'link');
    mkdirSync(join(root, 'real'));
    symlinkSync('real', link);
    const linked = await openFilesystemStore(link);
    await linked.put('a/b', patternChunks(1), { signal: never });
    await linked.remove('a/b', { signal: never });
    expect(readdirSync(join(root, 'real'))).toEqual([]);
  });
});

describe('sweep', () => {
  test('removes old temporary files only, below the prefix only', async () => {
    await put('main/kept/dump');
    const old = new Date(Date.now() - 3_600_000);
    for (const name of [
      'main/id/.tmp-1',
      'main/id/.tmp-2',
      'other/.tmp-3',
      'main/id/.keep',
      'main/kept/.tmp-4',
    ]) {
      mkdirSync(join(root, name, '..'), { recursive: true });
      writeFileSync(join(root, name), 'x');
      utimesSync(join(root, name), old, old);
    }
    utimesSync(join(root, 'main/id/.tmp-2'), new Date(), new Date());
    const before = new Date(Date.now() - 60_000);
    expect(await store.sweep('main', { before, signal: never })).toEqual([
      'main/id/.tmp-1',
      'main/kept/.tmp-4',
    ]);
    expect(readdirSync(join(root, 'main/id')).toSorted()).toEqual(['.keep', '.tmp-2']);
    expect(await store.sweep('', { before, signal: never })).toEqual(['other/.tmp-3']);
    expect(readdirSync(root)).toEqual(['main']);
  });

  test('removes empty folders that are said to be ours, when they are old', async () => {
    const old = new Date(Date.now() - 3_600_000);
    for (const name of ['main/ours-1', 'main/ours-2', 'main/ours-3/deep', 'main/theirs', 'other/ours-4'])
      mkdirSync(join(root, name), { recursive: true });
    for (const name of ['main/ours-1', 'main/ours-3', 'main/theirs', 'other/ours-4'])
      utimesSync(join(root, name), old, old);
    const options = {
      before: new Date(Date.now() - 60_000),
      signal: never,
      folders: (name: string) => name.includes('ours'),
    };
    expect(await store.sweep('main', options)).toEqual(['main/ours-1/']);
    expect(readdirSync(join(root, 'main')).toSorted()).toEqual(['ours-2', 'ours-3', 'theirs']);
    expect(readdirSync(join(root, 'other'))).toEqual(['ours-4']);
  });
});

describe('reading', () => {
  test.each([
    ['grows', 3 * mebibyte, (path: string) => appendFile(path, 'more')],
    ['shrinks', 3 * mebibyte, async (path: string) => truncateSync(path, 2 * mebibyte)],
    ['becomes empty', 1, async (path: string) => truncateSync(path, 0)],
    ['is no longer empty', 0, (path: string) => appendFile(path, 'more')],
  ])('a file that %s meanwhile is an error', async (_name, size, change) => {
    await put('a', size);
    const { chunks } = await store.get('a', { signal: never });
    await change(join(root, 'a'));
    await expect(digestOf(chunks)).rejects.toMatchObject({ code: 'repository', reason: 'truncated' });
  });

  test('an object that is removed before the loop starts is missing', async () => {
    await put('a');
    const { chunks } = await store.get('a', { signal: never });
    await store.remove('a', { signal: never });
    await expect(digestOf(chunks)).rejects.toMatchObject({ reason: 'missing' });
  });

  test('keeps no descriptor open, read or not', async () => {
    const open = (): number => readdirSync('/proc/self/fd').length;
    await put('a', mebibyte);
    const before = open();
    await store.get('a', { signal: never });
    for await (const chunk of (await store.get('a', { signal: never })).chunks) if (chunk.length > 0) break;
    await digestOf((await store.get('a', { signal: never })).chunks);
    expect(open()).toBe(before);
  });
});

describe('refusals', () => {
  test('no right to write names the folder’s owner', async () => {
    mkdirSync(join(root, 'main'));
    chmodSync(join(root, 'main'), 0o555);
    actAsNobody(root, []);
    const putting = put('main/id/dump');
    await expect(putting).rejects.toMatchObject({
      code: 'repository',
      reason: 'denied',
      hint: expect.stringMatching(/main belongs to .+:.+, mode 0555/),
    });
    await expect(putting).rejects.toThrow('put main/id/dump');
  });

  test('no right to read', async () => {
    await put('main/dump');
    chmodSync(join(root, 'main/dump'), 0o600);
    chmodSync(join(root, 'main'), 0o755);
    actAsNobody(root, [join(root, 'main/dump')]);
    const { chunks } = await store.get('main/dump', { signal: never });
    await expect(digestOf(chunks)).rejects.toMatchObject({
      reason: 'denied',
      hint: expect.stringContaining('mode'),
    });
  });

  test.skipIf(!isRoot)('a file system that is read-only (only root can mount one)', async () => {
    const mounted = await openFilesystemStore(mountSmall('ro,size=1m'));
    for (const key of ['a', 'in/new/folders']) {
      const putting = mounted.put(key, patternChunks(1), { signal: never });
      await expect(putting).rejects.toMatchObject({
        reason: 'denied',
        message: expect.stringContaining('read-only'),
      });
    }
  });

  test.skipIf(!isRoot).each([9 * mebibyte, 100 * mebibyte])(
    'a disk that is too full for %i bytes keeps nothing of them (only root can mount one)',
    async (bytes) => {
      const folder = mountSmall('size=8m');
      const mounted = await openFilesystemStore(folder);
      await mounted.put('small', patternChunks(mebibyte), { signal: never });
      const putting = mounted.put('main/id/large', patternChunks(bytes), { signal: never });
      await expect(putting).rejects.toMatchObject({
        code: 'repository',
        reason: 'full',
        hint: expect.any(String),
      });
      expect(readdirSync(folder)).toEqual(['small']);
      expect(await mounted.free()).toBeGreaterThan(6 * mebibyte);
      await mounted.put('main/id/fits', patternChunks(6 * mebibyte), { signal: never });
    },
  );

  test('what is removed while it is written says so', async () => {
    async function* robbed(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
      await store.sweep('', { before: new Date(Date.now() + 60_000), signal: never });
    }
    await expect(store.put('a/b/c', robbed(), { signal: never })).rejects.toMatchObject({
      code: 'repository',
      reason: 'unavailable',
      message: expect.stringMatching(/: what was written has gone meanwhile$/),
      hint: expect.stringContaining('another agent'),
    });
    expect(readdirSync(root)).toEqual([]);
  });

  test('a file that is larger than the process may write keeps nothing', async () => {
    const task = { store: { type: 'filesystem' as const, root }, key: 'a/b', bytes: 9 * mebibyte, pause: 0 };
    // In blocks of 512 bytes: 4 MiB.
    const result = await runStoreChild(task, { limits: 'ulimit -f 8192' });
    expect(result).toMatchObject({ reason: 'full', hint: expect.stringContaining('ulimit') });
    expect(readdirSync(root)).toEqual([]);
  });
});

describe('where there are no hard links', () => {
  test('a rename under a lock replaces nothing either', async () => {
    const path = (name: string): string => join(root, name);
    await writeFile(path('.tmp-1'), 'one');
    await writeFile(path('.tmp-2'), 'two');
    await renameUnderLock(path('.tmp-1'), path('a'));
    await expect(renameUnderLock(path('.tmp-2'), path('a'))).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await readFile(path('a'), 'utf8')).toBe('one');
    expect(readdirSync(root).toSorted()).toEqual(['.tmp-2', 'a']);
  });

  test('of many at once exactly one wins, and other names are not in the way', async () => {
    const names = Array.from({ length: 20 }, (_each, index) => join(root, `.tmp-${index}`));
    for (const name of names) writeFileSync(name, name);
    const [same, others] = [names.slice(0, 10), names.slice(10)];
    const elsewhere = Promise.all(
      others.map((name, index) => renameUnderLock(name, join(root, `other-${index}`))),
    );
    const results = await Promise.allSettled(same.map((name) => renameUnderLock(name, join(root, 'same'))));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await elsewhere).toHaveLength(10);
  });
});
