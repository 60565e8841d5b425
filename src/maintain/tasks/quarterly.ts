import type { Task } from '../../domain/task.ts';
import { counted } from '../../lib/text/counted.ts';

/** The first of each quarter at eight. */
const cron = '0 8 1 */3 *';
const day = 24 * 60 * 60 * 1000;

/** `passwordRotation`: how long a password may be used, milliseconds. */
export function quarterlyTasks(passwordRotation: number): readonly Task[] {
  return [
    {
      id: 'security-audit',
      title: 'Security audit',
      rotation: 'quarterly',
      due: { kind: 'job', job: 'audit', cron },
      by: 'job',
      why: 'Rights and listening addresses drift; the audit says what is really open.',
      steps: ['redis-agent audit', 'redis-agent audit --format html --out audit.html'],
    },
    {
      id: 'password-rotation',
      title: `Passwords are at most ${counted(Math.round(passwordRotation / day), 'day')} old`,
      rotation: 'quarterly',
      due: { kind: 'after', ms: passwordRotation },
      by: 'person',
      why: 'A password that leaked unnoticed is worth nothing once it has been replaced.',
      steps: [
        'redis-agent rotate-password USER --secret-file FILE     # records it too',
        'redis-agent maintenance done password-rotation --note "who, and which users"',
      ],
    },
    {
      id: 'recovery-drill',
      title: 'A restore was rehearsed, and its time measured',
      rotation: 'quarterly',
      due: { kind: 'job', job: 'drill', cron },
      by: 'job',
      why: 'How long a restore takes is known only where one was done.',
      steps: ['redis-agent drill latest'],
    },
    {
      id: 'capacity-review',
      title: 'Will it still fit next quarter?',
      rotation: 'quarterly',
      due: { kind: 'schedule', cron },
      by: 'agent',
      why: 'More memory takes weeks to get and a minute to run out of.',
      steps: ['redis-agent memory', 'redis-agent keys latest'],
    },
    {
      id: 'failover-test',
      title: 'A replica took over, on purpose',
      rotation: 'quarterly',
      due: { kind: 'schedule', cron },
      by: 'person',
      why: 'A failover that was never tried fails on the day it is needed, mostly for want of a right or a password.',
      steps: [
        'redis-agent backup',
        'redis-cli -p 26379 SENTINEL CKQUORUM NAME     # with Sentinel: is there a quorum?',
        'redis-cli -p 26379 SENTINEL FAILOVER NAME     # with Sentinel',
        'redis-cli FAILOVER                            # without, on the master, Redis 6.2 and later',
        'redis-cli CLUSTER FAILOVER                    # in a cluster, on a replica of each master',
        'redis-agent status                            # roles, links and lag afterwards',
        'redis-agent maintenance done failover-test --note "how long writes stood still"',
      ],
    },
  ];
}
