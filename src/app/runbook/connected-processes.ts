import { lookup } from 'node:dns/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { readConnections, socketInodes, type Connection } from '../../redis/process/proc-sockets.ts';

export interface ConnectedProcess {
  pid: number;
  program: string;
  count: number;
}

/** Processes of this host with connections to that server, the one with the most first; those that may not be seen are left out. */
export async function connectionsByProcess(url: string): Promise<ConnectedProcess[]> {
  const servers = await addressesOf(url);
  const held = await holders(({ remote }) => servers.has(remote));
  return held
    .map(({ pid, count }) => ({ pid, program: programOf(pid), count }))
    .filter(({ pid }) => pid !== process.pid)
    .toSorted((a, b) => b.count - a.count);
}

/** A process of this host that is a client. */
export interface ClientProcess {
  pid: number;
  program: string;
  /** It does nothing until it is told to go on (SIGSTOP, a debugger). */
  stopped: boolean;
}

/**
 * Whose these clients are, by their addresses in CLIENT LIST; those of other hosts, and that may not be seen, are left out. Both ends
 * have to be the server's and theirs: another host's client has the same port, and somebody of this host too, at another server.
 */
export async function clientProcesses(url: string, addresses: readonly string[]): Promise<ClientProcess[]> {
  const servers = await addressesOf(url);
  const held = await holders(({ local, remote }) => addresses.includes(local) && servers.has(remote));
  return held.map(({ pid }) => ({ pid, program: programOf(pid), stopped: isStopped(pid) }));
}

async function holders(
  isMeant: (connection: Connection) => boolean,
): Promise<{ pid: number; count: number }[]> {
  const inodes = new Set((await readConnections('/proc/self')).filter(isMeant).map(({ inode }) => inode));
  if (inodes.size === 0) return [];
  const found: { pid: number; count: number }[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const own = (await socketInodes(`/proc/${pid}`)) ?? new Set();
    const count = [...own].filter((inode) => inodes.has(inode)).length;
    if (count > 0) found.push({ pid: Number(pid), count });
  }
  return found;
}

/** Where clients of this host reach it, as servers write it; where it is this host itself, by any address of that. */
async function addressesOf(url: string): Promise<Set<string>> {
  const { protocol, hostname, port } = new URL(url);
  if (protocol === 'unix:') return new Set();
  const named = hostname.replace(/^\[(.*)\]$/, '$1');
  const hosts = (await lookup(named, { all: true }).catch(() => [])).map(({ address }) => address);
  const own = Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address));
  const isHere = hosts.some((host) => own.includes(host) || host.startsWith('127.'));
  return new Set(
    [...hosts, ...(isHere ? own : [])].map(
      (host) => `${host.includes(':') ? `[${host}]` : host}:${port === '' ? 6379 : port}`,
    ),
  );
}

/** Behind the name, which may hold anything, the state is the first letter. */
function isStopped(pid: number): boolean {
  const stat = readOr(`/proc/${pid}/stat`, '');
  return /^ [Tt]/.test(stat.slice(stat.lastIndexOf(')') + 1));
}

function programOf(pid: number): string {
  return readOr(`/proc/${pid}/comm`, 'a program').trim();
}

function readOr(path: string, other: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return other;
  }
}
