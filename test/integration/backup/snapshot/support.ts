import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readFile, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  takeSnapshot,
  type Snapshot,
  type SnapshotProgress,
} from '../../../../src/backup/snapshot/take-snapshot.ts';
import { systemClock } from '../../../../src/lib/time/system-clock.ts';
import { connectRedis, type RedisConnection } from '../../../../src/redis/connection/connect.ts';
import { memoryLog } from '../../../support/agent/memory-log.ts';
import type { ServerBuild, TestServer } from '../../../support/servers/redis-server.ts';
import { giveToServer } from '../../../support/servers/server-user.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

export interface Taken {
  content: Buffer;
  path: string;
  keyspace: Snapshot['keyspace'];
  snapshot: Snapshot;
  /** Phases in order, without repetitions. */
  phases: string[];
}

export interface TakeOptions {
  connect?: () => Promise<RedisConnection>;
  signal?: AbortSignal;
  timeout?: number;
  /** Runs once, when the phase is first seen; the snapshot goes on meanwhile. */
  on?: Partial<Record<SnapshotProgress['phase'], () => Promise<unknown>>>;
}

/** Takes a snapshot and reads all of it. */
export async function take(server: TestServer, options: TakeOptions = {}): Promise<Taken> {
  const phases: string[] = [];
  const actions: Promise<unknown>[] = [];
  await using snapshot = await takeSnapshot(options.connect ?? (() => connect(server)), {
    clock: systemClock,
    log: memoryLog(),
    signal: options.signal ?? new AbortController().signal,
    timeout: options.timeout ?? 40_000,
    onProgress({ phase }) {
      if (phases.at(-1) === phase) return;
      const action = phases.includes(phase) ? undefined : options.on?.[phase];
      if (action !== undefined) actions.push(action());
      phases.push(phase);
    },
  });
  await Promise.all(actions);
  const content = Buffer.alloc(snapshot.bytes);
  await snapshot.handle.read(content, 0, content.length, 0);
  return { content, path: snapshot.path, keyspace: snapshot.keyspace, snapshot, phases };
}

export async function connect(server: TestServer): Promise<RedisConnection> {
  return await connectRedis({ name: 'main', url: server.url });
}

/** Keys `<prefix>:1` … with random values of `bytes` bytes. */
export async function fill(server: TestServer, keys: number, bytes = 16, prefix = 'key'): Promise<void> {
  const value = "string.rep(string.char(33 + i % 90), tonumber(ARGV[2]) - 8) .. string.format('%08d', i)";
  await server.call(
    'EVAL',
    `for i = 1, tonumber(ARGV[1]) do redis.call('SET', KEYS[1] .. ':' .. i, ${value}) end`,
    1,
    prefix,
    keys,
    bytes,
  );
}

/** Resolves when INFO has the line. */
export async function untilInfo(server: TestServer, line: string): Promise<void> {
  while (!String(await server.call('INFO')).includes(`${line}\r\n`)) await systemClock.sleep(2);
}

/** How many descriptors of this process point below `dir`. */
export async function openBelow(dir: string): Promise<number> {
  const links = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  );
  return links.filter((link) => link.startsWith(dir)).length;
}

export async function countSaves(server: TestServer): Promise<number> {
  const log = await readFile(server.logFile, 'utf8');
  return log.split('Background saving started by pid').length - 1;
}

/** A temporary folder that ends with the test, and that a server may write to. */
export function tempFolder(): string {
  const folder = makeTempFolder();
  giveToServer(folder);
  onTestFinished(() => removeTempFolder(folder));
  return folder;
}

/** Only root may mount, change users and make control groups. */
export const isRoot = process.geteuid?.() === 0;

/** A file system of its own of that size, unmounted with the test. */
export function tinyFileSystem(size: string): string {
  const folder = tempFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', folder]);
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  return folder;
}

/** A build whose server is started by the given shell lines; `"$@"` is the server with its arguments. */
export function wrapped(build: ServerBuild, lines: string): ServerBuild {
  const server = join(tempFolder(), 'wrapper');
  writeFileSync(server, `#!/bin/sh\nset -e\nset -- ${build.server} "$@"\n${lines}\n`, { mode: 0o755 });
  return { ...build, server };
}
