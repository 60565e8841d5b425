import type { KeyspaceSummary } from '../../../src/domain/keyspace.ts';
import type { BackupFacts, InstanceFacts, TaskFacts } from '../../../src/report/facts.ts';
import { allTasks } from '../../../src/maintain/tasks/index.ts';
import { curve, reportNow, sampleInstance } from './sample-report.ts';

const hour = 60 * 60 * 1000;
const day = 24 * hour;

/** A server about which there is something to say in every section: a report as it is read. */
export function busyInstance(change: Partial<InstanceFacts> = {}): InstanceFacts {
  const finding = { instance: 'main', evidence: {}, first_seen: reportNow - 3 * day };
  const { server } = sampleInstance();
  return sampleInstance({
    server: 'problem' in server ? server : { ...server, memory_limit: 1_707_317_073 },
    findings: [
      {
        ...finding,
        rule: 'backup-failed',
        resource: 'main',
        severity: 'critical',
        summary: 'backup failed: the server cannot write its dump: No space left on device',
        remedy: 'make room on /var/lib/redis, then run: redis-agent backup',
      },
      {
        ...finding,
        rule: 'memory-high',
        resource: 'main',
        severity: 'warning',
        summary: 'memory is at 82 % of maxmemory (1.3 GiB of 1.6 GiB)',
        remedy: 'redis-agent memory shows what grew; raise maxmemory or let keys expire',
      },
    ],
    episodes: [
      ['backup-failed', 'critical', 'backup failed: No space left on device', 3, null],
      ['server-down', 'critical', 'the server does not answer: connection refused', 12, 11.98],
      ['memory-high', 'warning', 'memory is at 82 % of maxmemory (1.3 GiB of 1.6 GiB)', 4, null],
      ['slow-commands', 'info', '14 slow commands in 5 minutes, the worst KEYS with 212 ms', 20, 19.9],
    ].map(([rule, severity, what, from, to]) => ({
      rule: String(rule),
      resource: 'main',
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written above
      severity: severity as 'critical',
      summary: String(what),
      opened: reportNow - Number(from) * day,
      closed: to === null ? null : reportNow - Number(to) * day,
    })),
    history: {
      ...sampleInstance().history,
      up: curve(30, (h) => (h === 432 ? 0.5 : h > 300 && h < 330 ? undefined : 1)),
      evictions: curve(30, (h) => (h > 600 && h < 620 ? 3 : 0)),
      forecast: {
        limit: 1_707_317_073,
        days: { low: 24, middle: 32, high: 47 },
        band: [
          { at: reportNow, low: 1.4e9, high: 1.4e9 },
          { at: reportNow + 14 * day, low: 1.53e9, high: 1.68e9 },
        ],
      },
    },
    backups: backups(),
    keyspace: {
      newest: summary(1),
      at: reportNow - 3 * day,
      patterns: [
        { name: 'sessions', match: 'sess:*', counted: { keys: 48_210, withoutTtl: 12, memory: 31_457_280 } },
      ],
      before: { summary: summary(0.8), at: reportNow - 29 * day },
    },
    audit: {
      at: reportNow - 59 * day,
      score: 78,
      coverage: 0.96,
      counts: { critical: 0, high: 1, warning: 3, info: 2 },
      before: { at: reportNow - 150 * day, score: 71 },
      worst: [
        {
          rule: 'ACL10',
          severity: 'high',
          title: 'the user app may run FLUSHALL and CONFIG',
          remedy: 'ACL SETUSER app -@dangerous',
        },
        {
          rule: 'NET03',
          severity: 'warning',
          title: 'listens on 0.0.0.0',
          remedy: 'bind 127.0.0.1 10.0.1.4 in /etc/redis/redis.conf, then restart',
        },
      ],
    },
    tasks: tasks(),
    slow: [
      { fingerprint: 'KEYS sess:*', count: 212, totalMs: 31_240, p95Ms: 190, worstMs: 212 },
      { fingerprint: 'HGETALL cart:*', count: 84, totalMs: 2150, p95Ms: 31, worstMs: 66 },
      {
        fingerprint: 'ZRANGEBYSCORE queue:delayed <score> <score>',
        count: 41,
        totalMs: 640,
        p95Ms: 18,
        worstMs: 22,
      },
    ],
    queues: [
      {
        name: 'bull:mail',
        kind: 'bullmq',
        waiting: 12,
        active: 4,
        delayed: 130,
        failed: 3,
        workers: 2,
        oldestSeconds: 41,
        span: {
          waiting: [],
          mostWaiting: 940,
          oldestSeconds: 312,
          completed: 84_210,
          failed: 120,
          stalled: 0,
          stuck: [],
        },
      },
      {
        name: 'bull:pdf',
        kind: 'bullmq',
        waiting: 1841,
        active: 0,
        delayed: 0,
        failed: 27,
        workers: 0,
        oldestSeconds: 9120,
        span: {
          waiting: [],
          mostWaiting: 1841,
          oldestSeconds: 9120,
          completed: 3120,
          failed: 27,
          stalled: 4,
          stuck: [
            { opened: reportNow - 9 * day, closed: reportNow - 9 * day + 1_500_000 },
            { opened: reportNow - 9_000_000, closed: null },
          ],
        },
      },
    ],
    notices: [
      { at: reportNow - 3 * day, channel: 'mail', subject: 'backup-failed', outcome: 'sent' },
      { at: reportNow - 3 * day, channel: 'chat', subject: 'backup-failed', outcome: 'sent' },
      { at: reportNow - 12 * day, channel: 'mail', subject: 'server-down', outcome: 'sent' },
    ],
    ...change,
  });
}

