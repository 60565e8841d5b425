import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseInfo, type Info } from '../../../src/formats/info/parse-info.ts';
import { addCompressible } from '../data/compressible-data.ts';
import { fillServer } from '../data/data-set.ts';
import { describeData, type DataDescription } from '../data/describe-data.ts';
import { startServer, type ServerBuild, type TestServer } from './redis-server.ts';

/** Directives that turn the AOF on or off; with it off nothing is saved unless asked. */
function persistence(aof: boolean): Record<string, string> {
  return { appendonly: aof ? 'yes' : 'no' };
}

export async function infoOf(server: TestServer): Promise<Info> {
  return parseInfo(String(await server.call('INFO')));
}

/** Waits for what INFO must come to say. */
export async function untilInfo(server: TestServer, reached: (info: Info) => boolean): Promise<Info> {
  for (;;) {
    const info = await infoOf(server);
    if (reached(info)) return info;
    await delay(10);
  }
}

/** No rewrite of the AOF is under way or due. */
export async function untilAofSettled(server: TestServer): Promise<void> {
  await untilInfo(
    server,
    (info) =>
      info.get('aof_enabled') === '1' &&
      info.get('aof_rewrite_in_progress') === '0' &&
      info.get('aof_rewrite_scheduled') === '0' &&
      info.get('aof_last_bgrewrite_status') === 'ok',
  );
}

/** A dump with every type of data, and what it holds. */
export async function fullDump(build: ServerBuild): Promise<{ dump: Buffer; data: DataDescription }> {
  const server = await startServer({ build });
  await fillServer(server);
  await addCompressible(server);
  const data = await describeData(server);
  await server.call('SAVE');
  const dump = readFileSync(server.dumpPath);
  await server.stop();
  return { dump, data };
}

/** A server with other data than `fullDump`, saved in the way that it saves. */
export async function serverWithOldData(
  build: ServerBuild,
  { aof, config = {} }: { aof: boolean; config?: Record<string, string> },
): Promise<{ server: TestServer; old: DataDescription }> {
  const server = await startServer({ build, config: { ...persistence(aof), ...config } });
  await server.call('EVAL', `for i = 1, 2000 do redis.call('SET', 'old:' .. i, string.rep('x', i)) end`, 0);
  await server.call('SELECT', 3);
  await server.call('RPUSH', 'old:list', 1, 2, 3);
  await server.call('SELECT', 0);
  if (!aof) await server.call('SAVE');
  return { server, old: await describeData(server) };
}
