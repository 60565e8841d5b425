import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../../../src/domain/secret.ts';
import {
  startGuard,
  type GuardOptions,
  type LinkGuard,
} from '../../../../src/redis/replication/link-guard.ts';
import { knownPorts, reserveLowPort } from '../../../../src/redis/replication/low-port.ts';
import { listenHere } from '../../../../src/redis/replication/replication-master.ts';
import { startServer, type TestServer } from '../../../support/servers/redis-server.ts';
import { isGone } from '../../../support/servers/scratch-process.ts';

async function guardOf(
  server: TestServer,
  port: number,
  options: Partial<GuardOptions> = {},
): Promise<LinkGuard> {
  const target = { name: 'main', url: server.url };
  const guard = await startGuard({ target, host: '127.0.0.1', port, descriptor: undefined, ...options });
  onTestFinished(async () => {
    guard.leave();
    await expect.poll(() => isGone(guard.pid)).toBe(true);
  });
  return guard;
}

async function role(server: TestServer): Promise<string> {
  return /^role:(\w+)/m.exec(String(await server.call('INFO', 'replication')))?.[1] ?? '';
}

test('what it was released from it leaves alone', async () => {
  const server = await startServer();
  const guard = await guardOf(server, 1);
  await server.call('REPLICAOF', '127.0.0.1', '1');
  await guard.release();
  expect(isGone(guard.pid)).toBe(true);
  expect(await role(server)).toBe('slave');
});

test.each([
  ['by TCP with a password', { requirepass: 'hunter2' }, false],
  ['by a socket', {}, true],
])('left alone, it sets the server free (%s)', async (_, config, bySocket) => {
  const server = await startServer({ config });
  const password = 'requirepass' in config ? new Secret(config.requirepass) : undefined;
  const url = bySocket ? server.socketUrl : server.url;
  const guard = await guardOf(server, 1, { target: { name: 'main', url, password } });
  await server.call('REPLICAOF', '127.0.0.1', '1');
  guard.leave();
  await expect.poll(() => role(server)).toBe('master');
  await expect.poll(() => isGone(guard.pid)).toBe(true);
});

test('by TLS', async () => {
  const server = await startServer({ tls: true });
  const guard = await guardOf(server, 1, { target: { name: 'main', url: server.url, tls: server.tls } });
  await server.call('REPLICAOF', '127.0.0.1', '1');
  guard.leave();
  await expect.poll(() => role(server)).toBe('master');
});

test('a server that somebody else has taken meanwhile stays his', async () => {
  const server = await startServer();
  const guard = await guardOf(server, 1);
  await server.call('REPLICAOF', '127.0.0.1', '2');
  guard.leave();
  await expect.poll(() => isGone(guard.pid)).toBe(true);
  expect(await role(server)).toBe('slave');
});

test('it is deaf to what ends a command, and holds the port when that has ended', async () => {
  const server = await startServer();
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../../support/restore/guard-child.ts'), server.url],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = await once(child.stdout, 'data');
  const { pid, port }: { pid: number; port: number } = JSON.parse(String(line));
  // So that it cannot set it free before this has looked.
  process.kill(server.pid, 'SIGSTOP');
  onTestFinished(() => void process.kill(server.pid, 'SIGCONT'));
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(pid, name);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const taken = createServer();
  taken.listen(port, '127.0.0.1');
  const [error] = await once(taken, 'error');
  expect(error).toMatchObject({ code: 'EADDRINUSE' });
  process.kill(server.pid, 'SIGCONT');
  await expect.poll(() => isGone(pid)).toBe(true);
  expect(await role(server)).toBe('master');
});

test.skipIf(process.getuid?.() !== 0)('as root: a port that nobody else could take', async () => {
  await using listener = await reserveLowPort();
  const address = listener?.address();
  expect(address).toMatchObject({
    address: '127.0.0.1',
    port: expect.toSatisfy((port) => port > 255 && port < 512),
  });
});

test('ports of services(5) are left to them', () => {
  expect(knownPorts('# a\nldap\t389/tcp\nldap 389/udp\nntp 123/udp\n#x 300/tcp\n')).toEqual(new Set([389]));
});

test('who comes before there is a master is hung up on', async () => {
  await using listener = await listenHere('127.0.0.1', 0);
  const address = listener.address();
  const socket = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1');
  await once(socket, 'close');
});
