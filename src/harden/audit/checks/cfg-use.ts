import { commandTable } from '../../../formats/acl/command-table.ts';
import { parseConfSize } from '../../../formats/conf/judge-value.ts';
import { infoInteger } from '../../../formats/info/parse-info.ts';
import {
  judgeMemoryLimit,
  memoryLimitRule,
  memoryThereIs,
  rightLimit,
} from '../../../redis/seen-by-both/judge-memory-limit.ts';
import { isYes, setting } from '../../facts.ts';
import { check, given, notHere, proofOf, setAndKeep, type Check } from '../check.ts';
import { sources } from '../sources.ts';

const memoryLimit: Check = {
  rule: memoryLimitRule,
  source: sources.eviction,
  judge: (facts) => {
    if (facts.files.value?.sentinel === true) return notHere('a Sentinel has no data');
    const info = facts.server.value?.info;
    const limit = setting(facts, 'maxmemory');
    // INFO says it as well, where CONFIG is not to be had.
    const told = info === undefined ? undefined : infoInteger(info, 'maxmemory');
    if (limit.value === undefined && told === undefined) return given(limit, () => []);
    const bytes = told ?? parseConfSize(limit.value?.value ?? '');
    if (bytes === undefined) return { missing: `${limit.value?.value ?? ''} is no size` };
    const host = info === undefined ? undefined : infoInteger(info, 'total_system_memory');
    const memory = memoryThereIs(host, facts.host.value?.memory);
    const right = rightLimit(memory);
    return {
      violations: judgeMemoryLimit({ maxmemory: bytes, memory }).map((found) => ({
        ...found,
        remedy: facts.mode === 'files' ? `write maxmemory ${right}` : found.remedy,
        effect: 'run time' as const,
        proof: limit.value === undefined ? 'INFO memory' : proofOf('maxmemory', limit.value),
        place: limit.value?.place,
      })),
    };
  },
};

const policy: Check = check(
  'CFG11',
  {
    severity: 'high',
    title: 'a queue whose jobs may be evicted',
    why: 'With any policy but noeviction the server drops keys when memory is short: jobs vanish without an error.',
    source: sources.eviction,
  },
  (facts) =>
    given(setting(facts, 'maxmemory-policy'), (value) => {
      if (facts.role !== 'queue' && facts.role !== 'durable')
        return notHere('the instance is no queue (role: of the configuration)');
      return value.value.toLowerCase() === 'noeviction'
        ? []
        : [
            {
              resource: 'maxmemory-policy',
              summary: `maxmemory-policy is ${value.value}, and the role is ${facts.role}: data is dropped when memory is short`,
              remedy: setAndKeep(facts, 'maxmemory-policy', 'noeviction'),
              effect: 'run time',
              proof: proofOf('maxmemory-policy', value),
              place: value.place,
            },
          ];
    }),
);

const bufferLimits: Check = check(
  'CFG13',
  {
    severity: 'warning',
    title: 'slow subscribers or replicas may take all memory',
    why: 'A client that does not read has its answers kept in the server’s memory; a limit of 0 keeps all of them.',
    source: sources.clients,
  },
  (facts) =>
    given(setting(facts, 'client-output-buffer-limit'), (value) => {
      const classes = [...value.value.matchAll(/(slave|replica|pubsub)\s+(\S+)\s+(\S+)\s+(\d+)/gi)];
      return classes
        .filter(
          ([, , hard, soft]) =>
            Number.parseInt(hard ?? '', 10) === 0 && Number.parseInt(soft ?? '', 10) === 0,
        )
        .map(([, name = '']) => ({
          resource: name.toLowerCase() === 'slave' ? 'replica' : name.toLowerCase(),
          summary: `client-output-buffer-limit ${name} is 0: no bound on what is kept for one that does not read`,
          remedy: `CONFIG SET client-output-buffer-limit "${/pubsub/i.test(name) ? 'pubsub 32mb 8mb 60' : 'replica 256mb 64mb 60'}", and the same into the file`,
          effect: 'run time' as const,
          proof: proofOf('client-output-buffer-limit', value),
          place: value.place,
        }));
    }),
);

const writableReplica: Check = check(
  'CFG15',
  {
    severity: 'high',
    title: 'a replica that takes writes',
    why: 'What is written there is on no other server and is gone with the next full synchronisation.',
    source: sources.replication,
  },
  (facts) =>
    given(setting(facts, 'replica-read-only'), (value) =>
      isYes(value.value)
        ? []
        : [
            {
              resource: 'replica-read-only',
              summary: 'replica-read-only is no: writes to the replica are lost',
              remedy: setAndKeep(facts, 'replica-read-only', 'yes'),
              effect: 'run time',
              proof: proofOf('replica-read-only', value),
              place: value.place,
            },
          ],
    ),
);

const userData: Check = check(
  'CFG16',
  {
    severity: 'info',
    title: 'user data may come into the log',
    why: 'A crash report holds the command that was running, with its arguments.',
    source: sources.config,
  },
  (facts) =>
    given(setting(facts, 'hide-user-data-from-log'), (value) =>
      isYes(value.value)
        ? []
        : [
            {
              resource: 'hide-user-data-from-log',
              summary: 'hide-user-data-from-log is no: a crash report holds keys and values',
              remedy: setAndKeep(facts, 'hide-user-data-from-log', 'yes'),
              effect: 'run time',
              proof: proofOf('hide-user-data-from-log', value),
              place: value.place,
            },
          ],
    ),
);

const renamed: Check = check(
  'ACL19',
  {
    severity: 'info',
    title: 'rename-command is in use',
    why: 'It is deprecated, breaks tools that need the command, and whoever reads the file knows the new name. ACLs do the same for each user.',
    source: sources.acl,
  },
  (facts) =>
    given(facts.files, ({ entries }) =>
      entries
        .filter(({ name }) => name === 'rename-command')
        .map(({ values: [from = '', to = ''], place }) => ({
          resource: from.toUpperCase(),
          severity:
            to === '' && needed[from.toLowerCase()] !== undefined ? ('warning' as const) : ('info' as const),
          summary: `${from.toUpperCase()} is ${to === '' ? 'taken away' : 'renamed'} for everybody${lostBy(from, to)}`,
          remedy: `take the line out and use ACLs instead: ACL SETUSER app -${commandTable(facts.engine).categories.has(from.toLowerCase()) ? from.toLowerCase() : 'COMMAND'}; while it stands, tell the agent by renamed: of the instance`,
          effect: 'restart' as const,
          proof: 'read in the file',
          place,
        })),
    ),
);

/** What no longer works from inside without the command. */
const needed: Record<string, string> = {
  bgsave: 'no backup can be taken',
  config: 'nothing can be compared or changed at run time, and backups do not find the dump',
  acl: 'users can neither be seen nor changed',
  psync: 'no replica can be attached',
  info: 'nothing can be watched',
  shutdown: 'the service cannot be stopped cleanly by its clients',
  bgrewriteaof: 'the AOF cannot be made smaller',
  slowlog: 'slow commands cannot be seen',
};

function lostBy(from: string, to: string): string {
  const what = needed[from.toLowerCase()];
  return what === undefined || to !== '' ? '' : `: ${what}`;
}

export const cfgUseChecks: readonly Check[] = [
  memoryLimit,
  policy,
  bufferLimits,
  writableReplica,
  userData,
  renamed,
];
