import { parseEngine, type EngineVersion } from '../../../src/formats/conf/engine.ts';
import { parseInfo } from '../../../src/formats/info/parse-info.ts';
import {
  seen,
  type AuditFacts,
  type HostFacts,
  type PathFacts,
  type ServerFacts,
} from '../../../src/harden/facts.ts';
import { gatherFileFacts } from '../../../src/harden/read/gather-files.ts';
import { usersOfList } from '../../../src/harden/read/read-users.ts';

export const now = Date.parse('2026-11-29T10:00:00Z');

function engineNamed(name: string): EngineVersion {
  const engine = parseEngine(name);
  if (engine === undefined) throw new Error(`${name} is no engine`);
  return engine;
}

/** The facts of a redis.conf, as --conf has them. */
export function fileFacts(text: string, engine = 'redis-7.0', changes: Partial<AuditFacts> = {}): AuditFacts {
  const facts = gatherFileFacts('/etc/redis/redis.conf', {
    engine: engineNamed(engine),
    source: Buffer.from(text),
    name: 'redis.conf',
    now,
    memory: 8 * 2 ** 30,
  });
  return { ...facts, ...changes };
}

const path = (name: string, changes: Partial<PathFacts> = {}): PathFacts => ({
  path: name,
  mode: 0o640,
  uid: 100,
  gid: 100,
  owner: 'redis:redis',
  symlink: false,
  mountPoint: false,
  device: 1,
  ...changes,
});

export const pathFacts = path;

export interface ServerChanges {
  engine?: string;
  role?: AuditFacts['role'];
  info?: string;
  config?: Record<string, string>;
  users?: string[];
  server?: Partial<ServerFacts>;
  host?: Partial<HostFacts>;
  unit?: Record<string, string>;
  /** Its file. */
  file?: string;
  stats?: PathFacts[];
  agent?: Partial<AuditFacts['agent']>;
  now?: number;
  lastSeen?: Map<string, number>;
}

const soundUsers = [
  'user default off sanitize-payload resetchannels ~* &* +@all',
  `user app on #${'a'.repeat(64)} resetchannels &app:* ~app:* -@all +@read +@write +@connection -@dangerous +info`,
  `user redis-agent on #${'b'.repeat(64)} resetchannels -@all +ping +info`,
];

/** A server that nothing is wrong with, but for the changes. */
export function serverFacts(changes: ServerChanges = {}): AuditFacts {
  const engine = engineNamed(changes.engine ?? 'redis-7.0.15');
  const config = new Map(
    Object.entries({
      bind: '127.0.0.1 -::1',
      port: '6379',
      'tls-port': '0',
      'protected-mode': 'yes',
      appendonly: 'yes',
      save: '3600 1',
      maxmemory: String(4 * 2 ** 30),
      'maxmemory-policy': 'noeviction',
      maxclients: '10000',
      'tcp-backlog': '511',
      dir: '/var/lib/redis',
      dbfilename: 'dump.rdb',
      databases: '16',
      unixsocket: '',
      unixsocketperm: '0',
      'cluster-enabled': 'no',
      'stop-writes-on-bgsave-error': 'yes',
      'replica-read-only': 'yes',
      'client-output-buffer-limit': 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60',
      ...changes.config,
    }),
  );
  const files =
    changes.file === undefined
      ? undefined
      : fileFacts(changes.file, changes.engine ?? 'redis-7.0.15').files.value;
  const server: ServerFacts = {
    info: parseInfo(`role:master\nused_memory:1000\n${changes.info ?? ''}`),
    config: seen(config),
    users: seen(usersOfList(changes.users ?? soundUsers, engine)),
    dryrun: { absent: 'not asked' },
    modules: seen([]),
    clients: seen(new Map()),
    aclLog: seen([]),
    unauthenticated: seen('noauth'),
    certificate: { absent: 'no TLS' },
    cluster: { absent: 'cluster mode is off' },
    watched: seen(false),
    peers: { absent: 'it has no replica and is none' },
    ...changes.server,
  };
  const host: HostFacts = {
    pid: 1,
    uid: seen(100),
    unit: seen({
      id: 'redis-server.service',
      properties: new Map(
        Object.entries({
          Type: 'notify',
          UMask: '0077',
          TimeoutStartUSec: 'infinity',
          ProtectSystem: 'strict',
          ProtectHome: 'yes',
          NoNewPrivileges: 'yes',
          PrivateTmp: 'yes',
          ...changes.unit,
        }),
      ),
    }),
    openFiles: seen(65_536),
    sockets: seen(['127.0.0.1:6379']),
    addresses: ['127.0.0.1', '::1', '10.0.0.5'],
    replaced: seen(false),
    overcommit: seen('1'),
    hugePages: seen('madvise'),
    somaxconn: seen(4096),
    memory: 8 * 2 ** 30,
    passwordsInArguments: seen([]),
    dataDir: seen(path('/var/lib/redis', { mode: 0o750 })),
    socket: { absent: 'there is no unix socket' },
    keyFile: { absent: 'there is no TLS key' },
    container: false,
    package: { absent: 'it was not installed by a package' },
    ...changes.host,
  };
  return {
    instance: 'main',
    now: changes.now ?? now,
    mode: 'server',
    engine,
    engineKnown: true,
    role: changes.role,
    server: seen(server),
    files: files === undefined ? { absent: 'no file' } : seen({ ...files, stats: changes.stats ?? [] }),
    host: seen(host),
    agent: {
      username: 'redis-agent',
      passwordMark: 'mark',
      samePassword: [],
      repository: seen({ type: 'filesystem', device: 2, encrypted: true, path: '/backup' }),
      staff: [],
      ...changes.agent,
    },
    lastSeen: changes.lastSeen ?? new Map(),
    certificateDays: { warning: 21, critical: 3 },
  };
}
