import { describe, expect, test } from 'vitest';
import { clientsCollector } from '../../../src/monitor/collect/clients.ts';
import { commandsCollector } from '../../../src/monitor/collect/commands.ts';
import { infoCollector } from '../../../src/monitor/collect/info.ts';
import { latencyCollector } from '../../../src/monitor/collect/latency.ts';
import type { Collector, Draft, Known } from '../../../src/monitor/collect/parts/collector.ts';
import { slowlogCollector } from '../../../src/monitor/collect/slowlog.ts';
import { nothingKnown } from '../../../src/monitor/nothing-known.ts';
import type { Reply } from '../../../src/redis/connection/connect.ts';
import { runId } from '../../support/monitor/samples.ts';

const nothing: Known = { ...nothingKnown, engine: 'redis', version: [7, 0, 15], runId, clients: 3 };

function read(
  collector: Collector,
  replies: Reply[],
  known: Partial<Known> = {},
  values: Draft['values'] = {},
): Draft {
  const draft: Draft = { askedAt: 0, values, texts: {}, known: {} };
  collector.read(replies, draft, { ...nothing, ...known });
  return draft;
}

describe('INFO', () => {
  const info = `redis_version:7.0.15\r\nrun_id:${runId}\r\n`;

  test.for<[string, boolean, string]>([
    ['its own file', false, 'role:slave\r\nuptime_in_seconds:9\r\nloading_start_time:992\r\n'],
    ['what its master sent', true, 'role:slave\r\nuptime_in_seconds:900\r\nloading_start_time:992\r\n'],
    ['the file of a master', false, 'role:master\r\nuptime_in_seconds:900\r\nloading_start_time:992\r\n'],
  ])('loads %s', ([, isCopy, text]) => {
    const { texts } = read(infoCollector, [`${info}loading:1\r\nserver_time_usec:1000000000\r\n${text}`]);
    expect(texts['loading_from'] === 'master').toBe(isCopy);
  });

  test('tells a replica from somebody who takes a copy', () => {
    const line = (index: number, state: string): string =>
      `slave${index}:ip=127.0.0.1,port=1,state=${state},offset=5,lag=0\r\n`;
    const { values } = read(infoCollector, [
      `${info}connected_slaves:2\r\n${line(0, 'send_bulk')}${line(1, 'online')}`,
    ]);
    expect(values).toMatchObject({ replicas_connected: 2, replicas_online: 1 });
  });

  test('is read by name', () => {
    const { values, texts, known } = read(infoCollector, [
      `${info}role:slave\r\nmaster_link_status:down\r\nconnected_clients:4\r\nused_memory:100\r\ntotal_error_replies:1\r\n` +
        'errorstat_OOM:count=3\r\nlatest_fork_usec:1500\r\ndb0:keys=3,expires=1,avg_ttl=0\r\ndb5:keys=2,expires=0,avg_ttl=0',
    ]);
    expect(values).toMatchObject({
      clients_connected: 3,
      memory_used_bytes: 100,
      oom_errors_total: 3,
      auth_failures_total: 0,
      fork_seconds: 0.0015,
      keys: 5,
      keys_expiring: 1,
      master: 0,
      master_link_up: 0,
    });
    expect(texts).toMatchObject({ role: 'replica', engine: 'redis', version: '7.0.15' });
    expect(known).toMatchObject({ runId, version: [7, 0, 15] });
  });

  test.for<[string, string]>([
    ['nothing', ''],
    ['a page', '<html>502 Bad Gateway</html>'],
    ['half of it', 'used_memory:100'],
  ])('%s gives no value', ([, text]) => {
    expect(read(infoCollector, [text]).values).toEqual({});
  });

  test('what is no number is no value', () => {
    const { values, texts } = read(infoCollector, [
      `redis_version:7.\u001b[2J\r\nused_memory:NaN\r\nmaxmemory:Infinity\r\nconnected_clients:-\r\nuptime_in_seconds:${'9'.repeat(400)}\r\n`,
    ]);
    expect(Object.values(values).every(Number.isFinite)).toBe(true);
    expect(values).not.toHaveProperty('memory_used_bytes');
    expect(values).not.toHaveProperty('uptime_seconds');
    expect(texts['version']).toHaveLength(6);
  });

  test('where errors are not told apart, none is zero', () => {
    const { values } = read(infoCollector, [
      `${info}total_error_replies:900\r\nerrorstat_ERRORSTATS_DISABLED:count=1`,
    ]);
    expect(values).not.toHaveProperty('auth_failures_total');
  });
});

