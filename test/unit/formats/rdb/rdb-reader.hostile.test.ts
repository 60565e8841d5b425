import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { HostileReport } from '../../../support/rdb/hostile-child.ts';
import { faultOf } from '../../../support/rdb/observe.ts';

const root = join(import.meta.dirname, '../../../..');
/** The end opcode, and no checksum. */
const ended = Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 0]);

describe('a file that announces more than any memory holds', () => {
  test('is refused in every way, with little memory', () => {
    const output = execFileSync(
      join(root, 'scripts/node'),
      ['--max-old-space-size=64', join(root, 'test/support/rdb/hostile-child.ts')],
      { encoding: 'utf8' },
    );
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- printed by our own child
    const { resident, wrong, runs } = JSON.parse(output) as HostileReport;
    expect(wrong).toEqual([]);
    expect(runs).toBeGreaterThan(800);
    // A string of up to 64 MiB is decoded whole.
    expect(resident.most - resident.before).toBeLessThan(160 * 1024);
  });
});

test('a compressed string that is too long to be held is looked at all the same', () => {
  // One letter, and 264 times what stands before: three bytes each.
  const compressed = Buffer.from([0, 0x61, ...Array.from({ length: 1000 }, () => [0xe0, 255, 0]).flat()]);
  const lengths = Buffer.alloc(10, 0x80);
  lengths.writeUInt32BE(compressed.length, 1);
  lengths.writeUInt32BE(1 + 264 * 1000, 6);
  const file = Buffer.concat([Buffer.from('REDIS0010\0\x01k\xc3', 'latin1'), lengths, compressed, ended]);
  const options = { chunks: [700], wish: 'tokens', stringLimit: 100_000 } as const;
  expect(faultOf(file, options)).toBeUndefined();
  // The first copy is now of what stands before the first letter.
  file[file.indexOf(0xe0) + 2] = 1;
  expect(faultOf(file, options)?.message).toMatch(/^a compressed string is damaged: /);
});

describe('what this reader does not know is not called damaged', () => {
  const key = [0x01, 0x6b];
  test.for<[what: string, magic: string, bytes: number[], message: RegExp]>([
    ['a value type', 'REDIS0012', [8, ...key], /value type 8/],
    ['a type of a newer Redis', 'REDIS0013', [26, ...key], /Redis 8\.6/],
    ['a type of a newer Valkey', 'VALKEY081', [23, ...key], /Valkey 9\.2/],
    ['a type of Redis in a file of Valkey', 'VALKEY080', [25, ...key], /25/],
    ['an early module value', 'REDIS0008', [6, ...key], /release candidate/],
    ['an opcode', 'REDIS0012', [242, ...key], /opcode 242/],
    ['an opcode of Valkey in a file of Redis', 'REDIS0012', [243, ...key], /opcode 243/],
    ['an encoding of strings', 'REDIS0012', [0, ...key, 0xc4], /encoding/],
    ['an encoding of keys', 'REDIS0012', [0, 0xff], /encoding/],
  ])('%s', ([, magic, bytes, message]) => {
    const file = Buffer.concat([Buffer.from(magic), Buffer.from(bytes), Buffer.alloc(40)]);
    for (const chunks of [[1], [file.length]]) {
      const fault = faultOf(file, { chunks });
      expect(fault).toMatchObject({ kind: 'unknown' });
      expect(fault?.message).toMatch(message);
    }
  });

  test('what is no RDB at all is', () => {
    for (const text of ['', 'R', 'REDIS', 'REDIS00x9', 'VALKEY08', 'redis0009', '{"json": true}'])
      expect(faultOf(Buffer.from(text))).toMatchObject({ kind: 'damaged' });
  });
});
