import { expect, test } from 'vitest';
import { checks } from '../../../../src/harden/audit/checks/index.ts';
import { seen, type AuditFacts } from '../../../../src/harden/facts.ts';
import { usersOfList } from '../../../../src/harden/read/read-users.ts';
import { fileFacts, now, pathFacts, serverFacts } from '../../../support/data/audit-facts.ts';

const hash = 'a'.repeat(64);
const off = 'user default off ~* &* +@all';
const day = 86_400_000;
const certificate = (changes: object) =>
  seen({
    validTo: now + 90 * day,
    subject: 'CN=redis',
    served: 'A',
    file: 'A',
    path: '/c.pem',
    renewed: true,
    ...changes,
  });
const tls = {
  'tls-port': '6380',
  'tls-auth-clients': 'yes',
  'tls-protocols': 'TLSv1.2 TLSv1.3',
  'tls-replication': 'yes',
};
const peer = (...lines: string[]) => ({
  instance: 'replica',
  username: 'redis-agent',
  users: seen(usersOfList(lines, { engine: 'redis', version: '7.0.15', docker: false })),
});
const node = (id: string, host: string, master?: string) => ({
  id,
  host,
  flags: master === undefined ? 'master' : 'slave',
  master,
  slots: master === undefined,
});
const cluster = [
  ...['a', 'b', 'c'].map((id) => node(id, `10.0.0.${id}`)),
  ...['a', 'b', 'c'].map((id) => node(`${id}2`, '10.0.1.9', id)),
];
const clustered = { info: 'cluster_enabled:1' };
const sentinel = (text: string): AuditFacts => fileFacts(`port 26379\nrequirepass x\n${text}\n`);
const monitor = 'sentinel monitor m 10.0.0.1 6379 2';
const withAcl = (lines: string[], text = 'requirepass abc\n'): AuditFacts => {
  const facts = fileFacts(text);
  const users = fileFacts(lines.join('\n')).files.value?.users ?? [];
  const files = facts.files.value;
  if (files === undefined) throw new Error('no files');
  return {
    ...facts,
    files: seen({ ...files, aclfile: { path: 'users.acl', users, entries: [], faults: [] } }),
  };
};

