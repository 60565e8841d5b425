import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseInfo } from '../../../src/formats/info/parse-info.ts';
import { startServer, type ServerBuild, type TestServer } from '../servers/redis-server.ts';

/** A server that writes an AOF, every write at once. */
export async function startAofServer(
  build: ServerBuild,
  config: Record<string, string> = {},
): Promise<TestServer> {
  return await startServer({ build, config: { appendonly: 'yes', appendfsync: 'always', ...config } });
}

/** Asks for a rewrite and waits until it has ended well. */
export async function rewriteAof(server: Pick<TestServer, 'call'>): Promise<void> {
  await server.call('BGREWRITEAOF');
  await untilRewritten(server);
}

export async function untilRewritten(server: Pick<TestServer, 'call'>): Promise<void> {
  for (;;) {
    const info = parseInfo(String(await server.call('INFO', 'persistence')));
    const busy = info.get('aof_rewrite_in_progress') === '1' || info.get('aof_rewrite_scheduled') === '1';
    if (!busy && info.get('aof_last_bgrewrite_status') !== 'ok') throw new Error('the rewrite failed');
    if (!busy) return;
    await delay(5);
  }
}

/** The folder of a multi-part AOF. */
export function aofFolder(server: TestServer): string {
  return join(server.dir, 'appendonlydir');
}

/** The file that grows: the last incr, or before 7.0 the only file. */
export function growingFile(server: TestServer): string {
  const single = join(server.dir, 'appendonly.aof');
  if (Number.parseInt(server.build.version, 10) < 7) return single;
  const names = readFileSync(join(aofFolder(server), 'appendonly.aof.manifest'), 'utf8').matchAll(
    /^file (\S+) .*type i/gm,
  );
  return join(aofFolder(server), [...names].at(-1)?.[1] ?? '');
}

/** Every name below a server's folder that may be an AOF's. */
export function aofNames(server: Pick<TestServer, 'dir'>): string[] {
  return readdirSync(server.dir, { recursive: true })
    .map(String)
    .filter((name) => /append|temp/.test(name))
    .toSorted();
}
