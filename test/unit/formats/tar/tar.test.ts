import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { blockBytes, formatTarHeader, parseTarHeader } from '../../../../src/formats/tar/tar-header.ts';
import { paddingOf, TarReader } from '../../../../src/formats/tar/tar-reader.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const folder = makeTempFolder();
afterAll(() => removeTempFolder(folder));

const files = { 'a/one': Buffer.from('hello'), two: Buffer.alloc(0), three: Buffer.alloc(1500, 'x') };

function archiveOf(entries: Record<string, Buffer>): Buffer {
  const parts = Object.entries(entries).flatMap(([name, bytes]) => [
    formatTarHeader({ name, bytes: bytes.length, modified: 1_000_000_000 }),
    bytes,
    Buffer.alloc(paddingOf(bytes.length)),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(2 * blockBytes)]);
}

/** What a reader makes of it, given in chunks of that length. */
function read(archive: Uint8Array, chunk = archive.length): Record<string, Buffer> {
  const reader = new TarReader();
  const found: Record<string, Buffer> = {};
  let name = '';
  for (let at = 0; at < archive.length; at += chunk)
    for (const { entry, data } of reader.read(archive.subarray(at, at + chunk))) {
      if (entry === undefined) found[name] = Buffer.concat([found[name]!, data]);
      else found[(name = entry.name)] = Buffer.alloc(0);
    }
  reader.finish();
  return found;
}

test('what is written is what tar unpacks, and what is read', () => {
  const archive = archiveOf(files);
  const target = join(folder, 'unpacked');
  mkdirSync(target);
  execFileSync('tar', ['-x', '-C', target], { input: archive });
  for (const [name, bytes] of Object.entries(files)) expect(readFileSync(join(target, name))).toEqual(bytes);
  for (const chunk of [1, 7, 511, 512, 513, archive.length]) expect(read(archive, chunk)).toEqual(files);
});

test('what tar writes is read', () => {
  const source = join(folder, 'source');
  mkdirSync(source);
  writeFileSync(join(source, 'file'), files.three);
  const archive = execFileSync('tar', ['-c', '--format=ustar', '-C', source, 'file']);
  expect(read(archive)).toEqual({ file: files.three });
});

test('sizes past eight gigabytes', () => {
  for (const bytes of [8 ** 11 - 1, 8 ** 11, 2 ** 45])
    expect(parseTarHeader(formatTarHeader({ name: 'x', bytes, modified: 0 })).bytes).toBe(bytes);
});

describe('refused', () => {
  const archive = archiveOf(files);
  const changed = (at: number, byte: number): Buffer => {
    const copy = Buffer.from(archive);
    copy[at] = byte;
    return copy;
  };

  test('any other byte in a header', () => {
    // The one behind the checksum's own end means nothing.
    for (let at = 0; at < blockBytes; at += at === 154 ? 2 : 1)
      expect(() => read(changed(at, archive[at]! ^ 0x40)), `byte ${at}`).toThrow(/archive/);
  });

  test('cut off anywhere', () => {
    for (let length = 0; length < archive.length; length += 97)
      expect(() => read(archive.subarray(0, length)), `${length} bytes`).toThrow(/cut off/);
  });

  test('something behind its end', () => {
    expect(() => read(Buffer.concat([archive, archive]))).toThrow('something follows the end');
  });

  test('anything but regular files', () => {
    const source = join(folder, 'link');
    mkdirSync(source);
    execFileSync('ln', ['-s', '/etc/passwd', join(source, 'file')]);
    const links = execFileSync('tar', ['-c', '--format=ustar', '-C', source, 'file']);
    expect(() => read(links)).toThrow('something else than files');
  });
});
