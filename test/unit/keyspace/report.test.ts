import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KeyspaceSummary, KeyTally } from '../../../src/domain/keyspace.ts';
import type { RdbRecord } from '../../../src/formats/rdb/rdb-handler.ts';
import { estimateMemory, memoryModelFor } from '../../../src/keyspace/memory-model.ts';
import { KeyspaceReport, type ReportOptions } from '../../../src/keyspace/report.ts';
import { makeRecord } from '../../support/rdb/rdb-records.ts';

const ctime = 1_795_000_000;
const version = { engine: 'redis', version: 12 } as const;

function reportOf(records: readonly RdbRecord[], options: Partial<ReportOptions> = {}): KeyspaceSummary {
  const report = new KeyspaceReport({ now: 0, ...options });
  report.start(version);
  report.aux('ctime', String(ctime));
  for (const record of records) report.record(record);
  return report.summary();
}

const word = fc.constantFrom(
  'user',
  'cart',
  'session',
  'a',
  'cache',
  '',
  '12',
  '000345',
  'node7',
  'item1234',
  'é',
);
/** Beyond 32 bits, and so that sums of memory stay exact: two hashes of 2 ** 36 elements take more than 2 ** 53 bytes. */
const size = fc.oneof(fc.nat(100), fc.nat(100_000), fc.constantFrom(63, 64, 255, 256, 2 ** 33));
const records = fc
  .array(
    fc.record({
      key: fc.array(word, { maxLength: 5 }).map((words) => words.join(':')),
      code: fc.constantFrom(0, 1, 2, 4, 11, 16, 17, 18, 21, 7),
      database: fc.constantFrom(0, 0, 0, 1, 15),
      expiresAt: fc.option(fc.constantFrom(-5, 0, 59.999, 60, 3600, 90_000, 8 * 86_400, 40 * 86_400), {
        nil: undefined,
      }),
      idle: fc.constantFrom(-1, 0, 100, 10 ** 7),
      frequency: fc.constantFrom(-1, 0, 5, 255),
      elements: size,
      valueBytes: size,
      longest: size,
      integer: fc.boolean(),
    }),
    { maxLength: 60 },
  )
  .map((all) =>
    all
      .toSorted((a, b) => a.database - b.database)
      .map(({ key, expiresAt, ...parts }, index) =>
        makeRecord(key, {
          ...parts,
          index,
          plainBytes: parts.valueBytes,
          expiresAt: expiresAt === undefined ? -1 : (ctime + expiresAt) * 1000,
        }),
      ),
  );

const nameOf = ({ bytes, keyFrom, keyTo }: RdbRecord): string =>
  Buffer.from(bytes.subarray(keyFrom, keyTo)).toString();
const bytesOf = (record: RdbRecord): number => record.keyBytes + record.valueBytes;
const memoryOf = (record: RdbRecord): number => Math.round(estimateMemory(record, memoryModelFor(version)));
const sum = (all: readonly RdbRecord[], of: (record: RdbRecord) => number): number =>
  all.reduce((total, record) => total + of(record), 0);

function tally(all: readonly RdbRecord[]): KeyTally {
  const expiring = all.filter(({ expiresAt }) => expiresAt >= 0);
  return {
    keys: all.length,
    elements: sum(all, ({ elements }) => elements),
    bytes: sum(all, bytesOf),
    memory: sum(all, memoryOf),
    expiring: expiring.length,
    expiring_bytes: sum(expiring, bytesOf),
  };
}

function groups(
  all: readonly RdbRecord[],
  by: (record: RdbRecord) => string | number,
): Map<string, RdbRecord[]> {
  const found = new Map<string, RdbRecord[]>();
  for (const record of all) found.set(String(by(record)), [...(found.get(String(by(record))) ?? []), record]);
  return found;
}

function encodingOf({ type, integer, longest }: RdbRecord): string {
  if (type.code !== 0) return type.encoding;
  return integer ? 'int' : longest <= 44 ? 'embstr' : 'raw';
}