/** One that violates it, and one that keeps it. */
const fixtures: Record<string, [bad: AuditFacts, good: AuditFacts]> = {
  NET01: [fileFacts('bind 0.0.0.0\n'), fileFacts('bind 127.0.0.1\n')],
  NET02: [
    serverFacts({ config: { bind: '10.9.9.9' } }),
    serverFacts({ config: { bind: '10.0.0.5 -10.9.9.9' } }),
  ],
  NET03: [fileFacts('protected-mode no\n'), fileFacts('')],
  NET04: [
    fileFacts('bind 10.0.0.5\n', 'redis-6.0'),
    fileFacts('bind 10.0.0.5\nrequirepass x\n', 'redis-6.0'),
  ],
  NET05: [fileFacts('unixsocket /s\nunixsocketperm 777\n'), fileFacts('unixsocket /s\nunixsocketperm 770\n')],
  NET06: [fileFacts('cluster-enabled yes\n'), fileFacts('cluster-enabled yes\ntls-cluster yes\n')],
  NET07: [serverFacts({ host: { somaxconn: seen(128) } }), serverFacts()],
  NET08: [fileFacts('', 'redis-7.2-docker'), fileFacts('bind 127.0.0.1\n', 'redis-7.2-docker')],
  ACL01: [serverFacts({ server: { unauthenticated: seen('pong') } }), serverFacts()],
  ACL02: [withAcl([]), withAcl([off])],
  ACL03: [fileFacts('aclfile /u\nuser a on\n'), fileFacts('aclfile /u\n')],
  ACL04: [fileFacts(`requirepass abc\n${off}\n`), fileFacts('requirepass abc\n')],
  ACL05: [fileFacts('user default off\nappendonly yes\n'), fileFacts(`${off}\nappendonly yes\n`)],
  ACL06: [fileFacts('user a on nopass\n'), fileFacts(`user a on #${hash}\n`)],
  ACL07: [fileFacts(`user a on #${hash} +save +get\n`), fileFacts(`user a on #${hash} +get\n`)],
  ACL08: [fileFacts(`user a on #${hash} +config|set\n`), fileFacts(`user a on #${hash} +config|get\n`)],
  ACL09: [
    fileFacts(`user a on #${hash} +eval\n`, 'redis-7.0', { role: 'cache' }),
    fileFacts(`user a on #${hash} +get\n`, 'redis-7.0', { role: 'cache' }),
  ],
  ACL10: [fileFacts(`user a on #${hash} ~*\n`), fileFacts(`user a on #${hash} ~a:*\n`)],
  ACL11: [fileFacts(`user a on #${hash} &* +subscribe\n`), fileFacts(`user a on #${hash} &a:* +subscribe\n`)],
  ACL12: [fileFacts(`user a on #${hash}\nuser b on #${hash}\n`), fileFacts(`user a on #${hash}\n`)],
  ACL13: [fileFacts('user a on >long-enough-secret\n'), fileFacts(`user a on #${hash}\n`)],
  ACL14: [fileFacts(`user a on #${hash} >other\n`), fileFacts(`user a on #${hash}\n`)],
  ACL15: [
    serverFacts({ users: [off, `user a on #${hash} +get`], file: `${off}\nuser a on #${hash} +set\n` }),
    serverFacts({
      users: [off, `user a on #${hash} resetchannels +get`],
      file: `${off}\nuser a on #${hash} +get\n`,
    }),
  ],
  ACL16: [
    serverFacts({ users: [off, 'user a off'], server: { clients: seen(new Map([['a', 2]])) } }),
    serverFacts({ users: [off, 'user a off'] }),
  ],
  ACL17: [
    serverFacts({
      server: {
        aclLog: seen([
          { user: 'x', reason: 'auth', object: 'AUTH', address: '1.2.3.4:5', count: 40, age: 60 },
        ]),
      },
    }),
    serverFacts(),
  ],
  ACL18: [fileFacts('requirepass abc\n'), fileFacts(`user app on #${hash} +get\n`)],
  ACL19: [fileFacts('rename-command CONFIG ""\n'), fileFacts('')],
  ACL20: [fileFacts('user a on +get\n'), fileFacts('user a off +get\n')],
  ACL21: [
    fileFacts(`user a on #${hash} +info -@dangerous\n`),
    fileFacts(`user a on #${hash} -@dangerous +info\n`),
  ],
  ACL23: [
    serverFacts({ server: { peers: seen([peer('user app on nopass ~* +@all')]) } }),
    serverFacts({
      users: [off, `user app on #${hash} +get`, `user redis-agent on #${hash} +ping`],
      server: {
        peers: seen([peer(off, `user app on #${hash} +get`, `user redis-agent on #${'c'.repeat(64)} +ping`)]),
      },
    }),
  ],
  ACL22: [
    fileFacts(
      `user a on #${hash} +@all -eval -config -module -replicaof -slaveof -migrate -restore -acl -debug\n`,
    ),
    fileFacts(`user a on #${hash} +@read\n`),
  ],
  CFG01: [fileFacts('enable-protected-configs yes\n'), fileFacts('')],
  CFG02: [fileFacts('enable-module-command yes\n'), fileFacts('')],
  CFG03: [fileFacts('enable-debug-command yes\n'), fileFacts('')],
  CFG04: [
    fileFacts(`user a on #${hash} +config\n`, 'redis-6.0'),
    fileFacts('user default off\n', 'redis-6.0'),
  ],
  CFG05: [fileFacts('dir /var/spool/cron/crontabs\ndbfilename root\n'), fileFacts('dir /var/lib/redis\n')],
  CFG06: [
    serverFacts({ server: { modules: seen(['system']) } }),
    serverFacts({ server: { modules: seen(['vectorset']) } }),
  ],
  CFG07: [
    serverFacts({ info: 'role:slave\nmaster_host:1.2.3.4\nmaster_port:1', file: 'port 6379\n' }),
    serverFacts({ info: 'role:slave\nmaster_host:1.2.3.4\nmaster_port:1', file: 'replicaof 1.2.3.4 1\n' }),
  ],
  CFG08: [serverFacts({ file: 'maxmemory 1gb\n' }), serverFacts({ file: 'maxmemory 4gb\n' })],
  CFG09: [fileFacts('timeout 1\ntimeout 2\n'), fileFacts('timeout 1\ntimeout 1\n')],
  CFG10: [fileFacts('maxmemory 0\n'), fileFacts('maxmemory 1gb\n')],
  CFG11: [
    fileFacts('maxmemory-policy allkeys-lru\n', 'redis-7.0', { role: 'queue' }),
    fileFacts('maxmemory-policy noeviction\n', 'redis-7.0', { role: 'queue' }),
  ],
  CFG12: [
    serverFacts({ config: { maxclients: '992' }, file: 'maxclients 10000\n' }),
    serverFacts({ file: 'maxclients 10000\n' }),
  ],
  CFG13: [
    fileFacts('client-output-buffer-limit pubsub 0 0 0\n'),
    fileFacts('client-output-buffer-limit pubsub 32mb 8mb 60\n'),
  ],
  CFG14: [fileFacts('nonsense 1\n'), fileFacts('port 1\n')],
  CFG15: [fileFacts('replica-read-only no\n'), fileFacts('replica-read-only yes\n')],
  CFG16: [
    fileFacts('hide-user-data-from-log no\n', 'redis-8.0'),
    fileFacts('hide-user-data-from-log yes\n', 'redis-8.0'),
  ],
  PER01: [fileFacts('save ""\n'), fileFacts('save 900 1\n')],
  PER02: [fileFacts('save 900 1 300 10\n', 'redis-6.0'), fileFacts('save 900 1\n', 'redis-6.0')],
  PER03: [serverFacts({ file: 'appendonly no\n' }), serverFacts({ file: 'appendonly yes\n' })],
  PER04: [
    serverFacts({ info: 'rdb_last_bgsave_status:err' }),
    serverFacts({ info: 'rdb_last_bgsave_status:ok' }),
  ],
  PER05: [fileFacts('stop-writes-on-bgsave-error no\n'), fileFacts('')],
  PER06: [
    serverFacts({ info: 'db9:keys=1,expires=0', file: 'databases 4\n' }),
    serverFacts({ info: 'db9:keys=1,expires=0', file: 'databases 16\n' }),
  ],
  PER07: [
    serverFacts({ info: 'aof_enabled:1\nunexpected_error_replies:400' }),
    serverFacts({ info: 'aof_enabled:1\nunexpected_error_replies:0' }),
  ],
  TLS01: [fileFacts('bind 0.0.0.0\n'), fileFacts('port 0\ntls-port 6379\n')],
  TLS02: [serverFacts({ config: { ...tls, 'tls-auth-clients': 'no' } }), serverFacts({ config: tls })],
  TLS03: [serverFacts({ config: { ...tls, 'tls-protocols': '' } }), serverFacts({ config: tls })],
  TLS04: [
    serverFacts({ server: { certificate: certificate({ validTo: now + 3 * day }) } }),
    serverFacts({ server: { certificate: certificate({}) } }),
  ],
  TLS05: [
    serverFacts({ info: 'role:slave', config: { ...tls, 'tls-replication': 'no' } }),
    serverFacts({ info: 'role:slave', config: tls }),
  ],
  TLS06: [
    serverFacts({ server: { certificate: certificate({ file: 'B' }) } }),
    serverFacts({ server: { certificate: certificate({}) } }),
  ],
  SEC01: [fileFacts('requirepass ${REDIS_PASSWORD}\n'), fileFacts(`requirepass ${hash}\n`)],
  SEC02: [serverFacts({ agent: { samePassword: ['other'] } }), serverFacts()],
  FIL01: [
    serverFacts({ file: '', stats: [pathFacts('/etc/redis/redis.conf', { mode: 0o644 })] }),
    serverFacts({ file: '', stats: [pathFacts('/etc/redis/redis.conf')] }),
  ],
  FIL02: [serverFacts({ host: { dataDir: seen(pathFacts('/d', { mode: 0o755 })) } }), serverFacts()],
  FIL03: [serverFacts({ file: '', stats: [pathFacts('/c', { symlink: true })] }), serverFacts({ file: '' })],
  FIL04: [
    serverFacts({ file: '', stats: [pathFacts('/c', { mountPoint: true })] }),
    serverFacts({ file: '' }),
  ],
  FIL05: [
    serverFacts({
      config: { 'tls-key-file': '/k' },
      host: { keyFile: seen(pathFacts('/k', { mode: 0o644 })) },
    }),
    serverFacts({ config: { 'tls-key-file': '/k' }, host: { keyFile: seen(pathFacts('/k')) } }),
  ],
  HST01: [serverFacts({ host: { uid: seen(0) } }), serverFacts()],
  HST02: [serverFacts({ unit: { ProtectSystem: 'no', NoNewPrivileges: 'no' } }), serverFacts()],
  HST03: [serverFacts({ unit: { UMask: '0022' } }), serverFacts()],
  HST04: [serverFacts({ host: { openFiles: seen(1024) } }), serverFacts()],
  HST05: [serverFacts({ host: { overcommit: seen('0') } }), serverFacts()],
  HST06: [
    serverFacts({ host: { passwordsInArguments: seen([{ pid: 7, program: 'redis-cli' }]) } }),
    serverFacts(),
  ],
  HST07: [
    serverFacts({ info: `used_memory:${64 * 2 ** 30}`, unit: { TimeoutStartUSec: '1min 30s' } }),
    serverFacts({ info: `used_memory:${64 * 2 ** 30}` }),
  ],
  VER01: [
    serverFacts({ engine: 'redis-7.2.4' }),
    serverFacts({
      engine: 'redis-7.0.15',
      host: {
        package: seen({
          name: 'redis-server',
          version: '5:7.0.15-1',
          distribution: 'Debian',
          fixed: { missing: 'x' },
        }),
      },
    }),
  ],
  VER02: [fileFacts('', 'redis-5.0'), fileFacts('', 'redis-8.2')],
  VER03: [serverFacts({ host: { replaced: seen(true) } }), serverFacts()],
  VER04: [serverFacts({ now: now + 200 * day }), serverFacts()],
  VER05: [serverFacts({ engine: 'valkey-8.0.1' }), serverFacts({ engine: 'valkey-9.1.2' })],
  BAK01: [
    serverFacts({
      agent: { repository: seen({ type: 'filesystem', device: 1, encrypted: true, path: '/b' }) },
    }),
    serverFacts(),
  ],
  BAK02: [
    serverFacts({
      agent: { repository: seen({ type: 's3', device: undefined, encrypted: false, path: undefined }) },
    }),
    serverFacts(),
  ],
  SEN01: [fileFacts(`port 26379\n${monitor}\n`), sentinel(monitor)],
  SEN02: [sentinel(`${monitor}\nsentinel auth-pass m secret`), sentinel(monitor)],
  SEN03: [
    sentinel(
      `${monitor}\nsentinel known-sentinel m 10.0.0.2 26379 a\nsentinel known-sentinel m 10.0.0.2 26379 b`,
    ),
    sentinel(monitor),
  ],
  SEN04: [sentinel('sentinel monitor m 10.0.0.1 6379 1'), sentinel(monitor)],
  SEN05: [
    sentinel(monitor),
    sentinel(`${monitor}\nsentinel down-after-milliseconds m 5000\nsentinel failover-timeout m 10000`),
  ],
  SEN06: [sentinel('sentinel monitor m 127.0.0.1 6379 2'), sentinel(monitor)],
  CLU01: [
    serverFacts({ ...clustered, server: { cluster: seen(cluster.slice(1, 3)) } }),
    serverFacts({ ...clustered, server: { cluster: seen(cluster) } }),
  ],
  CLU02: [
    serverFacts({ ...clustered, server: { cluster: seen(cluster.slice(0, 4)) } }),
    serverFacts({ ...clustered, server: { cluster: seen(cluster) } }),
  ],
  CLU03: [
    serverFacts({
      ...clustered,
      config: { 'cluster-node-timeout': '500' },
      server: { cluster: seen(cluster) },
    }),
    serverFacts({
      ...clustered,
      config: { 'cluster-node-timeout': '15000' },
      server: { cluster: seen(cluster) },
    }),
  ],
  REP01: [
    serverFacts({ info: 'connected_slaves:1', config: { masterauth: '' } }),
    serverFacts({ info: 'connected_slaves:1', config: { masterauth: 'set' } }),
  ],
};

