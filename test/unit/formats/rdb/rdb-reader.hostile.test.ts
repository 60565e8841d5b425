import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { HostileReport } from '../../../support/rdb/hostile-child.ts';
import { faultOf } from '../../../support/rdb/observe.ts';

const root = join(import.meta.dirname, '../../../..');

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
