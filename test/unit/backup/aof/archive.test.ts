import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { archiveAofSet } from '../../../../src/backup/aof/archive.ts';
import { openAofSet } from '../../../../src/backup/aof/open-set.ts';
import { unpackAof, type UnpackOptions } from '../../../../src/backup/aof/unpack.ts';
import { AofArchiveCheck } from '../../../../src/formats/aof/archive-check.ts';
import { systemClock } from '../../../../src/lib/time/system-clock.ts';
import { makeAofArchive, sampleAofFiles } from '../../../support/data/aof-archive.ts';
import { createOwnFile } from '../../../../src/lib/files/staged-file.ts';
import { inChunksOf } from '../../../support/data/chunks.ts';
import { resp } from '../../../support/data/resp.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const root = makeTempFolder();
afterAll(() => removeTempFolder(root));
const { signal } = new AbortController();
let folders = 0;

function folderWith(files: Record<string, Buffer | string>): string {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  return folder;
}

function contentOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder)
      .toSorted()
      .map((name) => [name, readFileSync(join(folder, name), 'latin1')]),
  );
}

async function unpack(
  archive: Uint8Array,
  options: Pick<UnpackOptions, 'layout' | 'stem'>,
): Promise<{ files: unknown; content: Record<string, string> }> {
  const folder = folderWith({});
  const unpacked = await unpackAof(inChunksOf(archive, 333), {
    ...options,
    create: (name) => createOwnFile(join(folder, name), false),
  });
  return { ...unpacked, content: contentOf(folder) };
}

test('the archive of open files: whole, cut at what is asked for, whatever is asked for at a time', async () => {
  const base = resp(['SET', 'base', 'x'.repeat(3000)]);
  const incr = resp(['SET', 'incr', '1']);
  const folder = folderWith({
    'other.aof.manifest':
      'file "other.aof.1.base.aof" seq 1 type b\nfile gone seq 1 type h\nfile odd\\" seq 7 type i startoffset 5\n'.replace(
        'odd\\"',
        '"odd\\""',
      ),
    'other.aof.1.base.aof': base,
    'odd"': Buffer.concat([incr, resp(['MULTI'])]),
  });
  const source = { layout: 'multi-part', path: join(folder, 'other.aof.manifest') } as const;
  await using set = await openAofSet(source, { clock: systemClock, signal });
  const [first, second] = set!.files;
  const parts = [
    { file: first!, bytes: base.length },
    { file: second!, bytes: incr.length },
  ];
  const archive = archiveAofSet(set!, parts, 0);
  const whole = Buffer.alloc(archive.bytes);
  for (const length of [1, 100, 512, 5000, archive.bytes]) {
    whole.fill(0xee);
    for (let at = 0; at < archive.bytes; at += length) {
      const wanted = Math.min(length, archive.bytes - at);
      expect(await archive.handle.read(whole, at, wanted, at)).toEqual({ bytesRead: wanted });
    }
    const files = {
      'appendonlydir/appendonly.aof.manifest': Buffer.from(
        'file appendonly.aof.1.base.aof seq 1 type b\nfile appendonly.aof.7.incr.aof seq 7 type i startoffset 5\n',
      ),
      'appendonlydir/appendonly.aof.1.base.aof': base,
      'appendonlydir/appendonly.aof.7.incr.aof': incr,
    };
    expect(whole.equals(makeAofArchive(files))).toBe(true);
  }
  const check = new AofArchiveCheck();
  check.update(whole);
  expect(check.finish()).toMatchObject({ sound: true });
  expect(await archive.handle.read(whole, 0, 10, archive.bytes)).toEqual({ bytesRead: 0 });
});

test('a file that has become shorter is not filled up', async () => {
  const folder = folderWith({ 'appendonly.aof': resp(['PING']) });
  const source = { layout: 'single', path: join(folder, 'appendonly.aof') } as const;
  await using set = await openAofSet(source, { clock: systemClock, signal });
  const archive = archiveAofSet(set!, [{ file: set!.files[0]!, bytes: 5000 }], 0);
  const reading = archive.handle.read(Buffer.alloc(8000), 0, 8000, 0);
  await expect(reading).rejects.toMatchObject({ reason: 'changed' });
});

test('unpacked under the names of another server', async () => {
  const { files, content } = await unpack(makeAofArchive(sampleAofFiles()), {
    layout: 'multi-part',
    stem: '$& x',
  });
  expect(files).toEqual([
    { name: '$& x.2.base.rdb', type: 'b' },
    { name: '$& x.5.incr.aof', type: 'i' },
    { name: '$& x.6.incr.aof', type: 'i' },
  ]);
  expect(Object.keys(content)).toEqual([
    '$& x.2.base.rdb',
    '$& x.5.incr.aof',
    '$& x.6.incr.aof',
    '$& x.manifest',
  ]);
  expect(content['$& x.manifest']).toContain('file "$& x.2.base.rdb" seq 2 type b\n');
});

test('a single file as it is, and as the base of a set', async () => {
  const archive = makeAofArchive({ 'appendonly.aof': resp(['PING']) });
  expect((await unpack(archive, { layout: 'single', stem: 'a' })).content).toEqual({
    a: String(resp(['PING'])),
  });
  expect((await unpack(archive, { layout: 'multi-part', stem: 'a' })).content).toEqual({
    'a.1.base.aof': String(resp(['PING'])),
    'a.manifest': 'file a.1.base.aof seq 1 type b\n',
  });
});

test('a set is no single file, and nothing is written outside', async () => {
  const set = makeAofArchive(sampleAofFiles());
  await expect(unpack(set, { layout: 'single', stem: 'a' })).rejects.toMatchObject({ reason: 'multi-part' });
  for (const name of ['../outside', '/tmp/outside', 'appendonlydir/../outside', 'appendonly.aof/x'])
    await expect(
      unpack(makeAofArchive({ [name]: Buffer.from('x') }), { layout: 'multi-part', stem: 'a' }),
    ).rejects.toThrow(/no part of an append only file/);
});

test.each(['multi-part', 'single'] as const)('a member that comes twice is damage (%s)', async (layout) => {
  const first = makeAofArchive({ 'appendonly.aof': resp(['SET', 'a', '1']) });
  const second = makeAofArchive({ 'appendonly.aof': resp(['SET', 'a', '2']) });
  const twice = Buffer.concat([first.subarray(0, -1024), second]);
  await expect(unpack(twice, { layout, stem: 'appendonly.aof' })).rejects.toMatchObject({
    code: 'damaged',
    message: 'the archive holds "appendonly.aof" twice',
  });
});

test('one that comes under two names for one place is damage too', async () => {
  const files = {
    'appendonly.aof': resp(['SET', 'a', '1']),
    'appendonlydir/appendonly.aof.1.base.aof': resp(['SET', 'a', '2']),
  };
  await expect(
    unpack(makeAofArchive(files), { layout: 'multi-part', stem: 'appendonly.aof' }),
  ).rejects.toMatchObject({ code: 'damaged', message: expect.stringContaining('twice') as unknown });
});
