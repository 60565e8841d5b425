import { expect, test } from 'vitest';
import { payloadVersion, understands, whatTargetReads } from '../../../../src/formats/rdb/dump-payload.ts';
import { typesOf } from '../../../../src/formats/rdb/value-types.ts';

const redis = (version: number) => ({ engine: 'redis' as const, version });
const valkey = (version: number) => ({ engine: 'valkey' as const, version });

test.each([
  ['redis', '6.0.16', 9],
  ['redis', '6.2.14', 9],
  ['redis', '7.0.15', 10],
  ['redis', '7.2.4', 11],
  ['redis', '7.4.1', 12],
  ['redis', '8.0.2', 12],
  ['redis', '10.1.0', 12],
  ['valkey', '7.2.5', 11],
  ['valkey', '8.1.1', 11],
  ['valkey', '9.1.2', 80],
  ['redis', 'unknown', 7],
] as const)('%s %s writes RDB %i', (engine, version, rdb) => {
  expect(whatTargetReads(engine, version)).toEqual({ engine, version: rdb });
});

test('a payload is never newer than its target, and crosses engines as what both have', () => {
  expect(payloadVersion(redis(12), redis(9))).toBe(9);
  expect(payloadVersion(redis(9), redis(12))).toBe(9);
  expect(payloadVersion(redis(12), valkey(80))).toBe(11);
  expect(payloadVersion(valkey(80), redis(12))).toBe(11);
  expect(payloadVersion(valkey(80), redis(10))).toBe(10);
  expect(payloadVersion(valkey(80), valkey(80))).toBe(80);
  expect(payloadVersion(valkey(80), valkey(11))).toBe(11);
});

test('a type is known from its version on, and type 22 is not the same to both engines', () => {
  const known = (
    of: 'redis' | 'valkey',
    code: number,
    target: ReturnType<typeof redis> | ReturnType<typeof valkey>,
  ) => understands(target, typesOf(of)[code]!);
  expect([
    known('redis', 16, redis(9)),
    known('redis', 16, redis(10)),
    known('redis', 20, redis(10)),
  ]).toEqual([false, true, false]);
  expect([
    known('redis', 22, redis(12)),
    known('redis', 22, valkey(80)),
    known('valkey', 22, redis(12)),
    known('valkey', 22, valkey(80)),
  ]).toEqual([true, false, false, true]);
  expect([
    known('redis', 25, valkey(80)),
    known('redis', 21, valkey(11)),
    known('valkey', 0, redis(9)),
  ]).toEqual([false, true, true]);
});
