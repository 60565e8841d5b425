/**
 * An existing dump into its stored form, against `zstd -1 -T2` on the same file:
 *
 *   scripts/node scripts/bench/encode.ts [--rounds 5] [--sizes 1gb] [--plain]
 *
 * Ours reads the dump, checks its CRC64, takes SHA-256 of plain and stored bytes, compresses at level 1, optionally
 * encrypts, writes a file and fsyncs it, in a process of its own that is timed from start to exit. zstd compresses
 * into a file, and neither hashes nor fsyncs; so it is timed twice: as it is, and with an fsync of its file after it.
 * Rounds alternate; figures are medians. The dump is in the page cache for both.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeRdb } from '../../src/backup/artefact/encode.ts';
import { benchDump, parseBytes } from './make-dump.ts';

const mebibyte = 2 ** 20;
const target = { ratio: 0.95, rss: 200 };

interface Run {
  seconds: number;
  /** MiB */
  rss: number;
}

/** In the child: encodes `dump` into `out`, and prints the process's peak memory in MiB. */
async function encodeOnce(dump: string, out: string, recipient: string | undefined): Promise<void> {
  const source = await open(dump);
  const file = await open(out, 'w', 0o600);
  const { chunks } = encodeRdb(
    { handle: source, bytes: (await source.stat()).size },
    {
      compression: { zstd: 1 },
      recipients: recipient === undefined ? [] : [recipient],
      signal: new AbortController().signal,
    },
  );
  for await (const chunk of chunks) await file.writeFile(chunk);
  await file.sync();
  await file.close();
  await source.close();
  console.log(process.resourceUsage().maxRSS / 1024);
}

function timed(run: () => void): number {
  const start = performance.now();
  run();
  return (performance.now() - start) / 1000;
}

function ours(dump: string, out: string, recipient?: string): Run {
  const argv = ['--disable-warning=ExperimentalWarning', import.meta.filename, '--child', dump, out];
  let rss = '';
  const seconds = timed(() => {
    rss = execFileSync(process.execPath, recipient === undefined ? argv : [...argv, recipient], {
      encoding: 'utf8',
    });
  });
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
  const [a, b] = [join(folder, 'ours'), join(folder, 'theirs')];
  execFileSync('cat', [dump], { stdio: 'ignore' });
  const plain: Run[] = [];
  const encrypted: Run[] = [];
  const peer: { bare: number; durable: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    peer.push(zstd(dump, b));
    plain.push(ours(dump, a));
    if (withEncryption) encrypted.push(ours(dump, a, recipient));
    rmSync(a);
    rmSync(b);
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
    console.log(
      `  ${name.padEnd(22)} ${seconds.toFixed(2)} s with fsync, ${(seconds / durable).toFixed(2)} of zstd with fsync, ` +
        `${(seconds / bare).toFixed(2)} of zstd without (target ${target.ratio}); ` +
        `peak RSS ${rss.toFixed(0)} MiB (target ${target.rss})`,
    );
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    child: { type: 'boolean', default: false },
    plain: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    sizes: { type: 'string', default: '256mb,1gb,2gb' },
  },
});

if (values.child) {
  const [dump = '', out = '', recipient] = positionals;
  await encodeOnce(dump, out, recipient);
} else {
  const folder = mkdtempSync(join(tmpdir(), 'redis-agent-bench-'));
  try {
    for (const size of values.sizes.split(','))
      await compare(size, Number(values.rounds), !values.plain, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
