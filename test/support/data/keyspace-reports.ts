import fc from 'fast-check';
import type { KeyspaceSummary } from '../../../src/domain/keyspace.ts';
import { KeyspaceReport, type ReportOptions } from '../../../src/keyspace/report.ts';
import { makeRecord } from '../rdb/rdb-records.ts';

/** A key, as far as a report looks at it. */
export interface Key {
  name: string | Uint8Array;
  database?: number;
  /** Of the value's type, as in value-types.ts. */
  code?: number;
  bytes?: number;
  /** Milliseconds. */
  expiresAt?: number;
}

/** When the dumps of these reports were made, seconds. */
export const reportTime = 1_795_000_000;

/** The report of a dump with these keys. */
export function reportOf(
  keys: readonly Key[],
  { made = reportTime, ...options }: Partial<ReportOptions> & { made?: number } = {},
): KeyspaceSummary {
  const report = new KeyspaceReport({ now: 0, ...options });
  report.start({ engine: 'redis', version: 12 });
  report.aux('ctime', String(made));
  report.aux('used-mem', '5000000');
  for (const [index, { name, database = 0, code = 0, bytes = 10, expiresAt = -1 }] of keys
    .toSorted((a, b) => (a.database ?? 0) - (b.database ?? 0))
    .entries())
    report.record(
      makeRecord(name, {
        index,
        database,
        code,
        expiresAt,
        valueBytes: bytes,
        plainBytes: bytes,
        longest: bytes,
      }),
    );
  return report.summary();
}

const word = fc.constantFrom(
  'user',
  'cart',
  'cache',
  'a',
  'é',
  '12',
  '',
  '=1+1',
  "'x",
  'node7',
  '\u0007',
  '"q",',
);

/** Reports of few keys with few names, so that two of them have much in common; some hold only the largest prefixes. */
export const someReports: fc.Arbitrary<KeyspaceSummary> = fc
  .record({
    keys: fc.array(
      fc.record({
        name: fc.oneof(
          fc.array(word, { maxLength: 4 }).map((words) => words.join(':')),
          fc.uint8Array({ maxLength: 4 }),
        ),
        database: fc.constantFrom(0, 0, 1),
        code: fc.constantFrom(0, 1, 4, 21),
        bytes: fc.constantFrom(1, 10, 3000),
        expiresAt: fc.constantFrom(-1, reportTime * 1000),
      }),
      { maxLength: 12 },
    ),
    separator: fc.constantFrom(undefined, ':'),
    prefixes: fc.constantFrom(1, 3, 50),
    depth: fc.constantFrom(3, 3, 2),
  })
  .map(({ keys, separator, ...options }) =>
    reportOf(keys, { ...options, ...(separator === undefined ? {} : { separator }) }),
  );
