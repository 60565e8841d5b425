/**
 * A whole backup of a running server, from BGSAVE to stored, against the pipe that people write:
 *
 *   scripts/node scripts/bench/backup.ts [--size 1gb] [--rounds 5]
 *
 *   redis-cli --rdb - | zstd -1 | rclone rcat DESTINATION
 *
 * into a local folder and into an S3 API that keeps nothing (so that neither is limited by the server). Ours also
 * checks CRC64, takes SHA-256 of plain and stored bytes, writes a manifest, and fsyncs; timed from start of the process
 * to its exit, without the later proof. Rounds alternate; figures are medians. Needs rclone and zstd.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { startServer, type TestServer } from '../../test/support/servers/redis-server.ts';
import { benchDump, parseBytes } from './make-dump.ts';

const target = { ratio: 1.0, rss: 200 };
const root = join(import.meta.dirname, '../..');

interface Place {
  name: string;
  /** For config.yaml. */
  repository: string;
  /** For rclone. */
  remote: string;
  env: NodeJS.ProcessEnv;
}

function places(folder: string, sinkPort: number): Place[] {
  const credentials = { AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' };
  const endpoint = `http://127.0.0.1:${sinkPort}`;
  return [
    {
      name: 'local folder',
      repository: `{ type: filesystem, path: ${join(folder, 'repository')} }`,
      remote: join(folder, 'peer', 'dump.rdb.zst'),
      env: {},
    },
    {
      name: 'S3',
      repository: `{ type: s3, bucket: bench, region: us-east-1, endpoint: "${endpoint}" }`,
      remote: ':s3:bench/peer/dump.rdb.zst',
      env: {
        ...credentials,
        // rclone refuses a bundle from the environment, which plain HTTP has no use for.
        AWS_CA_BUNDLE: undefined,
        RCLONE_S3_PROVIDER: 'Other',
        RCLONE_S3_ENV_AUTH: 'true',
        RCLONE_S3_ENDPOINT: endpoint,
        RCLONE_S3_NO_CHECK_BUCKET: 'true',
      },
    },
  ];
}

function timed(run: () => number | null): number {
  const start = performance.now();
  const status = run();
  if (status !== 0) throw new Error(`exited with ${status}`);
  return (performance.now() - start) / 1000;
}

function ours(folder: string, { env }: Place): { seconds: number; rss: number } {
  const peak = join(folder, 'peak');
  const node = process.execPath;
  const argv = ['--import', join(root, 'scripts/lib/print-peak.mjs'), join(root, 'dist/main.mjs')];
  const command = ['--config', join(folder, 'config.yaml'), 'backup', '--no-verify', '--no-prune', '--quiet'];
  const seconds = timed(
    () =>
      spawnSync('/bin/sh', ['-c', 'exec 3>"$0"; exec "$@"', peak, node, ...argv, ...command], {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'ignore', 'inherit'],
      }).status,
  );
  return { seconds, rss: Number(readFileSync(peak, 'utf8')) / 1024 };
}

function pipe(server: TestServer, { remote, env }: Place): number {
  const script =
    'set -o pipefail; "$1" -p "$2" --rdb - 2>/dev/null | zstd -1 -q | rclone --config /dev/null rcat "$3"';
  return timed(
    () =>
      spawnSync('bash', ['-c', script, 'bash', server.build.cli, String(server.port), remote], {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'ignore', 'inherit'],
      }).status,
  );
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

async function startSink(): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'upload.ts'), '--sink'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.stdout === null) throw new Error('the sink has no stdout');
  for await (const line of createInterface({ input: child.stdout })) return { child, port: Number(line) };
  throw new Error('the sink did not start');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { size: { type: 'string', default: '1gb' }, rounds: { type: 'string', default: '5' } },
  });
  const dump = await benchDump(parseBytes(values.size));
  const folder = mkdtempSync(join(tmpdir(), 'redis-agent-bench-'));
  const sink = await startSink();
  await using server = await startServer();
  try {
    copyFileSync(dump, server.dumpPath);
    await reload(server);
    console.log(
      `${values.size}: ${(statSync(dump).size / 2 ** 20).toFixed(0)} MiB, medians of ${values.rounds} rounds`,
    );
    for (const place of places(folder, sink.port)) {
      writeFileSync(
        join(folder, 'config.yaml'),
        `instances: [{ name: main, url: "${server.url}" }]\nrepository: ${place.repository}\nstate: { path: ${folder}/state }\n`,
      );
      compare(server, folder, place, Number(values.rounds));
    }
  } finally {
    sink.child.kill();
    await once(sink.child, 'exit');
    rmSync(folder, { recursive: true });
  }
}

/** Longer than any command's time limit, so not through the agent's own connection. */
async function reload(server: TestServer): Promise<void> {
  const child = spawn(server.build.cli, ['-p', String(server.port), 'DEBUG', 'RELOAD', 'NOSAVE'], {
    stdio: 'ignore',
  });
  await once(child, 'exit');
}

function compare(server: TestServer, folder: string, place: Place, rounds: number): void {
  const mine: { seconds: number; rss: number }[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    theirs.push(pipe(server, place));
    mine.push(ours(folder, place));
    rmSync(join(folder, 'repository'), { recursive: true, force: true });
    rmSync(join(folder, 'peer'), { recursive: true, force: true });
  }
  const seconds = median(mine.map((run) => run.seconds));
  const peer = median(theirs);
  const rss = Math.max(...mine.map((run) => run.rss));
  console.log(
    `  ${place.name.padEnd(13)} redis-cli | zstd -1 | rclone ${peer.toFixed(2)} s, ours ${seconds.toFixed(2)} s: ` +
      `${(seconds / peer).toFixed(2)} (target ${target.ratio}); peak RSS ${rss.toFixed(0)} MiB (target ${target.rss})`,
  );
}

await main();
