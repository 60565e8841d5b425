import { mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { thresholdsOf, type MonitorSettings } from '../../../src/domain/settings/monitor.ts';
import type { Sample } from '../../../src/domain/sample.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { judgeSample, type Judgement } from '../../../src/monitor/evaluate/judge-sample.ts';
import { createCertificateLook } from '../../../src/monitor/certificate.ts';
import { createHostLook } from '../../../src/monitor/host.ts';
import { createPoller, type Poller } from '../../../src/monitor/poll.ts';
import { connectRedis } from '../../../src/redis/connection/connect.ts';
import { serverBuilds, startServer, type TestServer } from '../../support/servers/redis-server.ts';

const { signal } = new AbortController();
const settings: MonitorSettings = {
  interval: 15_000,
  thresholds: {},
  slow_command: 10,
  queues: [],
  find_queues: null,
  patterns: {},
};

function watch(
  server: TestServer,
  timeout = 10_000,
): { poller: Poller; judge: (samples: Sample[]) => Judgement } {
  const target = { name: 'main', url: server.url };
  const poller = createPoller({
    connect: (own) => connectRedis(target, { signal: own, timeout }),
    look: createHostLook(systemClock, server.url),
    clock: systemClock,
    frugal: false,
  });
  onTestFinished(() => poller.close());
  const thresholds = thresholdsOf({}, settings.thresholds);
  const judge = (samples: Sample[]): Judgement =>
    judgeSample({
      instance: 'main',
      role: undefined,
      thresholds,
      slowCommand: settings.slow_command,
      samples,
      was: () => undefined,
    });
  return { poller, judge };
}

const ids = ({ findings }: Judgement): string[] => findings.map(({ rule }) => rule);
/** What the machine is like is no matter of the server. */
const ofServer = (rule: string): boolean => !rule.startsWith('host-') && rule !== 'memory-high';

describe.for(serverBuilds())('$name', (build) => {
  test('gives all that is asked of it, and has nothing wrong with it', async () => {
    const server = await startServer({ build, config: { maxmemory: '100mb' } });
    const { poller, judge } = watch(server);
    const first = await poller.poll(signal);
    await server.call('SET', 'key:1', 'value');
    const second = await poller.poll(signal);
    expect(second).toMatchObject({
      up: 'up',
      blind: [],
      texts: { engine: build.engine, version: build.version },
    });
    for (const name of [
      'memory_used_bytes',
      'memory_limit_bytes',
      'clients_max',
      'keys',
      'cpu_seconds_total',
      'fork_seconds',
    ])
      expect({ name, value: first.values[name] }).toEqual({ name, value: expect.any(Number) });
    const { findings, judged } = judge([first, second]);
    expect(findings.filter(({ rule }) => ofServer(rule))).toEqual([]);
    expect(judged).toEqual(
      expect.arrayContaining(['server-down', 'memory-high', 'memory-full', 'PER04', 'PER07']),
    );
    // Our own: an error for each poll would be seen by others.
    expect(String(await server.call('INFO', 'stats'))).not.toMatch(/total_error_replies:[1-9]/);
  });
});

test('slow commands come with their shape and client, and without a value', async () => {
  const server = await startServer({ config: { 'slowlog-log-slower-than': '0' } });
  const { poller } = watch(server);
  await poller.poll(signal);
  await server.call('CLIENT', 'SETNAME', 'web');
  await server.call('SET', 'session:81723', 'a-value-that-is-secret');
  await server.call('EVAL', "redis.call('SET', KEYS[1], ARGV[1])", 1, 'lock:5', 'a-value-that-is-secret');
  const { slow } = await poller.poll(signal);
  const entries = slow?.entries.map(({ shape, client }) => `${client}: ${shape}`);
  expect(entries).toEqual(
    expect.arrayContaining(['web: SET session:* <1 argument>', 'web: EVAL lock:* <3 arguments>']),
  );
  expect(entries?.filter((text) => text.includes('SET lock'))).toEqual([]);
  expect(JSON.stringify(slow)).not.toContain('secret');
});

test('more slow commands than the log holds: the gap is counted', async () => {
  const server = await startServer({ config: { 'slowlog-log-slower-than': '0', 'slowlog-max-len': '100' } });
  const { poller, judge } = watch(server);
  const first = await poller.poll(signal);
  await server.connection.pipeline(Array.from({ length: 1000 }, (_, index) => ['SET', `key:${index}`, 'v']));
  const second = await poller.poll(signal);
  const { lost = 0, entries = [] } = second.slow ?? {};
  expect(lost + entries.length).toBeGreaterThanOrEqual(950);
  expect(lost).toBeGreaterThan(850);
  expect(judge([first, second]).findings.filter(({ rule }) => rule === 'slow-commands')).toHaveLength(1);
});

test('a stopped process is a timeout, and then up again', async () => {
  const server = await startServer();
  const { poller, judge } = watch(server, 300);
  const first = await poller.poll(signal);
  await server.kill('SIGSTOP');
  const stopped = await poller.poll(signal);
  await server.kill('SIGCONT');
  expect(stopped).toMatchObject({ up: 'timeout', values: { up: 0 } });
  expect(ids(judge([first, stopped]))).toEqual(['server-down']);
  expect(await poller.poll(signal)).toMatchObject({ up: 'up', runId: first.runId });
});

test('a long script is busy, and not down', async () => {
  const server = await startServer({ config: { 'busy-reply-threshold': '50' } });
  const { poller, judge } = watch(server);
  await poller.poll(signal);
  const script = server.call('EVAL', 'while true do end', 0).catch(() => 'ended');
  await delay(100);
  const busy = await poller.poll(signal);
  expect(ids(judge([busy]))).toEqual(['server-busy']);
  const other = await connectRedis({ name: 'other', url: server.url });
  await other.call('SCRIPT', 'KILL');
  other.close();
  expect(await script).toBe('ended');
  expect(await poller.poll(signal)).toMatchObject({ up: 'up' });
});

test('at maxclients a connection that is held still sees', async () => {
  const server = await startServer({ config: { maxclients: '3' } });
  const { poller, judge } = watch(server);
  const first = await poller.poll(signal);
  const third = await connectRedis({ name: 'third', url: server.url });
  onTestFinished(() => third.close());
  for (let attempt = 0; attempt < 6; attempt++)
    await expect(connectRedis({ name: 'fourth', url: server.url })).rejects.toThrow(/max|closed/);
  const second = await poller.poll(signal);
  expect(second).toMatchObject({ up: 'up', values: { connections_rejected_total: 6, clients_connected: 2 } });
  expect(ids(judge([first, second]))).toEqual(expect.arrayContaining(['clients-exhausted', 'clients-many']));
  const late = watch(server).poller;
  expect(await late.poll(signal)).toMatchObject({ up: 'maxclients' });
});

test('a full noeviction server refuses writes, and evicts nothing', async () => {
  const server = await startServer({ config: { maxmemory: '2mb', 'maxmemory-policy': 'noeviction' } });
  const { poller, judge } = watch(server);
  const first = await poller.poll(signal);
  const writes = Array.from({ length: 40 }, (_, index) => ['SET', `key:${index}`, 'x'.repeat(100_000)]);
  const replies = await server.connection.pipeline(writes);
  expect(replies.filter((reply) => reply instanceof Error).length).toBeGreaterThan(0);
  const second = await poller.poll(signal);
  expect(second.values['evicted_keys_total']).toBe(0);
  expect(judge([first, second]).findings.filter(({ rule }) => rule.startsWith('memory'))).toMatchObject([
    { rule: 'memory-full', severity: 'critical', evidence: { keys_evicted: 0 } },
    { rule: 'memory-high', severity: 'critical' },
  ]);
});

test('a failed save is MISCONF: writes are refused, and the server is up', async () => {
  const server = await startServer({ config: { maxmemory: '100mb' } });
  const { poller, judge } = watch(server);
  await server.call('CONFIG', 'SET', 'save', '3600 1');
  await server.call('SET', 'key', 'value');
  // No rename puts a file in place of a folder.
  mkdirSync(server.dumpPath);
  await server.call('BGSAVE');
  await expect
    .poll(async () => String(await server.call('INFO', 'persistence')))
    .toContain('rdb_last_bgsave_status:err');
  const sample = await poller.poll(signal);
  expect(sample).toMatchObject({ up: 'misconf', values: { up: 1, save_last_ok: 0 } });
  expect(
    ids(judge([sample]))
      .filter(ofServer)
      .toSorted(),
  ).toEqual(['PER04', 'writes-refused']);
});

test('statistics set to zero by somebody are no growth', async () => {
  const server = await startServer({ config: { maxmemory: '100mb' } });
  const { poller, judge } = watch(server);
  await server.call('CONFIG', 'SET', 'maxmemory', '1');
  await server.call('SET', 'key', 'value').catch(() => {});
  await server.call('CONFIG', 'SET', 'maxmemory', '100mb');
  const first = await poller.poll(signal);
  expect(first.values['oom_errors_total']).toBe(1);
  await server.call('CONFIG', 'RESETSTAT');
  const second = await poller.poll(signal);
  expect(ids(judge([first, second])).filter(ofServer)).toEqual([]);
});

test('a certificate that is served, and one on disk', async () => {
  const server = await startServer({ tls: true });
  const look = createCertificateLook(systemClock, { name: 'main', url: server.tls!.url });
  const seen = {
    values: {} as Record<string, number>,
    texts: { 'tls-cert-file': server.tls!.cert, host_files: 'same' },
  };
  await look(seen);
  const { certificate_expiry_timestamp_seconds: served, certificate_file_expiry_timestamp_seconds: file } =
    seen.values;
  expect(served).toBeGreaterThan(Date.now() / 1000);
  expect(file).toBe(served);
});
