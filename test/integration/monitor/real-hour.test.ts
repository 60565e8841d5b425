import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isCounter } from '../../../src/domain/metrics.ts';
import { connectRedis, type RedisConnection } from '../../../src/redis/connection/connect.ts';
import { openSeries } from '../../../src/state/series/series.ts';
import { takeBackup, writeConfig } from '../../support/agent/cli.ts';
import { startDaemonHere } from '../../support/agent/daemon-here.ts';
import { faraway, planned } from '../../support/agent/daemon.ts';
import { memoryLog } from '../../support/agent/memory-log.ts';
import { startHookServer } from '../../support/alerts/hook-server.ts';
import { everything } from '../../support/house/tier.ts';
import { startBusyServer } from '../../support/servers/busy-server.ts';

const second = 1000;
const page = join(import.meta.dirname, '../../../docs/soak.md');
const heading = '## An hour with a real server';

/** What goes wrong, in minutes; `told` is the rule that says so, undefined where it passes too soon. */
interface Fault {
  what: string;
  from: number;
  to: number;
  told: string | undefined;
}

const faults: readonly Fault[] = [
  { what: 'maxmemory is set to what nearly all of is used', from: 4, to: 12, told: 'memory-high' },
  { what: 'killed, and started again', from: 16, to: 20, told: 'server-down' },
  { what: '60 clients for two minutes', from: 26, to: 28, told: undefined },
  { what: '60 clients for eight minutes', from: 30, to: 38, told: 'clients-many' },
  { what: 'maxmemory is set far below what is used', from: 42, to: 43.5, told: 'memory-full' },
];

test.skipIf(!everything)(
  'an hour of polls under changing load: each fault is told once, with its end, and nothing else',
  async () => {
    const world = await startBusyServer();
    const { server } = world;
    await server.call('CONFIG', 'SET', 'maxmemory', '200mb', 'maxmemory-policy', 'noeviction');
    await server.call('DEBUG', 'POPULATE', 10_000, 'user', 1024);
    const hook = await startHookServer({ status: 204 });
    const options = planned(server, { schedule: faraway() });
    const config = writeConfig(options);
    const url = config.secret('hook', `${hook.url}/s3cret-path`);
    // How fast this machine answers beside other work is nobody's fault.
    const monitor = { thresholds: { round_trip_p95: { warning: 'off' } } };
    const channels = [{ name: 'hook', type: 'webhook', url }];
    config.rewrite({ ...options, settings: { ...options.settings, monitor, alerts: { channels } } });
    await takeBackup(config);
    const { clock, ...daemon } = startDaemonHere(config);
    const series = openSeries(config.state, { clock, log: memoryLog(), isCounter });
    const begun = clock.now();
    const polls = (): number => series.read('main', 'up', { since: begun, until: clock.now() + 1 }).length;
    await expect.poll(polls).toBeGreaterThan(0);
    let clients: RedisConnection[] = [];
    const begin: Record<string, () => Promise<unknown>> = {
      'memory-high': async () => {
        const used = /used_memory:(\d+)/.exec(String(await server.call('INFO', 'memory')))?.[1];
        await server.call('CONFIG', 'SET', 'maxmemory', Math.round(Number(used) / 0.93));
      },
      'server-down': () => server.kill('SIGKILL'),
      'memory-full': () => server.call('CONFIG', 'SET', 'maxmemory', '1mb'),
    };
    const end: Record<string, () => Promise<unknown>> = {
      'memory-high': () => server.call('CONFIG', 'SET', 'maxmemory', '200mb'),
      'server-down': () => server.restart(),
      'memory-full': () => server.call('CONFIG', 'SET', 'maxmemory', '200mb'),
    };
    const connectMany = async (): Promise<void> => {
      clients = await Promise.all(
        Array.from({ length: 60 }, () => connectRedis({ name: 'client', url: server.url })),
      );
    };
    let up = true;
    for (let step = 0; step < 240; step++) {
      const now = step / 4;
      for (const { from, to, told } of faults) {
        if (now === from) await (begin[told ?? ''] ?? connectMany)();
        if (now === to) {
          await end[told ?? '']?.();
          for (const client of clients) client.close();
          clients = [];
        }
        if (told === 'server-down') up = now < from || now >= to;
      }
      if (up) {
        await server.call('EVAL', look, 0, Math.round(300 + 250 * Math.sin(step / 7)));
        await server.call('SET', `new:${step}`, 'x'.repeat(500)).catch(() => {});
      }
      const before = polls();
      world.shift(15 * second);
      clock.forward(15 * second);
      await expect.poll(polls, { interval: 10 }).toBeGreaterThan(before);
    }
    await daemon.stop();
    series.close();
    const told = hook.requests.map(({ json }) => json);
    const items = hook.requests.flatMap(({ json }): { rule: string; change: string }[] => json.alerts);
    // What is open besides is said with each.
    const changes = items.filter(({ change }) => change !== 'open');
    const all = changes.map(({ rule, change }) => `${rule} ${change}`);
    const expected = faults.flatMap(({ told: rule }) =>
      rule === undefined ? [] : [`${rule} fired`, `${rule} resolved`],
    );
    expect(all.toSorted(), JSON.stringify(told)).toEqual(expected.toSorted());
    if (process.env['WRITE_DOCS'] === '1') write(all);
  },
  900_000,
);

const look = "for i=1,ARGV[1] do redis.call('GET','user:'..math.random(0,9999)) end";

function write(all: readonly string[]): void {
  const rows = faults.map(
    ({ what, from, to, told }) =>
      `| ${from} to ${to} | ${what} | ${told === undefined ? 'nothing: shorter than the rule’s patience' : all.filter((one) => one.startsWith(`${told} `)).join(', ')} |`,
  );
  const text = `${heading}
Made by test/integration/monitor/real-hour.test.ts with WRITE_DOCS=1: a daemon that polls a real server under changing load, with
240 polls of 15 s each gone by in minutes, and a web hook that notes what it is told. The bound of the round trip is off: how fast a busy machine answers is nobody's fault. Nothing
else was told. scripts/soak.ts writes what stands above, and drops this: it comes first.

| minute | fault | told |
|---|---|---|
${rows.join('\n')}
`;
  const before = readFileSync(page, 'utf8').split(`\n${heading}`)[0]?.trimEnd() ?? '';
  writeFileSync(page, `${before}\n\n${text}`);
}
