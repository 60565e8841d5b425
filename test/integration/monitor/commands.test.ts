import { expect, onTestFinished, test } from 'vitest';
import { startWatch } from '../../../src/app/daemon/watch.ts';
import { runAgent, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { openApp } from '../../support/agent/open-app.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

/** Watches a server under some load for some polls. */
async function watched(server: TestServer, config: TestConfig): Promise<void> {
  const app = await openApp(config);
  const watch = startWatch(app);
  onTestFinished(async () => {
    await watch.stop();
    await app.close();
  });
  const polls = (): number =>
    app.series().read('main', 'up', { since: 0, until: Number.MAX_SAFE_INTEGER }).length;
  await expect.poll(polls).toBeGreaterThan(0);
  await server.connection.pipeline([
    ...Array.from({ length: 50 }, (_, index) => ['SET', `session:${index}`, 'a-secret-value']),
    ['DEBUG', 'SLEEP', '0.05'],
    ['EVAL', "return redis.call('KEYS', '*')", 0],
  ]);
  const before = polls();
  await expect.poll(polls).toBeGreaterThan(before + 1);
}

test('a slow log that is off, or that may not be read, is not taken for one without slow commands', async () => {
  const server = await startServer({ config: { 'slowlog-log-slower-than': '-1' } });
  const config = writeConfig({
    server,
    settings: { monitor: { interval: '1s' }, backup: { schedule: 'off' } },
  });
  await watched(server, config);
  const off = await runAgent(['slowlog'], { config });
  expect(off.stdout).toMatch(/none can be now\n\nthe server keeps no slow log/);

  await server.call('ACL', 'SETUSER', 'default', '-slowlog');
  await expect
    .poll(async () => (await runAgent(['slowlog', '--json'], { config })).json)
    .toMatchObject({ watched: true, not_known: expect.stringContaining('may not run SLOWLOG GET') });
  expect((await runAgent(['slowlog'], { config })).stdout).toMatch(/may not run\sSLOWLOG\sGET/);
});

test('what was watched, by each command, as text, JSON and CSV', async () => {
  const server = await startServer({ config: { 'slowlog-log-slower-than': '1000' } });
  const config = writeConfig({
    server,
    settings: { monitor: { interval: '1s' }, backup: { schedule: 'off' } },
  });
  for (const [command, none] of [
    ['history', /nothing was measured yet/],
    ['slowlog', /nothing was measured in that time/],
    ['latency', /nothing was measured yet/],
    ['clients', /nobody was seen/],
    ['memory', /nothing was measured yet/],
  ] as const)
    expect(await runAgent([command], { config })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(none),
    });
  await server.call('CLIENT', 'SETNAME', 'web');
  await watched(server, config);

  const slow = await runAgent(['slowlog', '--json'], { config });
  expect(slow.json.commands[0]).toMatchObject({ fingerprint: 'DEBUG SLEEP', count: 1, clients: ['web'] });
  expect(slow.json.commands[0].worst_seconds).toBeGreaterThan(0.049);
  const text = await runAgent(['slowlog'], { config });
  expect(text.stdout).toMatch(/DEBUG SLEEP <1 argument>\s+1\s+\d+ms/);
  expect(text.stdout + slow.stdout).not.toContain('secret');

  const history = await runAgent(['history', 'memory_used_bytes', '--since', '1h'], { config });
  expect(history.stdout).toMatch(/least [\d.]+ \w+, mean [\d.]+ \w+, most/);
  const csv = await runAgent(['history', 'commands_total', '--csv'], { config });
  expect(csv.stdout.split('\n')[0]).toBe('at,commands_total,min,max');
  expect(await runAgent(['history', 'memroy_used_bytes'], { config })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('did you mean memory_used_bytes?'),
  });
  const memory = await runAgent(['memory', '--json'], { config });
  expect(memory.json).toMatchObject({
    forecast: null,
    movers: null,
    used_bytes: expect.any(Number),
    limit_bytes: expect.any(Number),
  });
  expect((await runAgent(['memory'], { config })).stdout).toContain(
    'no forecast: that takes three days of history',
  );
  expect((await runAgent(['clients', '--json'], { config })).json.clients).toMatchObject([
    { name: 'web', count: 1 },
  ]);
  expect((await runAgent(['latency'], { config })).stdout).toMatch(/round trip \(the agent’s PING\)/);
  const status = await runAgent(['status', '--json'], { config });
  expect(status.json[0].history.map(({ metric }: { metric: string }) => metric)).toContain(
    'memory_used_bytes',
  );
  const screen = await runAgent(['status'], { config });
  expect(screen.stdout).toMatch(/memory 24h\s+ *[▁▂▃▄▅▆▇█]/);
  for (const { stdout } of [history, screen, text])
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(200);
  expect(await runAgent(['history', '--since', 'long'], { config })).toMatchObject({ code: 2 });
});