describe('the slow log', () => {
  const entry = (id: number, address = '10.0.0.1:5000', name = ''): Reply => [
    id,
    1000,
    20_000,
    ['GET', 'a'],
    address,
    name,
  ];
  const cursor = (id: number | undefined, present = true) => ({ slow: { runId, id, present } });

  test('the first reading is older than our watch', () => {
    const draft = read(slowlogCollector, [[entry(9), entry(8)]]);
    expect(draft.slow).toMatchObject({ first: true, lost: 0, entries: [{ id: 8 }, { id: 9 }] });
    expect(draft.known.slow).toEqual({ runId, id: 9, present: true });
  });

  test('what is new, without what a script called and without our own', () => {
    const draft = read(
      slowlogCollector,
      [[entry(12, '?:0'), entry(11, '1.1.1.1:2', 'redis-agent'), entry(10), entry(9)]],
      cursor(9),
    );
    expect(draft.slow).toEqual({
      first: false,
      lost: 0,
      reset: false,
      entries: [
        { id: 10, at: 1000, micros: 20_000, fingerprint: 'GET a', shape: 'GET a', client: '10.0.0.1' },
      ],
    });
  });

  test('a gap is how many were lost', () => {
    expect(read(slowlogCollector, [[entry(30), entry(29)]], cursor(9)).slow).toMatchObject({ lost: 19 });
  });

  test('emptied by somebody: told once, and no loss', () => {
    const draft = read(slowlogCollector, [[]], cursor(9));
    expect(draft.slow).toMatchObject({ reset: true, lost: 0 });
    const { slow } = draft.known;
    expect(read(slowlogCollector, [[]], { slow: slow! }).slow).toMatchObject({ reset: false });
    expect(read(slowlogCollector, [[entry(10)]], { slow: slow! }).slow).toMatchObject({
      reset: false,
      lost: 0,
      entries: [{ id: 10 }],
    });
  });

  test('a short ring that has turned is no reset', () => {
    const ring = [entry(14), entry(13), entry(12), entry(11)];
    expect(read(slowlogCollector, [ring], { ...cursor(9), slowMax: 4 }).slow).toMatchObject({
      reset: false,
      lost: 1,
    });
  });

  test('another process begins at 0', () => {
    const draft = read(slowlogCollector, [[entry(1), entry(0)]], {
      slow: { runId: 'b'.repeat(40), id: 500, present: true },
    });
    expect(draft.slow).toMatchObject({
      first: false,
      lost: 0,
      reset: false,
      entries: [{ id: 0 }, { id: 1 }],
    });
  });

  test('another server at the address has a log from before it was seen', () => {
    const known = { slow: { runId: 'b'.repeat(40), id: 500, present: true }, seenAt: 0 };
    const log = [[entry(901), entry(900)]];
    expect(read(slowlogCollector, log, known, { uptime_seconds: 864_000 }).slow).toMatchObject({
      first: true,
      lost: 0,
    });
    expect(read(slowlogCollector, log, known, { uptime_seconds: 2 }).slow).toMatchObject({
      first: false,
      lost: 900,
    });
  });

  test.for<[string, Reply]>([
    ['text', 'OK'],
    ['numbers', [1, 2]],
    [
      'holes',
      [
        [null, null, null],
        ['x', 'y', 'z', 'w'],
      ],
    ],
  ])('%s is no entry', ([, reply]) => {
    expect(read(slowlogCollector, [reply]).slow).toMatchObject({ entries: [] });
  });
});

test('costs of commands are differences, without the agent’s own', () => {
  const info = (get: string): string =>
    `cmdstat_get:${get}\r\ncmdstat_info:calls=500,usec=9000\r\ncmdstat_config|get:calls=9,usec=90`;
  const first = read(commandsCollector, [info('calls=10,usec=100')]);
  expect(first.commands).toBeUndefined();
  const second = read(commandsCollector, [`${info('calls=30,usec=900')}\r\ncmdstat_set:calls=1,usec=5`], {
    costs: first.known.costs,
  });
  expect(second.commands).toEqual([
    { command: 'get', calls: 20, micros: 800 },
    { command: 'set', calls: 1, micros: 5 },
  ]);
  expect(second.known.busiest).toEqual(['get', 'set']);
});

test('what the agent asks is no command of the application, also where only first words are counted', () => {
  const info = (calls: number): string =>
    ['acl|log', 'slowlog', 'config', 'client', 'set']
      .map((name) => `cmdstat_${name}:calls=${calls},usec=${calls}`)
      .join('\r\n');
  const seen = (version: Known['version']): string[] =>
    (
      read(commandsCollector, [info(20)], {
        version,
        costs: read(commandsCollector, [info(10)]).known.costs,
      }).commands ?? []
    ).map(({ command }) => command);
  expect(seen([6, 0, 16])).toEqual(['client', 'set']);
  expect(seen([8, 0, 0])).toEqual(['slowlog', 'config', 'client', 'set']);
});

test('quantiles are upper edges of what was added', () => {
  const histogram = (pairs: number[]): Reply => ['get', ['calls', 0, 'histogram_usec', pairs]];
  const first = read(latencyCollector, [histogram([1, 10, 2, 20])]);
  const second = read(latencyCollector, [histogram([1, 10, 2, 110, 4, 120])], {
    histograms: first.known.histograms,
  });
  expect(second.latency).toEqual({
    commands: ['get'],
    calls: 100,
    buckets: [
      { micros: 1, count: 0 },
      { micros: 2, count: 90 },
      { micros: 4, count: 10 },
    ],
  });
  expect(second.values).toMatchObject({ command_p50_seconds: 2e-6, command_p95_seconds: 4e-6 });
});

test('clients by address and name, without our own', () => {
  const line = (port: number, name: string, flags = 'N'): string =>
    `id=${port} addr=10.0.0.1:${port} name=${name} idle=${port} flags=${flags} tot-mem=100 user=app`;
  const list = [line(1, 'web'), line(2, 'web', 'b'), line(3, 'redis-agent'), line(4, ''), ''].join('\n');
  expect(read(clientsCollector, [list]).clients).toEqual([
    { address: '10.0.0.1', name: 'web', user: 'app', count: 2, blocked: 1, idle: 2, memory: 200 },
    { address: '10.0.0.1', name: '', user: 'app', count: 1, blocked: 0, idle: 4, memory: 100 },
  ]);
});