/** By regular expressions, for the words above. */
function prefixesOf(name: string, depth: number): string[] {
  const parts = name.split(':').map((part) => (/^\d+$/.test(part) ? '*' : part.replaceAll(/\d{3,}/g, '*')));
  const found = parts.slice(0, -1).map((_, index) => `${parts.slice(0, index + 1).join(':')}:`);
  const [before, last] = [parts.at(-2), parts.at(-1)];
  if (before === '*' && last !== '*' && last !== '') found.push(parts.join(':'));
  return found.slice(0, depth);
}

describe('the report', () => {
  test('adds up to what a naive count says', () => {
    fc.assert(
      fc.property(records, (all) => {
        const summary = reportOf(all, { separator: ':', prefixes: 1000, top: 5 });
        expect(summary.totals).toEqual(tally(all));
        expect(
          Object.fromEntries(
            summary.databases.map(({ database, types: _types, ...rest }) => [database, rest]),
          ),
        ).toEqual(
          Object.fromEntries(
            [...groups(all, ({ database }) => database)].map(([name, some]) => [name, tally(some)]),
          ),
        );
        for (const { database, types } of summary.databases)
          for (const { type, ...rest } of types)
            expect(rest).toEqual(
              tally(all.filter((each) => each.database === database && each.type.data === type)),
            );
        expect(
          Object.fromEntries(
            summary.types.flatMap(({ type, encodings }) =>
              encodings.map(({ encoding, ...rest }) => [`${type} ${encoding}`, rest]),
            ),
          ),
        ).toEqual(
          Object.fromEntries(
            [...groups(all, (record) => `${record.type.data} ${encodingOf(record)}`)].map(([name, some]) => [
              name,
              tally(some),
            ]),
          ),
        );
      }),
    );
  });

  test('has every prefix at every depth', () => {
    fc.assert(
      fc.property(records, fc.integer({ min: 1, max: 4 }), (all, depth) => {
        const { prefixes } = reportOf(all, { separator: ':', prefixes: 1000, depth });
        const expected = new Map<string, RdbRecord[]>();
        for (const record of all)
          for (const prefix of prefixesOf(nameOf(record), depth))
            expected.set(prefix, [...(expected.get(prefix) ?? []), record]);
        expect(
          Object.fromEntries(
            prefixes.list.map(({ prefix, depth: _depth, types, ...rest }) => [
              prefix,
              { ...rest, types: types.toSorted() },
            ]),
          ),
        ).toEqual(
          Object.fromEntries(
            [...expected].map(([prefix, some]) => {
              const { keys, bytes, memory, expiring } = tally(some);
              const types = [...new Set(some.map(({ type }) => type.data))].toSorted();
              return [prefix, { keys, bytes, memory, expiring, types }];
            }),
          ),
        );
        const none = all.filter((record) => prefixesOf(nameOf(record), depth).length === 0);
        expect(prefixes.none).toEqual({
          keys: none.length,
          bytes: sum(none, bytesOf),
          memory: sum(none, memoryOf),
        });
        expect(prefixes).toMatchObject({ complete: true, missed: 0 });
      }),
    );
  });

  test('keeps the largest keys by each measure, the first of equals', () => {
    fc.assert(
      fc.property(records, fc.integer({ min: 1, max: 8 }), (all, top) => {
        const { keys } = reportOf(all, { separator: ':', top });
        const largest = (of: (record: RdbRecord) => number, above: number): RdbRecord[] =>
          all
            .filter((record) => of(record) > above)
            .toSorted((a, b) => of(b) - of(a) || a.index - b.index)
            .slice(0, top);
        const expected = new Set([
          ...largest(memoryOf, 0),
          ...largest(bytesOf, 0),
          ...largest(({ elements }) => elements, 1),
        ]);
        expect(keys).toEqual(
          [...expected]
            .toSorted((a, b) => memoryOf(b) - memoryOf(a) || a.index - b.index)
            .map((record) => ({
              database: record.database,
              key: nameOf(record),
              key_bytes: record.keyBytes,
              type: record.type.data,
              encoding: encodingOf(record),
              elements: record.elements,
              bytes: bytesOf(record),
              memory: memoryOf(record),
              expires_at: record.expiresAt < 0 ? null : new Date(record.expiresAt).toISOString(),
            })),
        );
      }),
    );
  });

  test('counts times to live, sizes, idle times and frequencies in their buckets', () => {
    fc.assert(
      fc.property(records, (all) => {
        const summary = reportOf(all);
        const buckets = (bounds: number[], values: [RdbRecord, number][]): object[] =>
          [...bounds, null].map((below, index) => {
            const some = values
              .filter(([, value]) => value >= (bounds[index - 1] ?? -Infinity) && value < (below ?? Infinity))
              .map(([record]) => record);
            return { below, keys: some.length, bytes: sum(some, bytesOf) };
          });
        const where = (of: (record: RdbRecord) => number, unknown = -1): [RdbRecord, number][] =>
          all
            .map((record): [RdbRecord, number] => [record, of(record)])
            .filter(([, value]) => value !== unknown);
        const never = all.filter(({ expiresAt }) => expiresAt < 0);
        expect(summary.ttl).toEqual({
          measured_from: new Date(ctime * 1000).toISOString(),
          never: { keys: never.length, bytes: sum(never, bytesOf) },
          buckets: buckets(
            [0, 60, 3600, 86_400, 7 * 86_400, 30 * 86_400],
            where(({ expiresAt }) => (expiresAt < 0 ? NaN : expiresAt / 1000 - ctime)).filter(
              ([, ttl]) => !Number.isNaN(ttl),
            ),
          ),
        });
        expect(summary.sizes).toEqual(
          buckets(
            Array.from({ length: 11 }, (_, power) => 64 * 4 ** power),
            where(({ valueBytes }) => valueBytes),
          ),
        );
        const idle = where((record) => record.idle);
        expect(summary.idle).toEqual(
          idle.length === 0 ? null : buckets([60, 3600, 86_400, 7 * 86_400, 30 * 86_400], idle),
        );
        const used = where((record) => record.frequency);
        expect(summary.frequency).toEqual(used.length === 0 ? null : buckets([1, 6, 11, 51, 101, 255], used));
      }),
    );
  });

  test('counts what was chosen alone', () => {
    fc.assert(
      fc.property(records, (all) => {
        const some = all.filter(({ database, type }) => database === 1 && type.data === 'hash');
        expect(reportOf(all, { separator: ':', database: 1, type: 'hash' })).toEqual({
          ...reportOf(some, { separator: ':' }),
          selection: { database: 1, type: 'hash' },
        });
      }),
    );
  });

  test('tells what the file says of itself, and takes nothing strange for a number', () => {
    const report = new KeyspaceReport({ now: 1000 });
    report.start({ engine: 'valkey', version: 80 });
    report.aux('valkey-ver', '9.0.0');
    report.aux('used-mem', '123456');
    report.aux('ctime', '99999999999999999999');
    report.aux('evil\x1b[31m', 'x\n');
    for (let index = 0; index < 1000; index++) report.aux(`more-${index}`, 'x'.repeat(65_536));
    report.functions();
    report.record(makeRecord('far', { expiresAt: 2 ** 63 }));
    const summary = report.summary();
    expect(summary).toMatchObject({
      rdb: {
        engine: 'valkey',
        version: 80,
        aux: { 'valkey-ver': '9.0.0', 'evil\\x1b[31m': 'x\\x0a' },
        functions: 1,
      },
      created_at: null,
      used_memory: 123_456,
      ttl: { measured_from: '1970-01-01T00:00:01.000Z' },
      keys: [{ expires_at: '+275760-09-13T00:00:00.000Z' }],
    });
    expect(Object.keys(summary.rdb.aux)).toHaveLength(64);
  });

  test('of nothing is empty', () => {
    expect(reportOf([])).toMatchObject({
      totals: { keys: 0, memory: 0 },
      databases: [],
      types: [],
      keys: [],
      idle: null,
      prefixes: { separator: null, list: [], complete: true },
    });
  });

  test('stays bounded where a file has no end of databases', () => {
    const all = Array.from({ length: 6000 }, (_, database) => makeRecord('k', { database }));
    const { databases, totals } = reportOf(all);
    expect(totals.keys).toBe(6000);
    expect(databases).toHaveLength(4096);
  });
});
