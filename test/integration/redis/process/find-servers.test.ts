import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../../src/lib/time/system-clock.ts';
import { findServers } from '../../../../src/redis/process/find-servers.ts';
import { freeClusterPort, freePort } from '../../../support/servers/free-port.ts';
import { hasEnded, outputOf, spawnOwned } from '../../../support/servers/owned-process.ts';
import { childrenOf, narrowProc } from '../../../support/servers/narrow-proc.ts';
import { edgeBuilds, startServer, type ServerBuild } from '../../../support/servers/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

/** Starts a server that startServer cannot talk to; resolves when its log says that it is ready. */
async function start(build: ServerBuild, dir: string, args: string[]): Promise<number> {
  const child: ChildProcess = spawnOwned(build.server, args, dir);
  onTestFinished(() => void child.kill('SIGKILL'));
  const output = outputOf(child);
  while (!/[Rr]eady to accept|Sentinel ID/.test(output())) {
    if (hasEnded(child)) throw new Error(`${build.name} did not start: ${output()}`);
    await systemClock.sleep(5);
  }
  return child.pid ?? 0;
}

describe.each(edgeBuilds())('on $name', (build) => {
  test('finds it by TCP, with its socket second, while a child saves', async () => {
    const server = await startServer({ build, config: { 'rdb-key-save-delay': '1000000' } });
    await server.call('SET', 'a', 1);
    await server.call('BGSAVE');
    const children = childrenOf(server.pid);
    expect(children).toHaveLength(1);
    const { servers, passedOver } = await findServers({ proc: narrowProc([server.pid, ...children]) });
    expect({ servers, passedOver }).toEqual({
      servers: [
        {
          pid: server.pid,
          program: `${build.engine}-server`,
          addresses: [{ host: '127.0.0.1', port: server.port }, { socket: server.socket }],
          unit: undefined,
        },
      ],
      passedOver: [],
    });
  });

  test('by its socket alone, on all addresses, as a cluster, and not as a sentinel', async () => {
    const dir = makeTempFolder();
    onTestFinished(() => removeTempFolder(dir));
    const port = await freeClusterPort();
    const folder = (name: string): string => {
      mkdirSync(join(dir, name));
      return join(dir, name);
    };
    const socket = join(dir, 'only.sock');
    writeFileSync(join(dir, 'sentinel.conf'), `port ${await freePort()}\nbind 127.0.0.1\n`);
    const alone = await start(build, folder('a'), ['--port', '0', '--unixsocket', socket]);
    const listen = ['--port', String(port), '--bind', '127.0.0.1', '::1'];
    const cluster = await start(build, folder('b'), [...listen, '--cluster-enabled', 'yes', '--save', '']);
    const sentinel = await start(build, folder('c'), [join(dir, 'sentinel.conf'), '--sentinel']);
    const { servers, passedOver } = await findServers({ proc: narrowProc([alone, cluster, sentinel]) });
    expect(new Map(servers.map(({ pid, addresses }) => [pid, addresses]))).toEqual(
      new Map([
        [alone, [{ socket }]],
        [cluster, [{ host: '127.0.0.1', port }]],
      ]),
    );
    expect(passedOver).toEqual([{ pid: sentinel, why: 'it is a sentinel, which holds no data' }]);
  });
});

test('this whole host can be looked at', async () => {
  const server = await startServer();
  const { servers } = await findServers();
  expect(servers.map(({ pid }) => pid)).toContain(server.pid);
});
