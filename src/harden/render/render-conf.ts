import type { EngineVersion } from '../../formats/conf/engine.ts';
import { bindFor, nameFor } from '../../formats/conf/values.ts';
import { valueFor } from '../accept.ts';
import type { Policy, Wish } from '../policy.ts';

export interface RenderOptions {
  policy: Policy;
  engine: EngineVersion;
  /** Bytes of memory that shares are of. */
  memory: number;
  /** What it is run beside. */
  with: 'sentinel' | 'cluster' | undefined;
  port: number;
  /** Folders and files as the distribution has them. */
  places: { data: string; conf: string; log: string };
  /** What a replica logs in with at its master, as the user replica; where it is run beside something. */
  masterauth: string | undefined;
  /** A container logs to its standard output, and its network is its own. */
  container: boolean;
}

/** A complete, commented redis.conf for a host that has none yet. */
export function renderConf(options: RenderOptions): string {
  const { policy, engine, places, container } = options;
  const lines = [
    `# ${engine.engine} ${engine.version}, policy ${policy.name}: ${policy.summary}.`,
    '# Written by redis-agent harden render. A comment is a line of its own: behind a value it would be a part of it.',
    '',
    '# Where it is and where its data lies.',
    `port ${options.port}`,
    ...(container ? [] : [`dir ${places.data}`, `logfile ${places.log}`]),
    ...(container ? ['# The container’s /data, and its log on standard output.', 'dir /data'] : []),
    ...(container ? [] : ['# Its unit tells systemd when it is ready.', 'supervised auto', 'daemonize no']),
    '',
    '# Users stand in a file of their own; what it says of default wins over requirepass.',
    `aclfile ${places.conf}/users.acl`,
    '',
  ];
  for (const wish of policy.wishes) lines.push(...directive(wish, options));
  if (options.masterauth !== undefined)
    lines.push(
      '# As whom it logs in at its master: each of them may become a replica, so all have the same.',
      'masteruser replica',
      `masterauth ${options.masterauth}`,
      '',
    );
  if (options.with === 'sentinel')
    lines.push(
      ...beside('Sentinel', 'replica-priority 100'),
      '# On a replica, before its first start; Sentinel writes this line from then on.',
      `# replicaof MASTER ${options.port}`,
      '',
    );
  if (options.with === 'cluster')
    lines.push(
      ...beside(
        'A cluster',
        'cluster-enabled yes',
        'cluster-config-file nodes.conf',
        'cluster-node-timeout 15000',
      ),
    );
  return `${lines.join('\n').trimEnd()}\n`;
}

function directive(wish: Wish, { engine, memory, container }: RenderOptions): string[] {
  const known = nameFor(wish.name, engine);
  if (known === undefined || wish.name === 'aclfile') return [];
  const { name } = known;
  const values = wish.value.map((value) => {
    if (name !== 'bind') return valueFor(value, memory) ?? value;
    // Within a container only the port that is published leads to it.
    return container ? '0.0.0.0' : bindFor(value, engine);
  });
  return [`# ${wish.reason}`, ...values.map((value) => `${name} ${value === '' ? '""' : value}`), ''];
}

function beside(what: string, ...lines: string[]): string[] {
  return [`# ${what} looks after who is the master.`, ...lines, ''];
}

/** What the kernel is to do, as a file of /etc/sysctl.d. */
export function renderSysctl(): string {
  return [
    '# Written by redis-agent harden render; load it with: sysctl --system',
    '# Without it a snapshot fails as soon as the data is larger than the memory that is free.',
    'vm.overcommit_memory = 1',
    '# As many connections may wait as tcp-backlog of redis.conf says.',
    'net.core.somaxconn = 1024',
    '',
  ].join('\n');
}

export interface UnitOptions {
  unit: string;
  places: { data: string; conf: string; log: string };
  /** Seconds that the data takes to load. */
  loadSeconds: number | undefined;
}

/** A drop-in for the unit: a sandbox, room for connections, and time to load. */
export function renderDropIn({ unit, places, loadSeconds }: UnitOptions): string {
  const log = places.log.replace(/\/[^/]*$/, '');
  const wait = Math.max(300, Math.ceil((loadSeconds ?? 0) * 3));
  return [
    `# /etc/systemd/system/${unit}.d/redis-agent.conf, then: systemctl daemon-reload; it counts from the next start.`,
    '[Service]',
    '# A server that is loading is not ready; killed meanwhile it would begin anew for ever.',
    `TimeoutStartSec=${wait}`,
    'LimitNOFILE=65535',
    'UMask=0077',
    'LimitCORE=0',
    'NoNewPrivileges=yes',
    'CapabilityBoundingSet=',
    'ProtectSystem=strict',
    `ReadWritePaths=-${places.data} -${log} -${places.conf}`,
    'ProtectHome=yes',
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectKernelTunables=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelLogs=yes',
    'ProtectControlGroups=yes',
    'ProtectClock=yes',
    'ProtectHostname=yes',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'LockPersonality=yes',
    'MemoryDenyWriteExecute=yes',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    '',
  ].join('\n');
}

/** A service of a compose file for the same configuration. `owner`: `999:999`, whose the files beside it are. */
export function renderCompose({ engine, version }: EngineVersion, memory: number, owner: string): string {
  const limit = `${Math.max(64, Math.floor(memory / 2 ** 20))}m`;
  const line = version.split('.').slice(0, 2).join('.');
  const image = engine === 'valkey' ? `valkey/valkey:${line}` : `redis:${line}`;
  return [
    `# It runs as ${owner}, whose conf and data beside this file are: chown -R ${owner} conf data, after a copy.`,
    '# The folder and not the file is mounted: a file could not be replaced.',
    'services:',
    '  redis:',
    `    image: ${image}`,
    `    user: "${owner}"`,
    `    command: [${engine}-server, /etc/redis/redis.conf]`,
    '    volumes:',
    '      - ./conf:/etc/redis',
    '      - ./data:/data',
    '    ports:',
    '      # Docker publishes past the firewall: name an address.',
    '      - "127.0.0.1:6379:6379"',
    `    mem_limit: ${limit}`,
    '    read_only: true',
    '    cap_drop: [ALL]',
    '    security_opt: ["no-new-privileges:true"]',
    '    stop_grace_period: 2m',
    '    restart: unless-stopped',
    '',
  ].join('\n');
}
