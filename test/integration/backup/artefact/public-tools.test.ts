import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeRdb } from '../../../../src/backup/artefact/decode.ts';
import type { Artefact } from '../../../../src/domain/backup.ts';
import { artefactOf, encoded, neverAborted, sampleRdb } from '../../../support/data/artefacts.ts';
import { collect, inChunksOf } from '../../../support/data/chunks.ts';
import { startServer } from '../../../support/servers/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const folder = makeTempFolder();
const keyFile = join(folder, 'key.txt');
let identity: string;
let recipient: string;

/** Runs one of the command-line tools on `input`; gives what it prints. */
function pipe(input: Uint8Array, program: string, ...args: string[]): Buffer {
  return execFileSync(program, args, { input, maxBuffer: 2 ** 28, stdio: ['pipe', 'pipe', 'pipe'] });
}

function decode(stored: Uint8Array, artefact: Artefact): Promise<Buffer> {
  const options = { identities: [identity], signal: neverAborted };
  return collect(decodeRdb(inChunksOf(stored, 99_999), artefact, options));
}

beforeAll(() => {
  execFileSync('age-keygen', ['-o', keyFile], { stdio: 'pipe' });
  identity = /^AGE-SECRET-KEY-.*$/m.exec(readFileSync(keyFile, 'utf8'))![0];
  recipient = execFileSync('age-keygen', ['-y', keyFile], { encoding: 'utf8' }).trim();
});
afterAll(() => removeTempFolder(folder));

test('zstd -d, and age -d | zstd -d, give the dump back without us', async () => {
  for (const bytes of [18, 70_000, 9 * 2 ** 20 + 1]) {
    const plain = sampleRdb(bytes);
    const clear = await encoded(plain);
    expect(pipe(clear.stored, 'zstd', '-dc').equals(plain)).toBe(true);
    const sealed = await encoded(plain, { recipients: [recipient] });
    expect(sealed.name).toBe('dump.rdb.zst.age');
    expect(pipe(pipe(sealed.stored, 'age', '-d', '-i', keyFile), 'zstd', '-dc').equals(plain)).toBe(true);
  }
});

test('what is not compressed is the dump itself, or what age -d makes of it; and age makes what we read', async () => {
  const plain = sampleRdb(3 * 2 ** 20 + 1);
  const compression = 'none' as const;
  expect((await encoded(plain, { compression })).stored.equals(plain)).toBe(true);
  const sealed = await encoded(plain, { compression, recipients: [recipient] });
  expect(sealed.name).toBe('dump.rdb.age');
  expect(pipe(sealed.stored, 'age', '-d', '-i', keyFile).equals(plain)).toBe(true);
  const made = pipe(plain, 'age', '-r', recipient);
  const form = { recipients: [recipient], compression: { algorithm: 'none' } } as const;
  expect((await decode(made, artefactOf(plain, made, form))).equals(plain)).toBe(true);
});

test('every frame says its length and has a checksum', async () => {
  const file = join(folder, 'two.zst');
  const plain = sampleRdb(4 * 2 ** 20 + 100);
  writeFileSync(file, (await encoded(plain)).stored);
  const listing = execFileSync('zstd', ['-lv', file], { encoding: 'utf8', stdio: 'pipe' });
  expect(listing).toContain('# Zstandard Frames: 2');
  expect(listing).toContain(`(${plain.length} B)`);
  expect(listing).toContain('Check: XXH64');
});

test('what zstd and age make is decoded by us', async () => {
  const plain = sampleRdb(11 * 2 ** 20);
  const file = join(folder, 'dump.rdb');
  writeFileSync(file, plain);
  const made: Buffer[] = [
    pipe(Buffer.alloc(0), 'zstd', '-1', '-c', file), // says its length, too long to be kept whole
    pipe(plain, 'zstd', '-1', '-c'), // of unknown length
    pipe(plain, 'zstd', '-1', '-T2', '--no-check', '-c'),
    pipe(plain, 'zstd', '-1', '--long=27', '-c'),
    Buffer.concat([pipe(plain.subarray(0, 5000), 'zstd', '-c'), pipe(plain.subarray(5000), 'zstd', '-c')]),
  ];
  for (const stored of made)
    expect((await decode(stored, artefactOf(plain, stored))).equals(plain)).toBe(true);
  const sealed = pipe(made[0]!, 'age', '-r', recipient);
  expect((await decode(sealed, artefactOf(plain, sealed, { recipients: [recipient] }))).equals(plain)).toBe(
    true,
  );
});

test('a dump of a real server goes through and loads as it was', async () => {
  const server = await startServer();
  for (let i = 0; i < 500; i++) await server.call('HSET', `user:${i}`, 'name', `somebody ${i}`, 'age', i);
  await server.call('SAVE');
  const plain = readFileSync(server.dumpPath);
  const { stored, artefact, crc } = await encoded(plain, { recipients: [recipient] });
  expect(crc).toBe('ok');
  expect((await decode(stored, artefact)).equals(plain)).toBe(true);
});
