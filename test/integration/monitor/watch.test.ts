import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { App } from '../../../src/app/build-app.ts';
import { startWatch, type Watch } from '../../../src/app/daemon/watch.ts';
import type { Clock } from '../../../src/domain/clock.ts';
import { knownAlerts } from '../../../src/state/alerts/alerts.ts';
import { openFindings } from '../../../src/state/episodes.ts';
import { writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { startDaemon } from '../../support/agent/daemon.ts';
import { openApp } from '../../support/agent/open-app.ts';
import { movingClock } from '../../support/clocks/moving-clock.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

const often = { monitor: { interval: '1s' }, backup: { schedule: 'off' } };

async function watchIt(
  config: TestConfig,
  clock?: Clock,
): Promise<{ app: App; watch: Watch; open: () => string[] }> {
  const app = await openApp(config, undefined, clock);
  const watch = startWatch(app);
  onTestFinished(async () => {
    await watch.stop();
    await app.close();
  });
  const open = (): string[] =>
    openFindings(app.state(), 'main')
      .map(({ rule, severity }) => `${rule} ${severity}`)
      .filter((text) => !text.startsWith('host-'));
  return { app, watch, open };
}

/** The agent's own connections, as the server lists them. */
async function ours(server: TestServer): Promise<string[]> {
  const list = String(await server.call('CLIENT', 'LIST'));
  return list
    .split('\n')
    .flatMap((line) => (line.includes(' name=redis-agent ') ? (/^id=(\d+)/.exec(line)?.[1] ?? []) : []));
}

test('what is polled is kept, and a fault is a finding until it is over', async () => {
  const server = await startServer({ config: { maxmemory: '100mb' } });
  const { app, watch, open } = await watchIt(writeConfig({ server, settings: often }));
  await expect.poll(() => app.series().metrics('main')).toContain('memory_used_ratio');
  expect(open()).toEqual([]);
  await server.kill('SIGKILL');
  await expect.poll(open).toEqual(['server-down critical']);
  await server.restart();
  await expect.poll(open).toEqual([]);
  const everything = { since: 0, until: Number.MAX_SAFE_INTEGER };
  const ups = app
    .series()
    .read('main', 'up', everything)
    .map(({ mean }) => mean);
  expect(new Set(ups)).toEqual(new Set([0, 1]));
  expect(watch.lagging()).toEqual([]);
  expect(watch.cycles().get('main')?.sample.up).toBe('up');
});

test('that it is down is told after a minute, however long the interval is', async () => {
  const server = await startServer();
  await server.kill('SIGKILL');
  const settings = { ...often, monitor: { interval: '30m' } };
  const clock = movingClock();
  const { app } = await watchIt(writeConfig({ server, settings }), clock);
  const state = (): string | undefined =>
    knownAlerts(app.state(), 'main', { now: clock.now(), span: 0 }).find(({ rule }) => rule === 'server-down')
      ?.state;
  await expect.poll(state).toBe('pending');
  clock.forward(30_000);
  expect(state()).toBe('pending');
  clock.forward(30_000);
  await expect.poll(state).toBe('firing');
});

test('the password is changed under the agent: told once, hardly tried, and over when it has the new one', async () => {
  const server = await startServer({ config: { requirepass: 'first-password-8a1f', maxmemory: '100mb' } });
  const config = writeConfig({ server, password: 'first-password-8a1f', settings: often });
  const { open } = await watchIt(config);
  await expect.poll(() => ours(server)).toHaveLength(1);
  await server.call('CONFIG', 'SET', 'requirepass', 'second-password-77c0');
  await server.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await expect.poll(open).toEqual(['credential-invalid critical']);
  await delay(3000);
  expect(open()).toEqual(['credential-invalid critical']);
  const log = await server.call('ACL', 'LOG');
  expect(Array.isArray(log) && log.length).toBe(1);
  expect(String(log)).toContain('count,1');
  writeFileSync(join(config.folder, 'secrets', 'main'), 'second-password-77c0\n');
  await expect.poll(open).toEqual([]);
});

test('a reload keeps the connection, and polls go on', async () => {
  const server = await startServer();
  const config = writeConfig({ server, settings: often });
  const daemon = startDaemon(config);
  await daemon.until({ msg: 'started' });
  await expect.poll(() => ours(server)).toHaveLength(1);
  const before = await ours(server);
  config.rewrite({ server, settings: { ...often, monitor: { interval: '2s' } } });
  daemon.kill('SIGHUP');
  await daemon.until({ msg: 'configuration reloaded' });
  expect(await ours(server)).toEqual(before);
  await server.kill('SIGKILL');
  await daemon.until({ msg: 'finding opened', rule: 'server-down', instance: 'main' });
  expect(await daemon.stop()).toMatchObject({ code: 0 });
});

test('a server that sends without an end is unreachable, and takes no memory for it', async () => {
  const { createServer } = await import('node:net');
  const hostile = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      if (!chunk.toString().includes('INFO')) {
        socket.write('+OK\r\n');
        return;
      }
      socket.write('$1000000000\r\n');
      const more = (): void => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536, '\u001b'))) continue;
      };
      socket.on('drain', more);
      more();
    });
  });
  await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void hostile.close());
  const address = hostile.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const instances = [{ name: 'main', url: `redis://127.0.0.1:${port}` }];
  const { open } = await watchIt(writeConfig({ instances, settings: often }));
  // That it is blind too follows from it.
  await expect.poll(open).toContain('server-down critical');
  expect(process.memoryUsage().rss).toBeLessThan(700 * 2 ** 20);
});
