import { readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { listeningSockets, readListeners, type Listener, type ServerAddress } from './proc-sockets.ts';
import { findServerPids } from './server-pids.ts';

export type { ServerAddress } from './proc-sockets.ts';

/** A server process of this host. */
export interface FoundServer {
  pid: number;
  /** `redis-server` or `valkey-server`. */
  program: string;
  /** Where it can be reached from this host, the likeliest first; from outside, TLS looks like plain TCP. */
  addresses: ServerAddress[];
  /** The system unit that it runs in, where its name says that it is a server's. */
  unit: string | undefined;
}

/** A process that looks like a server and is none that can be looked after from here. */
export interface PassedOver {
  pid: number;
  why: string;
}

export interface FoundServers {
  servers: FoundServer[];
  passedOver: PassedOver[];
}

/**
 * Looks for servers among this host's processes. Opens no connection. What it may not see (another user's descriptors)
 * is left out, so root sees more. `proc` is where proc(5) is mounted.
 */
export async function findServers({ proc = '/proc' }: { proc?: string } = {}): Promise<FoundServers> {
  const all = await Promise.all(findServerPids(proc).map((pid) => look(proc, pid)));
  const seen = all.filter((one) => one !== undefined);
  const own = new Set(seen.map(({ pid }) => pid));
  // A child that saves or rewrites has its parent's name.
  const parents = seen.filter(({ parent }) => !own.has(parent)).toSorted((a, b) => a.pid - b.pid);
  const network = await readlink(join(proc, 'self/ns/net')).catch(() => undefined);
  const found: FoundServers = { servers: [], passedOver: [] };
  // What listens in our network is read once, and not for each server.
  let ours: Promise<Listener[]> | undefined;
  for (const server of parents) {
    const why = reasonAgainst(server, network);
    const { pid, program, unit } = server;
    const folder = join(proc, String(pid));
    const isOurs = network !== undefined && server.network === network;
    const listeners = isOurs ? () => (ours ??= readListeners(folder)) : undefined;
    const addresses = why === undefined ? await addressesOf(folder, server.title, listeners) : [];
    if (why !== undefined) found.passedOver.push({ pid, why });
    else if (addresses.length > 0) found.servers.push({ pid, program, addresses, unit });
    else found.passedOver.push({ pid, why: 'where it listens cannot be seen' });
  }
  return found;
}

interface ServerProcess {
  pid: number;
  parent: number;
  program: string;
  title: Title;
  unit: string | undefined;
  contained: boolean;
  /** `net:[4026531833]`; undefined when we may not look. */
  network: string | undefined;
}

async function look(proc: string, pid: number): Promise<ServerProcess | undefined> {
  const folder = join(proc, String(pid));
  try {
    const [name, stat, command, cgroup, network] = await Promise.all([
      readFile(join(folder, 'comm'), 'utf8'),
      readFile(join(folder, 'stat'), 'utf8'),
      readFile(join(folder, 'cmdline'), 'utf8'),
      readFile(join(folder, 'cgroup'), 'utf8').catch(() => ''),
      readlink(join(folder, 'ns/net')).catch(() => undefined),
    ]);
    // Field 4, after the name in parentheses, which may itself hold spaces and parentheses.
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    const contained = /docker|containerd|kubepods|libpod|lxc/.test(cgroup);
    return {
      pid,
      parent,
      program: name.trim(),
      title: parseTitle(command),
      unit: unitOf(cgroup),
      contained,
      network,
    };
  } catch {
    // It has ended meanwhile, or is hidden from us.
    return undefined;
  }
}

function reasonAgainst(server: ServerProcess, ours: string | undefined): string | undefined {
  if (server.title.sentinel) return 'it is a sentinel, which holds no data';
  const elsewhere = server.network === undefined ? server.contained : server.network !== ours;
  return elsewhere ? 'it runs in a container with a network of its own' : undefined;
}

export interface Title {
  address: ServerAddress | undefined;
  sentinel: boolean;
}

/**
 * What a server makes of its command line: `redis-server 127.0.0.1:6379`, `… *:6379 [cluster]`,
 * `… unixsocket:/run/redis.sock` (6.2+; `*:0` before). proc-title-template and set-proc-title can change it.
 */
export function parseTitle(command: string): Title {
  const [, ...words] = command.split(/[\0 ]+/).filter(Boolean);
  const sentinel = words.includes('[sentinel]') || words.includes('--sentinel');
  for (const word of words) {
    const socket = /^unixsocket:(\/.+)$/.exec(word)?.[1];
    if (socket !== undefined) return { address: { socket }, sentinel };
    const [, host = '', port] = /^-?([0-9a-f.:*]+|[a-z0-9.-]+):(\d{1,5})$/i.exec(word) ?? [];
    if (Number(port) > 0 && Number(port) < 65_536)
      return {
        address: { host: host === '*' || host === '::*' ? '0.0.0.0' : host, port: Number(port) },
        sentinel,
      };
  }
  return { address: undefined, sentinel };
}

/** The last part of a path such as `0::/system.slice/redis-server.service`; a login or cron job is no unit of its own. */
function unitOf(cgroup: string): string | undefined {
  const paths = cgroup.split('\n').flatMap((line) => /^(?:0:|\d+:name=systemd):(.*)$/.exec(line)?.[1] ?? []);
  const unit = paths
    .filter((path) => !path.startsWith('/user.slice'))
    .map((path) => path.slice(path.lastIndexOf('/') + 1))
    .find((name) => name.endsWith('.service'));
  return unit !== undefined && /redis|valkey/i.test(unit) ? unit : undefined;
}

/** The title tells which port is the main one, the sockets tell its addresses; either will do. */
async function addressesOf(
  folder: string,
  { address }: Title,
  listeners: (() => Promise<Listener[]>) | undefined,
): Promise<ServerAddress[]> {
  const sockets = await listeningSockets(folder, listeners);
  const unix = sockets.filter((each) => 'socket' in each);
  const tcp = sockets
    .filter((each) => 'port' in each)
    .toSorted((a, b) => a.port - b.port || rank(a) - rank(b));
  // A path with a blank is cut there in the title, and whole in the table of sockets.
  if (address !== undefined && 'socket' in address)
    return [unix.find(({ socket }) => socket.startsWith(address.socket)) ?? address];
  const main = tcp.find(({ port }) => port === address?.port);
  if (main !== undefined) return [main, ...unix].map(reachable);
  // A title is not written anew when the port is changed at run time.
  if (sockets.length === 0 && address !== undefined) return [reachable(address)];
  return [...tcp, ...unix].map(reachable);
}

/** Loopback first: it is open to us whatever a firewall says. */
function rank({ host }: { host: string }): number {
  const place = ['127.0.0.1', '0.0.0.0', '::1', '::'].indexOf(host);
  return place === -1 ? 4 : place;
}

/** An address that a client can use. */
function reachable(address: ServerAddress): ServerAddress {
  if ('socket' in address) return address;
  const own = address.host === '0.0.0.0' ? '127.0.0.1' : address.host === '::' ? '::1' : address.host;
  return { ...address, host: own };
}
