import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findServers, parseTitle, type FoundServers } from '../../../../src/redis/process/find-servers.ts';
import {
  parseConnections,
  parseTcpTable,
  parseUnixTable,
} from '../../../../src/redis/process/proc-sockets.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

/** What proc(5) shows of a process; test/integration/redis/process/find-servers.test.ts looks at real ones. */
interface Process {
  comm?: string;
  cmdline?: string;
  parent?: number;
  cgroup?: string;
  /** Its network namespace; ours is net:[1]. Undefined: not to be seen. */
  network?: string;
  /** Inodes of its sockets; undefined: not to be seen. */
  sockets?: number[];
  tcp?: string;
  unix?: string;
}

function find(processes: Record<number, Process>): Promise<FoundServers> {
  const proc = makeTempFolder();
  onTestFinished(() => removeTempFolder(proc));
  mkdirSync(join(proc, 'self/ns'), { recursive: true });
  symlinkSync('net:[1]', join(proc, 'self/ns/net'));
  for (const [pid, process] of Object.entries(processes)) {
    const folder = join(proc, pid);
    mkdirSync(join(folder, 'net'), { recursive: true });
    const {
      comm = 'redis-server',
      parent = 1,
      cgroup = '0::/',
      network,
      sockets,
      tcp = '',
      unix = '',
    } = process;
    writeFileSync(join(folder, 'comm'), `${comm}\n`);
    writeFileSync(join(folder, 'stat'), `${pid} (a ) b) S ${parent} 1 1`);
    writeFileSync(join(folder, 'cmdline'), `${process.cmdline ?? `${comm} *:6379`}\0\0\0`);
    writeFileSync(join(folder, 'cgroup'), `${cgroup}\n`);
    writeFileSync(join(folder, 'net/tcp'), tcp);
    writeFileSync(join(folder, 'net/unix'), unix);
    if (network !== undefined) {
      mkdirSync(join(folder, 'ns'));
      symlinkSync(network, join(folder, 'ns/net'));
    }
    if (sockets === undefined) continue;
    mkdirSync(join(folder, 'fd'));
    for (const inode of sockets) symlinkSync(`socket:[${inode}]`, join(folder, 'fd', String(inode)));
  }
  return findServers({ proc });
}

const loopback = { host: '127.0.0.1', port: 6379 };

test('servers, and neither their children nor other processes', async () => {
  const { servers, passedOver } = await find({
    10: { cgroup: '0::/system.slice/system-redis.slice/redis-server@6379.service' },
    11: { parent: 10, cmdline: 'redis-rdb-bgsave *:6379' },
    12: { comm: 'valkey-server', cmdline: '/usr/bin/valkey-server ::1:6380 [cluster]' },
    13: { comm: 'bash', cmdline: 'bash -c redis-server' },
  });
  expect(servers).toEqual([
    { pid: 10, program: 'redis-server', addresses: [loopback], unit: 'redis-server@6379.service' },
    { pid: 12, program: 'valkey-server', addresses: [{ host: '::1', port: 6380 }], unit: undefined },
  ]);
  expect(passedOver).toEqual([]);
});

test('says why one is passed over', async () => {
  const docker = '0::/system.slice/docker-0123.scope';
  const { servers, passedOver } = await find({
    20: { cmdline: 'redis-server *:26379 [sentinel]' },
    21: { network: 'net:[2]' },
    22: { cgroup: docker },
    23: { cgroup: docker, network: 'net:[1]' },
    24: { cmdline: '/usr/bin/redis-server /etc/redis/redis.conf' },
  });
  expect(servers.map(({ pid }) => pid)).toEqual([23]);
  expect(passedOver).toEqual([
    { pid: 20, why: 'it is a sentinel, which holds no data' },
    { pid: 21, why: 'it runs in a container with a network of its own' },
    { pid: 22, why: 'it runs in a container with a network of its own' },
    { pid: 24, why: 'where it listens cannot be seen' },
  ]);
});

test.each([
  ['0::/system.slice/redis-server.service', 'redis-server.service'],
  ['12:pids:/x\n1:name=systemd:/system.slice/valkey.service\n0::/', 'valkey.service'],
  ['0::/user.slice/user-1000.slice/user@1000.service/app.slice/redis.service', undefined],
  ['0::/system.slice/cron.service', undefined],
  ['0::/', undefined],
])('the unit in %j', async (cgroup, unit) => {
  const { servers } = await find({ 30: { cgroup } });
  expect(servers[0]?.unit).toBe(unit);
});

const listen = (address: string, inode: number): string =>
  `   0: ${address} 00000000:0000 0A 00000000:00000000 00:00000000 00000000   102        0 ${inode} 1 0 100 0 0 10 0\n`;

