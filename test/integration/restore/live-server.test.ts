import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { LiveServer } from '../../../src/backup/restore/live-server.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { connectRedis } from '../../../src/redis/connection/connect.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

/** Its commands time out sooner than it gives up. */
function liveServer({ url }: Pick<TestServer, 'url'>): LiveServer {
  const server = new LiveServer(() => connectRedis({ name: 'main', url }, { timeout: 100 }), {
    clock: systemClock,
    signal: new AbortController().signal,
    patience: 400,
  });
  onTestFinished(() => server.close());
  return server;
}

const stalled = { code: 'failed', reason: 'stalled', message: expect.stringContaining('the server has not') };

test('a server that is silent for too long is given up', async () => {
  const server = await startServer();
  const live = liveServer(server);
  await live.info();
  await server.kill('SIGSTOP');
  await expect(live.until(() => true)).rejects.toMatchObject(stalled);
  await expect(live.insist('PING')).rejects.toMatchObject(stalled);
  await server.kill('SIGCONT');
  await live.insist('PING');
});

test('one that answers is waited for', async () => {
  const server = await startServer();
  const live = liveServer(server);
  const start = performance.now();
  await live.until(() => performance.now() - start > 1000);
});

test('one that loads and gets no further is given up', async () => {
  // No server does that on demand: one that says so.
  const info = '# Persistence\r\nloading:1\r\nloading_loaded_bytes:17\r\n';
  const stuck = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (request) => {
      socket.write(/ping/i.test(String(request)) ? '+PONG\r\n' : `$${info.length}\r\n${info}\r\n`);
    });
  });
  stuck.listen(0, '127.0.0.1');
  await once(stuck, 'listening');
  onTestFinished(() => void stuck.close());
  const address = stuck.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const live = liveServer({ url: `redis://127.0.0.1:${port}` });
  await expect(live.until((now) => now.get('loading') !== '1')).rejects.toMatchObject(stalled);
});
