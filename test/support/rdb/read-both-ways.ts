import type { KeyspaceSummary } from '../../../src/domain/keyspace.ts';
import { RdbCheck, type RdbVerdict } from '../../../src/formats/rdb/rdb-check.ts';
import { KeyspaceReport, type ReportOptions } from '../../../src/keyspace/report.ts';
import { feed } from './feed.ts';

interface Reading {
  found: { verdict: RdbVerdict; summary: KeyspaceSummary };
  /** Keys that were given to `record`. */
  calls: number;
}

/** Checks a file and makes its report as a backup does, with the scanner's kernel and without it. */
export function readBothWays(
  bytes: Uint8Array,
  chunks: readonly number[],
  options: Partial<ReportOptions> = {},
): { scanned: Reading; portable: Reading } {
  const read = (portable: boolean): Reading => {
    const report = new KeyspaceReport({ now: 0, ...options, portable });
    let calls = 0;
    const record = report.record.bind(report);
    report.record = (each) => {
      calls++;
      record(each);
    };
    const check = new RdbCheck(bytes.length, { listener: report });
    feed(check, bytes, chunks);
    return { found: { verdict: check.finish(), summary: report.summary() }, calls };
  };
  return { scanned: read(false), portable: read(true) };
}
