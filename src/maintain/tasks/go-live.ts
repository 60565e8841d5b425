import type { Task } from '../../domain/task.ts';

const line = (id: string, title: string, by: Task['by'], why: string, steps: string[]): Task => ({
  id: `go-live-${id}`,
  title,
  rotation: 'once',
  due: { kind: 'once' },
  by,
  why,
  steps,
});

/** What stands between an installed server and one that may carry a business; each line once. */
export const goLiveTasks: readonly Task[] = [
  line('password', 'A password is asked for', 'agent', 'A server without one is found within hours.', [
    'redis-agent audit --check ACL01',
  ]),
  line(
    'firewall',
    'Only the hosts that need it reach the port',
    'agent',
    'A password is the second wall and not the first.',
    ['redis-agent audit --check NET01', 'ss -ltn'],
  ),
  line('memory-limit', 'maxmemory is set', 'agent', 'Without a limit the kernel chooses what ends.', [
    'redis-cli CONFIG SET maxmemory 2gb',
    'redis-agent audit --check CFG10',
  ]),
  line('persistence', 'RDB and AOF are on', 'agent', 'Each covers a fault that the other does not.', [
    'redis-cli CONFIG SET appendonly yes     # at run time first: in the file alone it empties the server at its next start',
    'redis-cli INFO persistence',
  ]),
  line('monitoring', 'The daemon watches', 'agent', 'What nobody looks at fails unnoticed.', [
    'systemctl enable --now redis-agent',
    'redis-agent status',
  ]),
  line('alerts', 'An alert reached a person', 'agent', 'A channel that was never tried does not work.', [
    'redis-agent alerts test',
  ]),
  line('drill', 'A restore was rehearsed', 'agent', 'Backups are for restoring.', [
    'redis-agent drill latest',
  ]),
  line('failover', 'A failover was tried, where there is a replica', 'person', 'See failover-test.', [
    'redis-agent maintenance show failover-test',
    'redis-agent maintenance skip go-live-failover --why "a single server"',
  ]),
  line(
    'connection',
    'The application’s way to the server was tested',
    'person',
    'From its own host, with its own user.',
    [
      'redis-agent check --connection URL',
      'redis-agent maintenance done go-live-connection --note "which host and user"',
    ],
  ),
];
