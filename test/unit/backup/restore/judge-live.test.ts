import { describe, expect, test } from 'vitest';
import { judgeLive, type LiveFacts } from '../../../../src/backup/restore/judge-live.ts';
import { canLoad } from '../../../../src/backup/restore/judge-rdb-version.ts';

const mib = 1024 * 1024;

type Overrides = {
  [Part in 'server' | 'missing' | 'disk' | 'backup' | 'nextStart']?: Partial<NonNullable<LiveFacts[Part]>>;
};

function facts(
  { server, missing, backup, disk, nextStart }: Overrides = {},
  memory: number | undefined = 4096 * mib,
): LiveFacts {
  return {
    server: {
      engine: 'redis',
      version: '7.0.15',
      role: 'master',
      loading: false,
      cluster: false,
      failingOver: false,

      databases: 16,
      usedMemory: 100 * mib,
      maxmemory: 0,
      policy: 'noeviction',
      minReplicas: 0,
      replicas: 0,
      sentinels: 0,
      user: 'agent',
      here: true,
      confined: undefined,
      ...server,
    },
    missing: { rules: [], commands: [], ...missing },
    memory,
    nextStart: {
      now: '/data/dump.rdb',
      next: '/data/dump.rdb',
      problem: undefined,
      master: undefined,
      databases: undefined,
      ...nextStart,
    },
    disk: disk === undefined ? undefined : { folder: '/data', free: 0, ...disk },
    backup: {
      kind: 'rdb',
      unread: null,
      bytes: 500 * mib,
      usedMemory: 1000 * mib,
      rdb: { engine: 'redis', version: 10 },
      highestDatabase: 0,
      modules: [],
      oddEntries: 0,
      staleStreams: 0,
      ...backup,
    },
  };
}

describe('a live restore', () => {
  test('of a likely backup into a likely server', () => {
    expect(judgeLive(facts())).toEqual({
      mode: 'swapdb',
      guards: [],
      notes: [expect.stringMatching(/^meanwhile the server refuses writes/)],
    });
  });

  test.each<[name: string, Overrides]>([
    ['elsewhere', { server: { here: false } }],
    ['loading', { server: { loading: true } }],
    ['replica', { server: { role: 'replica' } }],
    ['cluster', { server: { cluster: true } }],
    ['failover', { server: { failingOver: true } }],
    ['renamed', { missing: { commands: ['REPLICAOF'] } }],
    ['rights', { missing: { rules: ['+replicaof'] } }],
    ['newer-rdb', { backup: { rdb: { engine: 'redis', version: 11 } } }],
    ['replica', { nextStart: { master: '10.0.0.1' } }],
    ['databases', { nextStart: { databases: 1 }, backup: { highestDatabase: 1 } }],
    ['next-start', { nextStart: { next: '/data/appendonlydir/appendonly.aof' } }],
    ['unread', { backup: { unread: 'a value of type 99' } }],
    ['modules', { backup: { modules: ['ReJSON-RL'] } }],
    ['listpacks', { backup: { oddEntries: 1 } }],
    ['stale-streams', { server: { engine: 'valkey', version: '9.1.2' }, backup: { staleStreams: 1 } }],
    ['databases', { backup: { highestDatabase: 16 } }],
  ])('is refused: %s', (name, overrides) => {
    expect(judgeLive(facts(overrides)).guards).toMatchObject([{ name, allowable: false }]);
  });

  test.each<[name: string, Overrides]>([
    ['sentinel', { server: { sentinels: 3 } }],
    ['small-maxmemory', { server: { maxmemory: 900 * mib } }],
    ['selinux', { server: { confined: 'redis_t' } }],
    ['small-maxmemory', { server: { maxmemory: 900 * mib, policy: 'allkeys-lru' } }],
  ])('is guarded, and may be insisted on: %s', (name, overrides) => {
    expect(judgeLive(facts(overrides)).guards).toMatchObject([{ name, allowable: true }]);
  });

  test('says which rights to grant', () => {
    const missing = { rules: ['+replicaof', '+config|set'], commands: [] };
    expect(judgeLive(facts({ missing })).guards[0]?.instead).toContain(
      'ACL SETUSER agent +replicaof +config|set',
    );
  });

  test('takes both data sets into memory where they fit, or the disk, or nothing', () => {
    expect(judgeLive(facts({}, 1100 * mib + 64 * mib))).toMatchObject({ mode: 'swapdb', guards: [] });
    expect(judgeLive(facts({}, 1100 * mib))).toMatchObject({
      mode: 'disabled',
      guards: [],
      notes: [expect.anything(), expect.stringContaining('drops the old one before')],
    });
    const full = facts({ disk: { free: 500 * mib } }, 1100 * mib);
    expect(judgeLive(full)).toMatchObject({ mode: 'disabled', guards: [{ name: 'disk' }] });
    expect(judgeLive(facts({}, 1000 * mib))).toMatchObject({ guards: [{ name: 'memory' }] });
    // Unknown memory is none that can be relied on, and no reason to refuse.
    const unseen = { ...facts(), memory: undefined };
    expect(judgeLive(unseen)).toMatchObject({ mode: 'disabled', guards: [] });
  });

  test('tells what replicas go through', () => {
    const { notes } = judgeLive(facts({ server: { replicas: 2, minReplicas: 1 } }));
    expect(notes.slice(1)).toEqual([
      'its 2 replicas copy the new data from it afterwards',
      'it refuses writes until 1 replica has done so (min-replicas-to-write)',
    ]);
  });
});

test.each([
  ['redis', '6.0.16', 'redis', 9, true],
  ['redis', '6.2.7', 'redis', 10, false],
  ['redis', '7.0.15', 'redis', 10, true],
  ['redis', '7.2.1', 'redis', 11, true],
  ['redis', '7.2.1', 'redis', 12, false],
  ['redis', '7.4.0', 'redis', 12, true],
  ['redis', '8.0.2', 'redis', 12, true],
  ['redis', '8.0.2', 'redis', 13, false],
  ['redis', '8.0.2', 'valkey', 80, false],
  ['valkey', '8.1.1', 'redis', 11, true],
  ['valkey', '8.1.1', 'redis', 12, false],
  ['valkey', '8.1.1', 'valkey', 80, false],
  ['valkey', '9.1.2', 'valkey', 80, true],
  ['valkey', '9.1.2', 'redis', 9, true],
  ['valkey', '9.1.2', 'redis', 12, false],
] as const)('%s %s and RDB %s %i: %s', (engine, version, origin, rdb, expected) => {
  expect(canLoad({ engine, version }, { engine: origin, version: rdb })).toBe(expected);
});