function backups(): BackupFacts[] {
  return Array.from({ length: 108 }, (_, index): BackupFacts => {
    const at = reportNow - 30 * day + index * 6 * hour;
    const drilled = index === 60;
    return {
      id: `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z-7f3a`,
      at,
      kind: 'rdb',
      keys: 1_100_000 + index * 800,
      bytes: 310_000_000 + index * 400_000,
      proof:
        index === 41 ? { level: 'decoded', ok: false, at } : { level: 'loaded', ok: true, at: at + hour },
      drill: drilled ? { ok: true, at: at + 2 * hour, recoverySeconds: 74 } : null,
    };
  });
}

function tasks(): TaskFacts[] {
  return allTasks({ password_rotation: 90 * day, tasks: [] }).map((task, index): TaskFacts => ({
    task,
    state: index === 4 ? 'overdue' : index === 9 ? 'due' : task.due.kind === 'once' ? 'done' : 'upcoming',
    dueAt: task.due.kind === 'once' ? null : reportNow + (index === 4 ? -6 : index) * day,
    overdueDays: index === 4 ? 6 : 0,
    last:
      index % 3 === 2 && task.due.kind !== 'once'
        ? null
        : {
            outcome: 'done',
            at: reportNow - index * day,
            by: 'redis-agent',
            note: '',
            evidence: [{ text: 'nothing new in 1 412 lines', ok: true }],
          },
  }));
}

function summary(scale: number): KeyspaceSummary {
  const tally = (keys: number, memory: number) => ({
    keys: Math.round(keys * scale),
    elements: Math.round(keys * 3 * scale),
    bytes: Math.round(memory * 0.7 * scale),
    memory: Math.round(memory * scale),
    expiring: Math.round(keys * 0.7 * scale),
    expiring_bytes: Math.round(memory * 0.4 * scale),
  });
  const prefix = (name: string, keys: number, memory: number) => ({
    prefix: name,
    depth: 1,
    types: ['hash'],
    ...tally(keys, memory),
  });
  const parts = {
    totals: tally(1_204_311, 1_310_000_000),
    types: [
      { type: 'hash', ...tally(820_000, 810_000_000) },
      { type: 'string', ...tally(380_000, 330_000_000) },
      { type: 'zset', ...tally(4311, 170_000_000) },
    ],
    prefixes: {
      separator: ':',
      depth: 2,
      complete: true,
      missed: 0,
      none: { keys: 0, bytes: 0, memory: 0 },
      list: [
        prefix('cart:', 610_000, 640_000_000),
        prefix('sess:', 510_000, 420_000_000),
        prefix('bull:', 61_000, 190_000_000),
        prefix('rl:', 23_311, 60_000_000),
      ],
    },
    keys: [
      { key: 'bull:pdf:completed', type: 'zset', elements: 1_400_000, memory: 130_000_000 },
      { key: 'cart:anonymous', type: 'hash', elements: 210_000, memory: 41_000_000 },
    ],
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a report reads of it
  return parts as unknown as KeyspaceSummary;
}
