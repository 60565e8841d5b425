import type { Task } from '../../domain/task.ts';

/** The first of each month at eight. */
const cron = '0 8 1 * *';

export const monthlyTasks: readonly Task[] = [
  {
    id: 'version-review',
    title: 'Is this version of the server still safe to run?',
    rotation: 'monthly',
    due: { kind: 'schedule', cron },
    by: 'agent',
    why: 'Most break-ins use a hole that a fixed package had been waiting for.',
    steps: [
      'redis-agent audit',
      'apt list --upgradable',
      'redis-agent backup',
      'apt install --only-upgrade redis-server',
    ],
  },
  {
    id: 'log-review',
    title: "The server's log: warnings, growth and rotation",
    rotation: 'monthly',
    due: { kind: 'schedule', cron },
    by: 'agent',
    why: 'Redis says in its log what no metric shows, and a log that is not rotated fills the disk.',
    steps: ['redis-agent maintenance show log-review', 'logrotate --debug /etc/logrotate.d/redis-server'],
  },
  {
    id: 'certificate-review',
    title: 'Certificates: their end, and whether the renewed one is served',
    rotation: 'monthly',
    due: { kind: 'schedule', cron },
    by: 'agent',
    why: 'A certificate that was renewed on disk is not served until the server reads it again.',
    steps: ['redis-agent audit --check TLS04,TLS06'],
  },
  {
    id: 'performance-review',
    title: 'Latency, hit rate, and what grew',
    rotation: 'monthly',
    due: { kind: 'schedule', cron },
    by: 'agent',
    why: 'What becomes slower by a tenth a month is noticed when it is too late.',
    steps: [
      'redis-agent latency --since 30d',
      'redis-agent history keyspace_hits_total --since 30d',
      'redis-agent keys diff',
      'redis-agent check --connection --baseline FILE     # or each month by itself: maintenance.benchmark',
    ],
  },
];
