/**
 * `redis-agent keys DUMP` against redis-check-rdb, which reads the same and reports nothing, and against HDT3213/rdb
 * where it is installed; and how many small keys a second of processor time the report takes in, in this process:
 *
 *   scripts/build && scripts/node scripts/bench/keys.ts [ROUNDS]
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { RdbReader } from '../../src/formats/rdb/rdb-reader.ts';
import { KeyspaceReport } from '../../src/keyspace/report.ts';
import { besideCheckRdb } from './beside-check-rdb.ts';
import { smallDump, smallKeys } from './make-dump.ts';

/** Seconds of processor time for one reading, checksum and report included. */
function report(dump: string): number {
  const keys = new KeyspaceReport({ now: Date.now() });
  const reader = new RdbReader(keys);
  const buffer = new Uint8Array(1024 * 1024);
  const file = openSync(dump, 'r');
  const before = process.cpuUsage();
  for (let bytes = -1; bytes !== 0;) {
    bytes = readSync(file, buffer, 0, buffer.length, null);
    reader.update(buffer.subarray(0, bytes));
  }
  reader.finish();
  keys.summary();
  const { user, system } = process.cpuUsage(before);
  closeSync(file);
  return (user + system) / 1e6;
}

const rounds = Number(process.argv[2] ?? '5');
await besideCheckRdb(['keys'], rounds);
const dump = await smallDump();
const seconds = Array.from({ length: rounds }, () => report(dump)).toSorted((a, b) => a - b)[rounds >> 1]!;
console.log(`small  ${(smallKeys / seconds / 1e6).toFixed(1)} M keys a second of processor time (target 10)`);
