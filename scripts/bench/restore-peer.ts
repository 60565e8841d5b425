/** What the benches of a restore share: a backup, the agent's command, and what people do by hand. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { AgentError } from '../../src/domain/errors.ts';
import { startServer, type TestServer } from '../../test/support/servers/redis-server.ts';
import { giveToServer } from '../../test/support/servers/server-user.ts';
import { benchDump, parseBytes } from './make-dump.ts';

const root = join(import.meta.dirname, '../..');

export interface Command {
  stdout: string;
  seconds: number;
  /** MiB. */
  rss: number;
}

/** Runs one command of the built agent, by Node with the flags that it has wherever it is installed. */
export function agent(folder: string, ...words: string[]): Command {
  const peak = join(folder, 'peak');
  const printPeak = join(root, 'scripts/lib/print-peak.mjs');
  const argv = ['--max-semi-space-size=4', '--import', printPeak, join(root, 'dist/main.mjs')];
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

/** Settings for one instance; the repository is the folder's. */
export function configure(folder: string, { url, service }: { url: string; service?: unknown }): void {
  const settings = {
    instances: [{ name: 'main', url, ...(service === undefined ? {} : { service }) }],
    repository: { type: 'filesystem', path: `${folder}/repository` },
    state: { path: `${folder}/state` },
  };
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(settings));
}

/** Waits until a server that answers has loaded its data. */
export async function untilLoaded(server: TestServer): Promise<void> {
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
  giveToServer(dir);
  await using server = await startServer({ config: { dir }, until: 'listening' });
  await untilLoaded(server);
  configure(folder, server);
  agent(folder, 'backup', '--no-verify', '--no-prune');
  const [id = ''] = readdirSync(join(folder, 'repository/main'));
  rmSync(dir, { recursive: true });
  return id;
}

async function byHand(folder: string, id: string): Promise<number> {
  const dir = mkdtempSync(join(folder, 'peer-'));
  const start = performance.now();
  const stored = join(folder, 'repository/main', id, 'dump.rdb.zst');
  const { status } = spawnSync('zstd', ['-d', '-q', stored, '-o', join(dir, 'dump.rdb')], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`zstd exited with ${status}`);
  giveToServer(dir);
  await using server = await startServer({ config: { dir }, until: 'listening' });
  await untilLoaded(server);
  const seconds = (performance.now() - start) / 1000;
  await server.stop();
  rmSync(dir, { recursive: true });
  return seconds;
}

export function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Takes a backup and alternates rounds of both; hands over all figures. */
export async function againstByHand<Run>(
  run: (folder: string, id: string) => Promise<Run>,
): Promise<{ size: string; theirs: number; ours: Run[] }> {
  const { values } = parseArgs({
    options: { size: { type: 'string', default: '1gb' }, rounds: { type: 'string', default: '3' } },
  });
  const dump = await benchDump(parseBytes(values.size));
  const folder = mkdtempSync(join(tmpdir(), 'redis-agent-bench-'));
  // Under root servers are another user's, and pass through it.
  chmodSync(folder, 0o711);
  try {
    const id = await takeBackup(folder, dump);
    const ours: Run[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < Number(values.rounds); round += 1) {
      theirs.push(await byHand(folder, id));
      ours.push(await run(folder, id));
    }
    return { size: values.size, theirs: median(theirs), ours };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
