/**
 * What reading every record, with the key-space report, adds to a backup: an existing dump through a backup's pipeline
 * (SHA-256, CRC64, zstd, SHA-256 of what is stored) into nothing, against the same pipeline that looks at header, end
 * and CRC64 alone:
 *
 *   scripts/node scripts/bench/skim.ts [--rounds 5] [--size 1gb]
 *
 * Each run is a process of its own, in turns; wall time from start to exit, and seconds of processor time, user and
 * system, which a busy machine changes less. Medians of each round's ratio. The dump is in the page cache.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchDump, parseBytes, smallDump } from './make-dump.ts';
import {
  benchFolder,
  bundle,
  describeRuns,
  medianRatio,
  peakOf,
  printPeak,
  timed,
  type Run,
} from './measure.ts';

const target = 1.1;

function compare(name: string, dump: string, rounds: number, folder: string, program: string): void {
  const reading: Run[] = [];
  const envelope: Run[] = [];
  const memory: number[] = [];
  const once = (mode: string): Run => timed(folder, process.execPath, [...printPeak, program, mode, dump]);
  for (let round = 0; round < rounds; round++) {
    const runs = [
      () => void envelope.push(once('envelope')),
      () => {
        reading.push(once('reading'));
        memory.push(peakOf(folder));
      },
    ];
    for (const each of round % 2 === 0 ? runs : runs.toReversed()) each();
  }
  const [wall, cpu] = [medianRatio(reading, envelope, 'wall'), medianRatio(reading, envelope, 'cpu')];
  console.log(
    `${name.padEnd(6)} envelope alone ${describeRuns(envelope)}, every record and the report ${describeRuns(reading)}: ` +
      `${wall.toFixed(2)} of the time (target ${target}), ${cpu.toFixed(2)} of the processor time; ` +
      `peak RSS ${Math.max(...memory).toFixed(0)} MiB`,
  );
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    size: { type: 'string', default: '1gb' },
  },
});
const folder = benchFolder();
try {
  const program = bundle(join(import.meta.dirname, 'skim-once.ts'), folder);
  const rounds = Number(values.rounds);
  compare(values.size, await benchDump(parseBytes(values.size)), rounds, folder, program);
  compare('small', await smallDump(), rounds, folder, program);
} finally {
  rmSync(folder, { recursive: true });
}