test('there is a fixture for every check', () => {
  expect(Object.keys(fixtures).toSorted()).toEqual(checks.map(({ rule }) => rule.id));
});

test.each(checks.map((check) => [check.rule.id, check] as const))('%s', (id, check) => {
  const [bad, good] = fixtures[id] ?? [];
  if (bad === undefined || good === undefined) throw new Error('no fixture');
  const verdict = check.judge(bad);
  expect(verdict).toMatchObject({
    violations: [expect.objectContaining({ summary: expect.any(String) }), ...rest(verdict)],
  });
  const clean = check.judge(good);
  expect('violations' in clean ? clean.violations : []).toEqual([]);
});

/** The first is enough; the others are whatever they are. */
function rest(verdict: object): unknown[] {
  const all = 'violations' in verdict && Array.isArray(verdict.violations) ? verdict.violations : [];
  return all.slice(1);
}

test('flaws are unknown where the host’s package cannot be seen; of an image without one the version counts', () => {
  const known = checks.find(({ rule }) => rule.id === 'VER01');
  const of = (container: boolean): unknown =>
    known?.judge(
      serverFacts({
        engine: 'redis-7.0.15',
        host: { container, package: { missing: 'which program runs' } },
      }),
    );
  expect(of(false)).toMatchObject({
    violations: [],
    doubts: expect.arrayContaining([expect.stringContaining('which program runs')]) as unknown,
  });
  expect(of(true)).toMatchObject({ violations: expect.arrayContaining([expect.anything()]) as unknown });
});

