/**
 * A live restore of a verified backup, from REPLICAOF to everything loaded, against what people do by hand:
 *
 *   scripts/node scripts/bench/restore-live.ts [--size 1gb] [--rounds 3]
 *
 *   zstd -d dump.rdb.zst, then start the server with that file and wait for loading:0
 *
 * Rounds alternate; figures are medians. The whole command is timed too: with every value decoded before, and saved by
 * the server afterwards. Needs zstd and scripts/build.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { AgentError } from '../../src/domain/errors.ts';
import { startServer, type TestServer } from '../../test/support/redis-server.ts';
import { benchDump, parseBytes } from './make-dump.ts';

const target = { ratio: 0.75, rss: 200 };
const root = join(import.meta.dirname, '../..');

interface Ours {
  load: number;
  whole: number;
  rss: number;
}

function agent(folder: string, ...words: string[]): { stdout: string; seconds: number; rss: number } {
  const peak = join(folder, 'peak');
  const argv = ['--import', join(root, 'scripts/lib/print-peak.mjs'), join(root, 'dist/main.mjs')];
  const command = ['--config', join(folder, 'config.yaml'), '--json', '--quiet', ...words];
  const start = performance.now();
  const { status, stdout } = spawnSync(
    '/bin/sh',
    ['-c', 'exec 3>"$0"; exec "$@"', peak, process.execPath, ...argv, ...command],
    { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' },
  );
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`redis-agent ${words.join(' ')} exited with ${status}: ${stdout}`);
  return { stdout, seconds, rss: Number(readFileSync(peak, 'utf8')) / 1024 };
}

function writeConfig(folder: string, server: TestServer): void {
  writeFileSync(
    join(folder, 'config.yaml'),
    `instances: [{ name: main, url: "${server.url}" }]\n` +
      `repository: { type: filesystem, path: ${folder}/repository }\nstate: { path: ${folder}/state }\n`,
  );
}

async function untilLoaded(server: TestServer): Promise<void> {
  for (;;) {
    // One that is gone is asked in vain for ever.
    const info = await server.call('INFO', 'persistence').catch((error: unknown) => {
      if (error instanceof AgentError && error.reason === 'timeout') return '';
      throw error;
    });
    // Not async_loading.
    if (/^loading:0\r$/m.test(String(info))) return;
    await delay(20);
  }
}

async function takeBackup(folder: string, dump: string): Promise<string> {
  const dir = join(folder, 'source');
  mkdirSync(dir);
  cpSync(dump, join(dir, 'dump.rdb'));
  await using server = await startServer({ config: { dir }, until: 'listening' });
  await untilLoaded(server);
  writeConfig(folder, server);
  agent(folder, 'backup', '--no-verify', '--no-prune');
  const [id = ''] = readdirSync(join(folder, 'repository/main'));
  rmSync(dir, { recursive: true });
  return id;
}

async function live(folder: string, id: string): Promise<Ours> {
  await using server = await startServer();
  writeConfig(folder, server);
  const { stdout, seconds, rss } = agent(folder, 'restore', id, '--method', 'live', '--yes', '--allow-old');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the command documents
  const { restored } = JSON.parse(stdout) as { restored: { seconds: { load: number } } };
  return { load: restored.seconds.load, whole: seconds, rss };
}

async function byHand(folder: string, id: string): Promise<number> {
  const dir = mkdtempSync(join(folder, 'peer-'));
  const start = performance.now();
  const stored = join(folder, 'repository/main', id, 'dump.rdb.zst');
  const { status } = spawnSync('zstd', ['-d', '-q', stored, '-o', join(dir, 'dump.rdb')], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`zstd exited with ${status}`);
  await using server = await startServer({ config: { dir }, until: 'listening' });
  await untilLoaded(server);
  const seconds = (performance.now() - start) / 1000;
  await server.stop();
  rmSync(dir, { recursive: true });
  return seconds;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { size: { type: 'string', default: '1gb' }, rounds: { type: 'string', default: '3' } },
  });
  const dump = await benchDump(parseBytes(values.size));
  const folder = mkdtempSync(join(tmpdir(), 'redis-agent-bench-'));
  try {
    const id = await takeBackup(folder, dump);
    const mine: Ours[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < Number(values.rounds); round += 1) {
      theirs.push(await byHand(folder, id));
      mine.push(await live(folder, id));
    }
    const [load, whole] = [median(mine.map((run) => run.load)), median(mine.map((run) => run.whole))];
    const peer = median(theirs);
    const rss = Math.max(...mine.map((run) => run.rss));
    console.log(
      `${values.size}: zstd -d and load ${peer.toFixed(2)} s; live ${load.toFixed(2)} s: ${(load / peer).toFixed(2)} ` +
        `(target ${target.ratio}); with every value decoded before and a save afterwards ${whole.toFixed(2)} s: ` +
        `${(whole / peer).toFixed(2)}; peak RSS ${rss.toFixed(0)} MiB (target ${target.rss})`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await main();
