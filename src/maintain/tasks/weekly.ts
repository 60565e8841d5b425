import type { Task } from '../../domain/task.ts';

/** Mondays at eight. */
const cron = '0 8 * * 1';

export const weeklyTasks: readonly Task[] = [
  {
    id: 'memory-trend',
    title: 'Look at where memory is heading',
    rotation: 'weekly',
    due: { kind: 'schedule', cron },
    by: 'agent',
    why: 'A server that fills up does so over weeks, and fails within minutes.',
    steps: ['redis-agent memory', 'redis-agent history memory_used_bytes --since 7d'],
  },
  {
    id: 'slowlog-review',
    title: 'Review the slow commands',
    rotation: 'weekly',
    due: { kind: 'schedule', cron },
    by: 'agent',
    why: 'One slow command holds up every client, and a new one comes with a release.',
    steps: ['redis-agent slowlog --since 7d'],
  },
  {
    id: 'backup-integrity',
    title: 'Every stored backup was read back and proven',
    rotation: 'weekly',
    due: { kind: 'job', job: 'verify', cron },
    by: 'job',
    why: 'Disks and buckets lose bytes in silence; a backup that nobody read is a hope.',
    steps: ['redis-agent backups verify --all', 'redis-agent backups list'],
  },
];