test('of a line that came after the list nothing is said', () => {
  const known = checks.find(({ rule }) => rule.id === 'VER02');
  for (const engine of ['redis-99.0.0', 'valkey-99.1.2'])
    expect(known?.judge(serverFacts({ engine }))).toEqual({
      violations: [],
      doubts: [expect.stringMatching(/knows lines up to [\d.]+, as of [\d-]+, and not 99\.\d$/)],
    });
});

test('a line without fixes from its makers is high; where a distribution goes on mending it, it is only said', () => {
  const known = checks.find(({ rule }) => rule.id === 'VER02');
  const of = (mended: boolean): unknown =>
    known?.judge(
      serverFacts({
        engine: 'redis-7.0.15',
        host: {
          package: mended
            ? seen({
                name: 'redis-server',
                version: '5:7.0.15-1~deb12u6',
                distribution: 'Debian',
                fixed: seen(new Set<string>()),
              })
            : { absent: 'it was not installed by a package' },
        },
      }),
    );
  expect(of(false)).toMatchObject({
    violations: [{ severity: 'high', summary: 'redis 7.0 gets no fixes from its makers' }],
  });
  expect(of(true)).toMatchObject({
    violations: [
      {
        severity: 'info',
        summary: 'redis 7.0 gets no fixes from its makers; Debian still mends 5:7.0.15-1~deb12u6',
        remedy: expect.stringContaining('before the distribution’s support ends') as unknown,
      },
    ],
  });
});
