import { expect, onTestFinished, test } from 'vitest';
import type { Severity } from '../../../src/domain/finding.ts';
import type { Sample } from '../../../src/domain/sample.ts';
import { thresholdsOf } from '../../../src/domain/settings/monitor.ts';
import { judgeSample } from '../../../src/monitor/evaluate/judge-sample.ts';
import { watchRules } from '../../../src/monitor/evaluate/rules/index.ts';
import { createHostLook } from '../../../src/monitor/host.ts';
import { createPoller } from '../../../src/monitor/poll.ts';
import { connectRedis } from '../../../src/redis/connection/connect.ts';
import { hour, minute, World } from '../../support/alerts/engine-world.ts';
import { movingClock } from '../../support/clocks/moving-clock.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

const { signal } = new AbortController();

async function usedBy(server: TestServer): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(String(await server.call('INFO', 'memory')))?.[1]);
}

// The server is real and its memory swings; the six hours are not, from the poll to what is sent.
test('memory between 79 and 81 %, each minute for six hours, is at most two messages', async () => {
  const server = await startServer();
  await server.call('SETRANGE', 'most', 60 * 2 ** 20, 'x');
  const limit = Math.round((await usedBy(server)) / 0.79);
  await server.call('CONFIG', 'SET', 'maxmemory', limit);
  const clock = movingClock();
  const poller = createPoller({
    connect: (own) => connectRedis({ name: 'main', url: server.url }, { signal: own }),
    look: createHostLook(clock, server.url),
    clock,
    frugal: false,
  });
  onTestFinished(() => poller.close());
  const world = new World();
  world.rules = new Map(watchRules.map((rule) => [rule.id, rule]));
  const samples: Sample[] = [];
  const shares: number[] = [];
  let was: Severity | undefined;
  for (let turn = 0; turn < (6 * hour) / minute; turn++) {
    await (turn % 2 === 1
      ? server.call('SETRANGE', 'swing', Math.round(limit * 0.02), 'x')
      : server.call('DEL', 'swing'));
    const sample = await poller.poll(signal);
    samples.push(sample);
    if (samples.length > 16) samples.shift();
    shares.push(100 * (sample.values['memory_used_ratio'] ?? 0));
    const { findings } = judgeSample({
      instance: 'main',
      role: undefined,
      thresholds: thresholdsOf({ role: undefined }),
      slowCommand: 1000,
      samples,
      was: (rule) => (rule === 'memory-high' ? was : undefined),
    });
    const own = findings.filter(({ rule }) => rule === 'memory-high');
    was = own[0]?.severity;
    world.see(['memory-high'], own);
    world.pass(minute);
    clock.forward(minute);
  }
  // It did swing, on both sides of the bound.
  expect(Math.min(...shares)).toBeLessThan(80);
  expect(Math.max(...shares)).toBeGreaterThan(80);
  expect(Math.max(...shares)).toBeLessThan(85);
  expect(world.lines()).toEqual(['mail main: fired memory-high (warning)']);
  await server.call('DEL', 'most', 'swing');
  for (let turn = 0; turn < 10; turn++) {
    world.see(['memory-high'], []);
    world.pass(minute);
  }
  expect(world.lines()).toEqual([
    'mail main: fired memory-high (warning)',
    'mail main: resolved memory-high (warning)',
  ]);
});
