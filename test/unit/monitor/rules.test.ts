import { describe, expect, test } from 'vitest';
import { evaluators, watchRules } from '../../../src/monitor/evaluate/rules/index.ts';
import {
  found,
  healthy,
  judge,
  playOut,
  slow,
  times,
  type Circumstances,
  type Step,
} from '../../support/monitor/samples.ts';

const mib = 2 ** 20;
/** A counter that grows by so much in each poll. */
const growing =
  (name: string, by: number, from = 0): ((index: number) => Step) =>
  (index) => ({
    values: { [name]: from + index * by },
  });

test('a quiet server violates nothing, and every rule can tell', () => {
  const judgement = judge(times(61));
  expect(judgement).toEqual({ findings: [], judged: watchRules.map(({ id }) => id), unknown: [], held: [] });
});

test('from a first poll nothing is told that takes two', () => {
  const { findings, unknown } = judge([{}]);
  expect(findings).toEqual([]);
  expect(unknown).toEqual(
    expect.arrayContaining(['connection-failures', 'memory-full', 'hit-rate', 'server-cpu']),
  );
});

type Row = [what: string, steps: Step[], expected: string[], circumstances?: Circumstances];

describe('rules', () => {
  test.for<Row>([
    ['refused', [{}, { up: 'refused' }], ['server-down critical']],
    ['stopped', [{}, { up: 'timeout' }], ['server-down critical']],
    ['in a script', [{}, { up: 'busy' }], ['server-busy high']],
    ['loading', [{}, { up: 'loading', detail: '40 % loaded' }], ['server-loading warning']],
    ['a changed password', [{}, { up: 'noauth' }], ['credential-invalid critical']],
    ['no place at all', [{}, { up: 'maxclients' }], ['clients-exhausted critical']],
    [
      'MISCONF',
      [{}, { up: 'misconf', values: { save_last_ok: 0 } }],
      ['writes-refused critical', 'PER04 critical'],
    ],
    [
      'three restarts in a quarter of an hour',
      ['a', 'b', 'c', 'd'].map((id) => ({ runId: id.repeat(40), values: { uptime_seconds: 3 } })),
      ['restart-loop critical'],
    ],
    ['two restarts', ['a', 'b', 'c'].map((id) => ({ runId: id.repeat(40) })), []],
    ['memory at 71 %', times(2, { values: { memory_used_bytes: 0.71 * 2 ** 30 } }), ['memory-high info']],
    ['memory at 81 %', times(2, { values: { memory_used_bytes: 0.81 * 2 ** 30 } }), ['memory-high warning']],
    ['memory at 91 %', times(2, { values: { memory_used_bytes: 0.91 * 2 ** 30 } }), ['memory-high critical']],
    [
      'memory at 73 % when it has warned',
      times(2, { values: { memory_used_bytes: 0.73 * 2 ** 30 } }),
      ['memory-high warning'],
      { was: { 'memory-high': 'warning' } },
    ],
    [
      'memory at 71 % when it has warned',
      times(2, { values: { memory_used_bytes: 0.71 * 2 ** 30 } }),
      ['memory-high info'],
      { was: { 'memory-high': 'warning' } },
    ],
    [
      'a full cache that evicts',
      times(3, (index) => ({
        values: { memory_used_bytes: 2 ** 30, evicted_keys_total: 50 * index },
        texts: { maxmemory_policy: 'allkeys-lru' },
      })),
      [],
      { role: 'cache' },
    ],
    [
      'a full cache that may not evict',
      times(2, { values: { memory_used_bytes: 2 ** 30 } }),
      ['memory-high critical'],
      { role: 'cache' },
    ],
    [
      'a cache into which somebody writes keys that never expire',
      times(61, (index) => ({ values: { keys: 10_000 + 10 * index, keys_expiring: 10_000 } })),
      ['keys-without-ttl warning'],
      { role: 'cache' },
    ],
    [
      'the same, and it is no cache',
      times(61, (index) => ({ values: { keys: 10_000 + 10 * index, keys_expiring: 10_000 } })),
      [],
      { role: 'durable' },
    ],
    [
      'a cache that fills, all of whose keys expire or none',
      times(61, (index) => ({ values: { keys: 100 * index, keys_expiring: 0 } })),
      [],
      { role: 'cache' },
    ],
    [
      'a cache with a few more',
      times(61, (index) => ({ values: { keys: 10_000 + index, keys_expiring: 10_000 } })),
      [],
      { role: 'cache' },
    ],
    [
      'a cache that has begun anew',
      times(61, (index) => ({
        runId: (index < 60 ? 'a' : 'b').repeat(40),
        values: { keys: 1000, keys_expiring: index < 60 ? 1000 : 0 },
      })),
      [],
      { role: 'cache' },
    ],
    [
      'a full cache that may evict what expires, and nothing does',
      times(3, {
        values: { memory_used_bytes: 2 ** 30, keys: 1000, keys_expiring: 0 },
        texts: { maxmemory_policy: 'volatile-lru' },
      }),
      ['memory-high critical'],
      { role: 'cache' },
    ],
    [
      'the same where some do',
      times(3, {
        values: { memory_used_bytes: 2 ** 30, keys: 1000, keys_expiring: 10 },
        texts: { maxmemory_policy: 'volatile-lru' },
      }),
      [],
      { role: 'cache' },
    ],
    ['an eviction', times(3, growing('evicted_keys_total', 1)), ['memory-full critical']],
    [
      'writes refused while nothing is evicted',
      times(3, growing('oom_errors_total', 1)),
      ['memory-full critical'],
    ],
    [
      'writes refused in a cache',
      times(3, growing('oom_errors_total', 1)),
      ['memory-full critical'],
      { role: 'cache' },
    ],
    [
      '120 MiB, with a bound of 100',
      times(2, { values: { memory_used_bytes: 120 * mib } }),
      ['memory-size warning'],
      { thresholds: { memory_bytes: { warning: 100 * mib } } },
    ],
    [
      'a large AOF, with a bound',
      times(2, { values: { aof_enabled: 1, aof_size_bytes: 300 * mib } }),
      ['storage-size warning'],
      { thresholds: { storage_bytes: { warning: 200 * mib } } },
    ],
    [
      'fragmentation of a small server',
      times(2, {
        values: {
          memory_fragmentation_ratio: 5.4,
          memory_fragmentation_bytes: 12 * mib,
          memory_allocated_bytes: 2 * mib,
        },
      }),
      [],
    ],
    [
      'fragmentation',
      times(2, { values: { memory_fragmentation_ratio: 1.6, memory_fragmentation_bytes: 60 * mib } }),
      ['memory-fragmented warning'],
    ],
    [
      'two failed logins in a minute',
      [...times(4), { values: { auth_failures_total: 2 } }],
      ['connection-failures warning'],
    ],
    ['nine refused logins in a day', [{ values: { auth_denials_day: 9 } }], []],
    [
      'ten refused logins in a day',
      [{ values: { auth_denials_day: 10 }, texts: { auth_denials_from: '192.0.2.7' } }, {}],
      ['ACL17 warning'],
    ],
    ['no limit of memory', [{ values: { memory_max_bytes: 0 } }], ['CFG10 warning']],
    ['a limit that fits', [{ values: { host_memory_total_bytes: 2 ** 31 } }], []],
    ['a limit above its share', [{ values: { host_memory_total_bytes: 1.2 * 2 ** 30 } }], ['CFG10 high']],
    [
      'a limit above what its container has',
      [{ values: { host_memory_total_bytes: 2 ** 36, container_memory_limit_bytes: 2 ** 29 } }],
      ['CFG10 high'],
    ],
    [
      'six refused connections',
      [...times(4), { values: { connections_rejected_total: 6 } }],
      ['connection-failures critical'],
    ],
    [
      'failed logins that were the agent’s own',
      [...times(4), { values: { auth_failures_total: 6, own_auth_failures_total: 6 } }],
      [],
    ],
    [
      'statistics set to zero',
      [
        ...times(4, { values: { connections_rejected_total: 500, evicted_keys_total: 9000 } }),
        { values: { connections_rejected_total: 0, evicted_keys_total: 0 } },
      ],
      [],
    ],
    [
      'another process, whose counters are its own',
      [
        ...times(4, { values: { evicted_keys_total: 5 } }),
        { runId: 'b'.repeat(40), values: { evicted_keys_total: 0, uptime_seconds: 4 } },
      ],
      [],
    ],
    [
      'another server at the same address, which has long been there',
      [
        ...times(4, { values: { evicted_keys_total: 5 } }),
        ...times(2, {
          runId: 'b'.repeat(40),
          values: { evicted_keys_total: 9000, connections_rejected_total: 70, uptime_seconds: 864_000 },
        }),
      ],
      [],
    ],
    [
      'an address that leads to one and to the other',
      ['a', 'b', 'a', 'b', 'a'].map((id) => ({ runId: id.repeat(40) })),
      [],
    ],
    [
      'slow commands of an outage, told by the first poll after it',
      [
        ...times(8, { values: { commands_total: 1000 } }),
        ...times(24, { up: 'unreachable', slow: undefined }),
        {
          values: { commands_total: 90_000 },
          slow: { entries: times(60).map((_, id) => slow(id, 900)), first: false, lost: 0, reset: false },
        },
        ...times(3, (index) => ({ values: { commands_total: 90_030 + 30 * index } })),
      ],
      [],
    ],
    [
      'half of the look-ups miss',
      times(61, (index) => ({
        values: { keyspace_hits_total: 10 * index, keyspace_misses_total: 10 * index },
      })),
      ['hit-rate warning'],
    ],
    [
      'the same of a queue',
      times(61, (index) => ({
        values: { keyspace_hits_total: 10 * index, keyspace_misses_total: 10 * index },
      })),
      [],
      { role: 'queue' },
    ],
    ['too few look-ups to tell', times(61, (index) => ({ values: { keyspace_misses_total: index } })), []],
    ['51 clients', times(2, { values: { clients_connected: 51 } }), ['clients-many warning']],
    [
      '46 clients when it has warned',
      times(2, { values: { clients_connected: 46 } }),
      ['clients-many warning'],
      { was: { 'clients-many': 'warning' } },
    ],
    [
      '99 of 100 clients',
      times(2, { values: { clients_connected: 99, clients_max: 100 } }),
      ['clients-many critical'],
    ],
    [
      'full for others, while our own connection is served',
      [
        ...times(4, { values: { clients_connected: 99, clients_max: 100 } }),
        { values: { connections_rejected_total: 1 } },
      ],
      ['clients-exhausted critical', 'clients-many critical', 'connection-failures warning'],
      { was: { 'connection-failures': 'warning' } },
    ],
    ['blocked clients', times(2, { values: { clients_blocked: 200 } }), ['clients-blocked warning']],
    ['workers of a queue', times(2, { values: { clients_blocked: 200 } }), [], { role: 'queue' }],
    ['the round trip', times(21, { values: { round_trip_seconds: 0.2 } }), ['round-trip warning']],
    ['a core in use', times(42, growing('cpu_main_thread_seconds_total', 13)), ['server-cpu warning']],
    ['a failed save', [{ values: { save_last_ok: 0 } }], ['PER04 critical']],
    ['a failed save beside an AOF', [{ values: { save_last_ok: 0, aof_enabled: 1 } }], ['PER04 high']],
    ['a failed save of a cache', [{ values: { save_last_ok: 0 } }], ['PER04 high'], { role: 'cache' }],
    ['an AOF that was given up', [{ values: { aof_last_write_ok: 0, aof_last_rewrite_ok: 0 } }], []],
    [
      'a save that writes no key for minutes',
      times(20, (index) => ({
        values: { save_in_progress: 1, save_current_seconds: 15 * index, save_current_keys: 700 },
      })),
      ['save-hung high'],
    ],
    [
      'a long save that goes on',
      times(20, (index) => ({
        values: { save_in_progress: 1, save_current_seconds: 15 * index, save_current_keys: 700 + index },
      })),
      [],
    ],
    ['a slow save', [{ values: { save_last_duration_seconds: 2000 } }], ['save-hung warning']],
    [
      'an AOF that cannot be written',
      [{ values: { aof_enabled: 1, aof_last_write_ok: 0 } }],
      ['PER04 critical'],
    ],
    [
      'an AOF that cannot be rewritten',
      [{ values: { aof_enabled: 1, aof_last_rewrite_ok: 0 } }],
      ['PER04 high'],
    ],
    [
      'an AOF replay that dropped commands',
      [{ values: { aof_enabled: 1, unexpected_errors_total: 400 } }],
      ['PER07 critical'],
    ],
    ['a slow fork', [{ values: { fork_seconds: 1.5 } }], ['fork-slow warning']],
    ['a lost master', [{ values: { master: 0, master_link_up: 0 } }], ['master-link critical']],
    [
      'a replica that takes a whole copy',
      [{ values: { master: 0, master_link_up: 0, master_sync_in_progress: 1 } }],
      ['master-link warning'],
    ],
    [
      'somebody who took a copy of a master and has gone',
      [
        { values: { replicas_connected: 1, replicas_online: 0 } },
        { values: { replicas_connected: 0, replicas_online: undefined } },
      ],
      [],
    ],
    [
      'a replica whose copies are taken too',
      [
        { values: { replicas_connected: 2, replicas_online: 1 } },
        { values: { replicas_connected: 0, replicas_online: undefined } },
      ],
      ['replicas-lost high'],
    ],
    ['a silent replica', [{ values: { replication_lag_seconds: 20 } }], ['replica-lag warning']],
    [
      'a master without its replica',
      [{ values: { replicas_connected: 1 } }, { values: { replicas_connected: 0 } }],
      ['replicas-lost high'],
    ],
    ['a failover', [{}, { values: { master: 0, master_link_up: 1 } }], ['role-changed warning']],
    [
      'uncovered slots',
      [{ values: { cluster_ok: 0, cluster_slots_unserved: 5461 }, texts: { mode: 'cluster' } }],
      ['cluster-state critical'],
    ],
    [
      'Sentinels without a quorum',
      [{ values: { sentinel_quorum_ok: 0 }, texts: { mode: 'sentinel', sentinel_weak: 'mymaster' } }],
      ['sentinel-quorum high'],
    ],
    ['a clock that is wrong', [{ values: { clock_skew_seconds: -30 } }], ['clock-skew warning']],
    [
      'a full disk',
      [{ values: { host_disk_free_bytes: 4, host_disk_size_bytes: 100 } }],
      ['host-disk critical'],
    ],
    [
      'a host without memory',
      [{ values: { host_memory_available_bytes: 5e9, host_memory_total_bytes: 100e9 } }],
      ['host-memory warning'],
    ],
    [
      'a certificate renewed on disk only',
      [
        {
          values: { certificate_expiry_timestamp_seconds: 1e10 },
          texts: { certificate_served: 'A', certificate_file: 'B', 'tls-cert-file': '/tls/redis.crt' },
        },
        { texts: { certificate_served: 'A' } },
      ],
      ['TLS06 high'],
    ],
    ...([22, 20, 2, -1] as const).map((days) => {
      const level = days < 3 ? 'critical' : 'warning';
      const ends = Date.parse('2026-11-21T12:00:00Z') / 1000 + days * 86_400;
      return [
        `a certificate that ends in ${days} days`,
        [{ values: { certificate_expiry_timestamp_seconds: ends }, texts: { certificate_served: 'A' } }],
        days > 21 ? [] : [`TLS04 ${level}`],
      ] as [string, Step[], string[]];
    }),
    [
      'a plan of commands',
      [{ values: { commands_day: 9000 } }],
      ['commands-day warning'],
      { thresholds: { commands_day: { warning: 8000 } } },
    ],
    [
      'somebody resets the slow log',
      [{}, ...times(3, { slow: { entries: [], first: false, lost: 0, reset: true } })],
      ['slowlog-reset info'],
    ],
    [
      'a thousand slow commands in one poll',
      [
        {},
        {
          slow: {
            entries: times(128).map((_, index) => slow(index, 20)),
            first: false,
            lost: 872,
            reset: false,
          },
        },
      ],
      ['slow-commands info'],
    ],
    [
      'what the slow log held before we looked',
      [{}, { slow: { entries: [slow(1, 5000)], first: true, lost: 0, reset: false } }],
      [],
    ],
    [
      'a missing right',
      [{ blind: [{ collector: 'slowlog', reason: 'noperm', message: 'user x may not run SLOWLOG GET' }] }],
      ['watch-blind info'],
    ],
    [
      'INFO that says nothing',
      [{ values: Object.fromEntries(Object.keys(healthy).map((name) => [name, undefined])) }],
      ['watch-blind warning'],
    ],
  ])('%s', ([, steps, expected, circumstances]) => {
    const judgement = judge(steps, circumstances);
    expect(found(judgement).toSorted()).toEqual(expected.toSorted());
    for (const { summary, remedy } of judgement.findings) {
      expect(summary).not.toMatch(/undefined|NaN|Infinity|\[object/);
      expect(`${summary}${remedy}`).not.toContain('\n');
    }
  });
});

describe('p95 of commands', () => {
  const poll = (
    calls: number,
    entries: Step['slow'] = { entries: [], first: false, lost: 0, reset: false },
  ): Step => ({
    values: { commands_total: calls },
    slow: entries,
  });
  const log = (count: number, ms: number): Step['slow'] => ({
    entries: Array.from({ length: count }, (_, index) => slow(index, ms)),
    first: false,
    lost: 0,
    reset: false,
  });

  test.for<[string, Step[], string[]]>([
    ['6 of 100 above a second', [poll(0), poll(100, log(6, 1200))], ['command-p95 critical']],
    ['6 of 100 above half a second', [poll(0), poll(100, log(6, 700))], ['command-p95 warning']],
    ['5 of 100 are not more than 5 of 100', [poll(0), poll(100, log(5, 1200))], []],
    ['too few commands to tell', [poll(0), poll(10, log(9, 1200))], []],
  ])('%s', ([, steps, expected]) => {
    const { findings } = judge(steps);
    expect(
      findings
        .filter(({ rule }) => rule === 'command-p95')
        .map(({ rule, severity }) => `${rule} ${severity}`),
    ).toEqual(expected);
  });

  const histogram = {
    commands: ['sort'],
    calls: 100,
    buckets: [
      { micros: 541_000, count: 80 },
      { micros: 1_073_000, count: 20 },
    ],
  };

  test('from the histogram alone it is a warning, whatever the last bucket holds', () => {
    const values = { slowlog_threshold_seconds: 2 };
    const { findings } = judge([{ values }, { values, latency: histogram }]);
    expect(findings).toMatchObject([
      { rule: 'command-p95', severity: 'warning', evidence: { method: 'histogram', slow: 20 } },
    ]);
  });

  test('with neither it is unknown', () => {
    const values = { slowlog_threshold_seconds: 2 };
    expect(judge([{ values }, { values }]).unknown).toContain('command-p95');
  });
});

test('memory that swings about a threshold for six hours opens once', () => {
  const steps = times(1440, (index) => ({
    values: { memory_used_bytes: (index % 8 < 4 ? 0.79 : 0.81) * 2 ** 30 },
  }));
  const severities = playOut(steps).map(
    ({ findings }) => findings.find(({ rule }) => rule === 'memory-high')?.severity,
  );
  const changes = severities.filter((severity, index) => index > 0 && severity !== severities[index - 1]);
  expect(changes).toEqual(['warning']);
});

test('a limit that is taken away live', () => {
  const full = { values: { memory_used_bytes: 0.95 * 2 ** 30 } };
  const lifted = {
    values: { memory_used_bytes: 0.95 * 2 ** 30, memory_max_bytes: 0, memory_limit_bytes: 2 ** 35 },
    texts: { limit_source: 'host' },
  };
  const judged = playOut([...times(4, full), ...times(4, lifted)]);
  expect(judged.map((judgement) => found(judgement).join())).toEqual([
    ...times(4).map(() => 'memory-high critical'),
    // It moves to the new denominator; that there is no limit any more is another matter.
    ...times(4).map(() => 'CFG10 warning'),
  ]);
});

test('while a server is down, nothing else is judged', () => {
  const { judged, unknown } = judge([...times(4), { up: 'timeout' }]);
  expect(judged).toContain('server-down');
  expect(unknown).toEqual(
    expect.arrayContaining(['memory-high', 'hit-rate', 'PER04', 'writes-refused', 'credential-invalid']),
  );
});

test('an AOF replay with losses stays one when somebody zeroes the statistics', () => {
  const values = { aof_enabled: 1, unexpected_errors_total: 0 };
  const was = { PER07: 'critical' } as const;
  expect(judge([{ values }], { was }).unknown).toContain('PER07');
  // The log of the ACLs is not zeroed with them.
  expect(found(judge([{ values: { ...values, aof_replay_denials: 400 } }], { was }))).toEqual([
    'PER07 critical',
  ]);
  // Another process has replayed all of it.
  expect(judge([{ values: { ...values, uptime_seconds: -20 } }], { was }).judged).toContain('PER07');
  const rewritten = judge([
    { values: { aof_enabled: 1, unexpected_errors_total: 400, aof_rewrites_total: 1 } },
  ]);
  expect(rewritten.findings).toMatchObject([
    { summary: expect.stringContaining('only a backup'), evidence: { rewritten: true } },
  ]);
});

test('a certificate that cannot be seen leaves what is known of it as it is', () => {
  const { unknown } = judge([{ texts: { certificate_served: 'A' } }]);
  expect(unknown).toEqual(expect.arrayContaining(['TLS04', 'TLS06']));
});

test('every rule has its own id, a page, and ends', () => {
  const ids = watchRules.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { rule } of evaluators) {
    expect(rule.page).toMatch(/^docs\/findings\/(?:watch|queues|audit-[a-z]{3})\.md$/);
    expect(rule.keepFiring).toBeGreaterThanOrEqual(0);
    for (const other of rule.inhibitedBy ?? []) expect(ids).toContain(other);
  }
});
