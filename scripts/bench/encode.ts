/**
 * An existing dump into its stored form, against `zstd -1 -T2` on the same file:
 *
 *   scripts/node scripts/bench/encode.ts [--rounds 5] [--sizes 1gb] [--plain]
 *
 * Ours reads the dump, checks its CRC64, takes SHA-256 of plain and stored bytes, compresses at level 1, optionally
 * encrypts, and puts it durably (fsync) into a local repository, in a process timed from start to exit, bundled as
 * dist/ is. zstd compresses into a file, and neither hashes nor fsyncs; so it is timed twice: as it is, and with an
 * fsync of its file after it.
 * Runs take turns, in changing order, and each starts without the others' files, which would fill the page cache;
 * figures are medians. The dump is in the page cache for all.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchDump, parseBytes } from './make-dump.ts';
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

const mebibyte = 2 ** 20;
const target = { ratio: 0.95, rss: 200 };

/** One run of ours, with its peak memory in MiB. */
interface Encoding extends Run {
  rss: number;
}

function ours(program: string, dump: string, folder: string, recipient?: string): Encoding {
  const repository = join(folder, 'repository');
  mkdirSync(repository);
  const args = [...printPeak, program, dump, repository];
  const run = timed(folder, process.execPath, recipient === undefined ? args : [...args, recipient]);
  rmSync(repository, { recursive: true });
  return { ...run, rss: peakOf(folder) };
}

/** As it is, and with an fsync of its file after it. */
function zstd(dump: string, folder: string): { bare: Run; durable: Run } {
  const out = join(folder, 'dump.zst');
  const bare = timed(folder, 'zstd', ['-1', '-T2', '-q', '-f', '-o', out, dump]);
  const start = performance.now();
  const file = openSync(out, 'r+');
  fsyncSync(file);
  closeSync(file);
  const sync = (performance.now() - start) / 1000;
  rmSync(out);
  return { bare, durable: { ...bare, wall: bare.wall + sync } };
}

function makeRecipient(): string {
  const key = execFileSync('age-keygen', { stdio: ['ignore', 'pipe', 'ignore'] });
  return execFileSync('age-keygen', ['-y'], { input: key, encoding: 'utf8' }).trim();
}

async function compare(size: string, rounds: number, withEncryption: boolean, folder: string): Promise<void> {
  const dump = await benchDump(parseBytes(size));
  const program = bundle(join(import.meta.dirname, 'encode-once.ts'), folder);
  const recipient = withEncryption ? makeRecipient() : undefined;
  execFileSync('cat', [dump], { stdio: 'ignore' });
  const plain: Encoding[] = [];
  const encrypted: Encoding[] = [];
  const peer: { bare: Run; durable: Run }[] = [];
  for (let round = 0; round < rounds; round++) {
    const runs = [
      () => void peer.push(zstd(dump, folder)),
      () => void plain.push(ours(program, dump, folder)),
      () => void (recipient !== undefined && encrypted.push(ours(program, dump, folder, recipient))),
    ];
    for (const run of round % 2 === 0 ? runs : runs.toReversed()) run();
  }
  const [bare, durable] = [peer.map((run) => run.bare), peer.map((run) => run.durable)];
  console.log(
    `${size} (${(statSync(dump).size / mebibyte).toFixed(0)} MiB), medians of ${rounds} rounds: ` +
      `zstd -1 -T2 ${describeRuns(bare)}, with fsync ${describeRuns(durable)}`,
  );
  for (const [name, runs] of [
    ['ours', plain],
    ['ours, encrypted', encrypted],
  ] as const) {
    if (runs.length === 0) continue;
    const [toDurable, toBare] = [medianRatio(runs, durable, 'wall'), medianRatio(runs, bare, 'wall')];
    console.log(
      `  ${name.padEnd(15)} ${describeRuns(runs)} with fsync: ${toDurable.toFixed(2)} of zstd with fsync, ` +
        `${toBare.toFixed(2)} of zstd without (target ${target.ratio}), ` +
        `${medianRatio(runs, bare, 'cpu').toFixed(2)} of its processor time; ` +
        `peak RSS ${Math.max(...runs.map(({ rss }) => rss)).toFixed(0)} MiB (target ${target.rss})`,
    );
  }
}

const { values } = parseArgs({
  options: {
    plain: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    sizes: { type: 'string', default: '256mb,1gb,2gb' },
  },
});
const folder = benchFolder();
try {
  for (const size of values.sizes.split(','))
    await compare(size, Number(values.rounds), !values.plain, folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
