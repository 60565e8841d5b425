// Reads every hostile file in every way, and prints what came of it and the most memory that was resident.
import { writeSync } from 'node:fs';
import { RdbError, type ValueWish } from '../../../src/formats/rdb/rdb-handler.ts';
import { RdbReader } from '../../../src/formats/rdb/rdb-reader.ts';
import { ValueDecoder } from '../../../src/formats/rdb/value-decoder.ts';
import { hostileFiles, type HostileFile } from './hostile-files.ts';

export interface HostileReport {
  /** KiB, before anything was read and after. */
  resident: { before: number; most: number };
  /** File and way, of what ended otherwise than by an RdbError. */
  wrong: string[];
  runs: number;
}

function outcome({ head, filler, fillerBytes }: HostileFile, wish: ValueWish): string {
  const reader = new RdbReader({ wish: () => wish }, { sink: new ValueDecoder(), rawLimit: 1024 * 1024 });
  try {
    reader.update(head);
    for (let sent = 0; sent < fillerBytes; sent += filler.length) reader.update(filler);
    reader.finish();
    return 'read';
  } catch (error) {
    return error instanceof RdbError ? 'RdbError' : String(error);
  }
}

const before = process.resourceUsage().maxRSS;
const wishes: readonly ValueWish[] = ['skip', 'raw', 'tokens'];
const runs = hostileFiles().flatMap((file) =>
  wishes.map((wish) => `${file.name}, ${wish}: ${outcome(file, wish)}`),
);
const report: HostileReport = {
  resident: { before, most: process.resourceUsage().maxRSS },
  wrong: runs.filter((run) => !run.endsWith(': RdbError')),
  runs: runs.length,
};
writeSync(1, JSON.stringify(report));
