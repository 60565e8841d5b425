import { expect, test } from 'vitest';
import type { RdbRecord } from '../../../src/formats/rdb/rdb-handler.ts';
import { valueTypes } from '../../../src/formats/rdb/value-types.ts';
import { estimateMemory, memoryModelFor } from '../../../src/keyspace/memory-model.ts';

const redis6 = memoryModelFor({ engine: 'redis', version: 9 });
const redis8 = memoryModelFor({ engine: 'redis', version: 12 });
const valkey8 = memoryModelFor({ engine: 'redis', version: 11 }, '8.1.1');
const valkey9 = memoryModelFor({ engine: 'valkey', version: 80 });

function record(code: number, parts: Partial<RdbRecord>): RdbRecord {
  return {
    index: 0,
    offset: 0,
    database: 0,
    type: valueTypes.find((type) => type.code === code)!,
    bytes: new Uint8Array(0),
    keyFrom: 0,
    keyTo: 0,
    keyBytes: 9,
    expiresAt: -1,
    idle: -1,
    frequency: -1,
    elements: 1,
    valueBytes: 0,
    plainBytes: 0,
    strings: 1,
    longest: 0,
    integer: false,
    ...parts,
  };
}

function text(longest: number, parts: Partial<RdbRecord> = {}): RdbRecord {
  return record(0, { longest, plainBytes: longest + 2, ...parts });
}

test('strings take what MEMORY USAGE of the servers says', () => {
  const of = (model: typeof redis8): number[] =>
    [1, 20, 44, 45, 60, 100, 1000, 10_000].map((length) => estimateMemory(text(length), model));
  expect(of(redis8)).toEqual([72, 88, 104, 120, 120, 168, 1080, 10_296]);
  expect(of(valkey9)).toEqual([32, 48, 80, 80, 96, 128, 1056, 10_272]);
  expect(estimateMemory(text(1), valkey8)).toBe(48);
});

test('a dump that Valkey 9 wrote for older replicas is of Valkey 9', () => {
  expect(memoryModelFor({ engine: 'redis', version: 11 }, '9.1.2')).toBe(valkey9);
  expect(memoryModelFor({ engine: 'redis', version: 11 }, '8.0.1')).toBe(
    memoryModelFor({ engine: 'redis', version: 11 }),
  );
});

test('integers take no string, and longer keys more', () => {
  const of = (model: typeof redis8, expiresAt: number): number[] =>
    [1, 10, 20, 60, 200, 1000].map((keyBytes) =>
      estimateMemory(text(1, { integer: true, keyBytes, expiresAt }), model),
    );
  expect(of(redis8, -1)).toEqual([48, 56, 72, 104, 264, 1064]);
  expect(of(redis8, 1e12)).toEqual(of(redis8, -1));
  expect(of(valkey9, -1)).toEqual([32, 32, 48, 96, 256, 1280]);
  expect(of(valkey9, 1e12)).toEqual([32, 48, 48, 96, 256, 1280]);
});

test('a table of equal members takes an entry each and a power of two of slots', () => {
  // 600 members of ten bytes; their count takes two bytes
  const set = record(2, { keyBytes: 5, elements: 600, strings: 600, longest: 10, plainBytes: 2 + 600 * 11 });
  expect(estimateMemory(set, redis8)).toBe(32_296);
  expect(estimateMemory(set, valkey9) / 18_672).toBeCloseTo(1, 1);
});

test('a short list has nothing around it since RDB version 11', () => {
  const list = record(18, { keyBytes: 3, longest: 17, plainBytes: 20 });
  expect(estimateMemory(list, redis6) - estimateMemory(list, redis8)).toBe(40 + 32);
});

test('a file of any sizes gives a finite number', () => {
  const wrong: unknown[] = [];
  const sizes = [0, 1, 2 ** 31, 2 ** 53];
  for (const type of valueTypes) {
    for (const model of [redis6, redis8, valkey8, valkey9]) {
      for (const elements of sizes) {
        for (const longest of sizes) {
          const parts = { elements, strings: elements, longest, plainBytes: longest, type };
          const bytes = estimateMemory(record(0, parts), model);
          if (!(bytes > 0 && bytes < Infinity)) wrong.push([type.layout, elements, longest, bytes]);
        }
      }
    }
  }
  expect(wrong).toEqual([]);
});