test('servers of our network share one look at what listens there, those of an unknown one have their own', async () => {
  const cmdline = 'redis-server';
  const tcp = listen('0100007F:18EB', 1) + listen('0100007F:18EC', 2);
  const { servers } = await find({
    50: { cmdline, network: 'net:[1]', sockets: [1], tcp },
    // Were its own table read, it would listen nowhere.
    51: { cmdline, network: 'net:[1]', sockets: [2], tcp: '' },
    52: { cmdline, sockets: [1], tcp: listen('0100007F:18ED', 1) },
  });
  expect(servers.map(({ pid, addresses }) => [pid, addresses])).toEqual([
    [50, [loopback]],
    [51, [{ host: '127.0.0.1', port: 6380 }]],
    [52, [{ host: '127.0.0.1', port: 6381 }]],
  ]);
});

test('a path with a blank is cut in the title, and whole among the sockets', async () => {
  const unix = '0000000000000000: 00000002 00000000 00010000 0001 01 7 /run/my redis.sock\n';
  const cmdline = 'redis-server unixsocket:/run/my redis.sock';
  const { servers } = await find({ 40: { cmdline, sockets: [7], unix }, 41: { cmdline } });
  expect(servers.map(({ addresses }) => addresses)).toEqual([
    [{ socket: '/run/my redis.sock' }],
    [{ socket: '/run/my' }],
  ]);
});

test('the sockets say where, when the title does not or names the outer address', async () => {
  // 6379, and 16379 the cluster bus; 10.0.0.5 first.
  const tcp =
    listen('0500000A:18EB', 1) +
    listen('0100007F:18EB', 2) +
    listen('0100007F:3FFB', 3) +
    listen('0100007F:0050', 9);
  const { servers } = await find({
    40: { cmdline: 'redis-server 10.0.0.5:6379', sockets: [1, 2, 3], tcp },
    41: { cmdline: '/usr/bin/redis-server /etc/redis.conf', sockets: [1, 3], tcp },
  });
  expect(servers.map(({ addresses }) => addresses)).toEqual([
    [loopback],
    [
      { host: '10.0.0.5', port: 6379 },
      { host: '127.0.0.1', port: 16_379 },
    ],
  ]);
});

describe('titles', () => {
  test.each([
    ['redis-server 127.0.0.1:6379', loopback],
    ['/usr/bin/redis-server *:6379 [cluster]', { host: '0.0.0.0', port: 6379 }],
    ['redis-server -::*:7000', { host: '0.0.0.0', port: 7000 }],
    ['redis-server -10.1.2.3:7000', { host: '10.1.2.3', port: 7000 }],
    ['redis-server cache.internal:7000', { host: 'cache.internal', port: 7000 }],
    ['redis-server unixsocket:/run/redis.sock', { socket: '/run/redis.sock' }],
    ['redis-server unixsocket:redis.sock', undefined],
    ['redis-server *:0', undefined],
    ['redis-server *:65536', undefined],
    ['redis-server', undefined],
    ['redis-server\0/etc/redis.conf\0--port\x006380\0', undefined],
    ['', undefined],
  ])('%j', (title, address) => {
    expect(parseTitle(title)).toEqual({ address, sentinel: false });
  });

  test.each(['redis-server *:26379 [sentinel]', 'redis-server\0s.conf\0--sentinel'])(
    'a sentinel: %j',
    (title) => {
      expect(parseTitle(title).sentinel).toBe(true);
    },
  );
});

test('the kernel’s tables: only what listens, in readable form', () => {
  const head =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
  const connected = listen('0100007F:18EB', 7).replace(' 0A ', ' 01 ');
  expect(parseTcpTable(head + connected + listen('00000000000000000000000001000000:18EB', 8))).toEqual([
    { inode: '8', uid: 102, address: { host: '::1', port: 6379 } },
  ]);
  const unix = [
    'Num       RefCount Protocol Flags    Type St Inode Path',
    '0000000000000000: 00000002 00000000 00010000 0001 01 11 /run/with blank.sock',
    '0000000000000000: 00000003 00000000 00000000 0001 03 12 /run/connected.sock',
    '0000000000000000: 00000002 00000000 00010000 0001 01 13 @abstract',
    '0000000000000000: 00000002 00000000 00010000 0001 01 14',
  ];
  expect(parseUnixTable(unix.join('\n'))).toEqual([
    { inode: '11', address: { socket: '/run/with blank.sock' } },
  ]);
});

test('connections by the other end, as servers write it; what listens is none', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000   106        0 24563 1
   1: 0100007F:18EB 0200000A:A21E 01 00000000:00000000 02:00000411 00000000   106        0 24570 2
`;
  expect(parseConnections(table)).toEqual([
    { remote: '10.0.0.2:41502', local: '127.0.0.1:6379', inode: '24570' },
  ]);
  const six = (from: string): string =>
    `   1: 00000000000000000000000001000000:18EB ${from}:A21E 01 00000000:00000000 02:0 0 106 0 7 1`;
  expect(parseConnections(six('00000000000000000000000001000000'))).toMatchObject([
    { remote: '[::1]:41502', local: '[::1]:6379' },
  ]);
  // What an IPv6 socket sees of IPv4.
  expect(parseConnections(six('0000000000000000FFFF00000200000A'))).toMatchObject([
    { remote: '10.0.0.2:41502' },
  ]);
});
