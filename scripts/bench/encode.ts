/**
 * An existing dump into its stored form, against `zstd -1 -T2` on the same file:
 *
 *   scripts/node scripts/bench/encode.ts [--rounds 5] [--sizes 1gb] [--plain]
 *
 * Ours reads the dump, checks its CRC64, takes SHA-256 of plain and stored bytes, compresses at level 1, optionally
 * encrypts, and puts it durably (fsync) into a local repository, in a process timed from start to exit. zstd compresses
 * into a file, and neither hashes nor fsyncs; so it is timed twice: as it is, and with an fsync of its file after it.
 * Runs take turns, in changing order, and each starts without the others' files, which would fill the page cache;
 * figures are medians. The dump is in the page cache for all.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchDump, parseBytes } from './make-dump.ts';

const mebibyte = 2 ** 20;
const target = { ratio: 0.95, rss: 200 };

interface Run {
  seconds: number;
  /** MiB */
  rss: number;
}

function timed(run: () => void): number {
  const start = performance.now();
  run();
  return (performance.now() - start) / 1000;
}

function ours(dump: string, folder: string, recipient?: string): Run {
  mkdirSync(folder);
  const argv = [
    '--disable-warning=ExperimentalWarning',
    join(import.meta.dirname, 'encode-once.ts'),
    dump,
    folder,
  ];
  let rss = '';
  const seconds = timed(() => {
    rss = execFileSync(process.execPath, recipient === undefined ? argv : [...argv, recipient], {
      encoding: 'utf8',
    });
  });
  rmSync(folder, { recursive: true });
  return { seconds, rss: Number(rss) };
}

function zstd(dump: string, out: string): { bare: number; durable: number } {
  const bare = timed(() => {
    const { status } = spawnSync('zstd', ['-1', '-T2', '-q', '-f', '-o', out, dump], { stdio: 'inherit' });
    if (status !== 0) throw new Error(`zstd exited with ${status}`);
  });
  const sync = timed(() => {
    const file = openSync(out, 'r+');
    fsyncSync(file);
    closeSync(file);
  });
  rmSync(out);
  return { bare, durable: bare + sync };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function makeRecipient(): string {
  const key = execFileSync('age-keygen', { stdio: ['ignore', 'pipe', 'ignore'] });
  return execFileSync('age-keygen', ['-y'], { input: key, encoding: 'utf8' }).trim();
}

async function compare(size: string, rounds: number, withEncryption: boolean, folder: string): Promise<void> {
  const dump = await benchDump(parseBytes(size));
  const bytes = statSync(dump).size;
  const recipient = makeRecipient();
  const [repository, file] = [join(folder, 'repository'), join(folder, 'dump.zst')];
  execFileSync('cat', [dump], { stdio: 'ignore' });
  const plain: Run[] = [];
  const encrypted: Run[] = [];
  const peer: { bare: number; durable: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const runs = [
      () => void peer.push(zstd(dump, file)),
      () => void plain.push(ours(dump, repository)),
      () => void (withEncryption && encrypted.push(ours(dump, repository, recipient))),
    ];
    for (const run of round % 2 === 0 ? runs : runs.toReversed()) run();
  }
  const bare = median(peer.map((run) => run.bare));
  const durable = median(peer.map((run) => run.durable));
  console.log(`${size} (${(bytes / mebibyte).toFixed(0)} MiB), medians of ${rounds} rounds:`);
  console.log(`  zstd -1 -T2            ${bare.toFixed(2)} s, with fsync ${durable.toFixed(2)} s`);
  for (const [name, runs] of [
    ['ours', plain],
    ['ours, encrypted', encrypted],
  ] as const) {
    if (runs.length === 0) continue;
    const seconds = median(runs.map((run) => run.seconds));
    const rss = Math.max(...runs.map((run) => run.rss));
    // Of each round's ratio, since neighbours on a shared machine change the speed from round to round.
    const toDurable = median(runs.map((run, round) => run.seconds / peer[round]!.durable));
    const toBare = median(runs.map((run, round) => run.seconds / peer[round]!.bare));
    console.log(
      `  ${name.padEnd(22)} ${seconds.toFixed(2)} s with fsync, ${toDurable.toFixed(2)} of zstd with fsync, ` +
        `${toBare.toFixed(2)} of zstd without (target ${target.ratio}); ` +
        `peak RSS ${rss.toFixed(0)} MiB (target ${target.rss})`,
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
const folder = mkdtempSync(join(tmpdir(), 'redis-agent-bench-'));
try {
  for (const size of values.sizes.split(','))
    await compare(size, Number(values.rounds), !values.plain, folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
