import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { connectRedis, type RedisConnection } from '../../../src/redis/connection/connect.ts';
import { freePort } from './free-port.ts';
import { hasEnded, spawnOwned } from './owned-process.ts';
import type { ServerBuild } from './server-builds.ts';
import { giveToServer, serverUser } from './server-user.ts';
import { makeTempFolder, removeTempFolder } from '../house/temp-folder.ts';

export interface Sentinel {
  port: number;
  url: string;
  configFile: string;
  connection: RedisConnection;
}

export interface SentinelOptions {
  build: ServerBuild;
  /** The master’s port. */
  port: number;
  username: string;
  password: string;
  count?: number;
  /** Milliseconds of silence after which a server counts as down. */
  downAfter?: number;
}

/** Sentinels that watch `mymaster` on loopback, as many as a quorum of two needs; they end with the test. */
export async function startSentinels(options: SentinelOptions): Promise<Sentinel[]> {
  const { count = 3 } = options;
  const made: Sentinel[] = [];
  for (let at = 0; at < count; at++) made.push(await startOne(options));
  // They find one another through the master.
  for (const { connection } of made)
    await until(async () =>
      String(await connection.call('SENTINEL', 'CKQUORUM', 'mymaster')).startsWith('OK'),
    );
  for (const { connection } of made)
    await until(async () => {
      const reply = await connection.call('SENTINEL', 'SENTINELS', 'mymaster');
      return Array.isArray(reply) && reply.length === count - 1;
    });
  return made;
}

async function startOne({
  build,
  port: master,
  username,
  password,
  downAfter = 1000,
}: SentinelOptions): Promise<Sentinel> {
  const dir = makeTempFolder();
  const port = await freePort();
  const configFile = join(dir, 'sentinel.conf');
  writeFileSync(
    configFile,
    [
      'bind 127.0.0.1',
      `port ${port}`,
      `dir ${dir}`,
      `logfile ${join(dir, 'sentinel.log')}`,
      `sentinel monitor mymaster 127.0.0.1 ${master} 2`,
      `sentinel auth-user mymaster ${username}`,
      `sentinel auth-pass mymaster ${password}`,
      `sentinel down-after-milliseconds mymaster ${downAfter}`,
      'sentinel failover-timeout mymaster 3000',
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
  giveToServer(dir);
  const child: ChildProcess = spawnOwned(build.server, [configFile, '--sentinel'], dir, serverUser);
  onTestFinished(async () => {
    if (!hasEnded(child)) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    removeTempFolder(dir);
  });
  const url = `redis://127.0.0.1:${port}`;
  let connection: RedisConnection | undefined;
  await until(async () => {
    connection = await connectRedis({ name: 'sentinel', url });
    return true;
  });
  if (connection === undefined) throw new Error('no sentinel');
  const opened = connection;
  onTestFinished(() => opened.close());
  return { port, url, configFile, connection: opened };
}

/** Asks until it is so; what throws is not so yet. */
export async function until(holds: () => Promise<boolean>, patience = 20_000): Promise<void> {
  const end = Date.now() + patience;
  for (;;) {
    const held = await holds().catch((error: unknown) => (Date.now() > end ? Promise.reject(error) : false));
    if (held) return;
    if (Date.now() > end) throw new Error(`it did not become so: ${String(holds)}`);
    await delay(25);
  }
}
