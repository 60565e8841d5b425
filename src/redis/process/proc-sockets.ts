import { readFile, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a server listens on this host. */
export type ServerAddress = { host: string; port: number } | { socket: string };

/** TCP_LISTEN in net/tcp_states.h. */
const listening = '0A';
/** __SO_ACCEPTCON in include/uapi/linux/net.h. */
const accepting = 0x1_0000;

/**
 * What the process listens on; empty where its descriptors may not be seen (another user's process). `listeners`: those of
 * its network, where they have been read already.
 */
export async function listeningSockets(
  folder: string,
  listeners: () => Promise<Listener[]> = async () => await readListeners(folder),
): Promise<ServerAddress[]> {
  const inodes = await socketInodes(folder);
  if (inodes === undefined || inodes.size === 0) return [];
  return (await listeners()).filter(({ inode }) => inodes.has(inode)).map(({ address }) => address);
}

/**
 * All that listens in the network of a process. For each table of TCP the kernel goes through all connections that there could
 * be: milliseconds, on a large host.
 */
export async function readListeners(folder: string): Promise<Listener[]> {
  const [tcp = '', tcp6 = '', unix = ''] = await Promise.all(
    ['tcp', 'tcp6', 'unix'].map(async (name) => await readTable(folder, name)),
  );
  return [...parseTcpTable(tcp), ...parseTcpTable(tcp6), ...parseUnixTable(unix)];
}

/** One end of a connection; addresses as servers write them: `127.0.0.1:6379`, `[::1]:6379`. */
export interface Connection {
  local: string;
  remote: string;
  /** Of whoever holds this end. */
  inode: string;
}

/** All connections in the network of a process; none where they cannot be seen. */
export async function readConnections(folder: string): Promise<Connection[]> {
  const tables = await Promise.all(['tcp', 'tcp6'].map(async (name) => await readTable(folder, name)));
  return tables.flatMap(parseConnections);
}

/** Those of /proc/net/tcp or tcp6 that do not listen. */
export function parseConnections(text: string): Connection[] {
  return text.split('\n').flatMap((line) => {
    const [, local = '', remote = '', state, , , , , , inode = ''] = line.trim().split(/\s+/);
    if (!/^[\dA-F]{2}$/.test(state ?? '') || state === listening) return [];
    return [{ local: endOf(local), remote: endOf(remote), inode }];
  });
}

function endOf(text: string): string {
  const [hex = '', port = ''] = text.split(':');
  const host = hostOf(hex.replace(/^0{16}FFFF0000/, ''));
  return `${host.includes(':') ? `[${host}]` : host}:${Number.parseInt(port, 16)}`;
}

async function readTable(folder: string, name: string): Promise<string> {
  return await readFile(join(folder, 'net', name), 'utf8').catch(() => '');
}

/**
 * Does the process hold the listening socket that a URL leads to, in our own network? Where its descriptors may not be
 * seen (another user's process), the socket's owner has to be the process's, or root, as whom a server may have begun: `likely`.
 */
export async function holdsSocket(pid: number, url: string): Promise<'surely' | 'likely' | 'no'> {
  const { protocol, port, pathname } = new URL(url);
  const isUnix = protocol === 'unix:';
  const path = isUnix ? decodeURIComponent(pathname) : '';
  const real = isUnix ? await realpath(path).catch(() => path) : '';
  const held = await socketInodes(`/proc/${pid}`);
  const found: Listener[] = [];
  for (const name of isUnix ? ['unix'] : ['tcp', 'tcp6']) {
    const table = await readTable('/proc/self', name);
    const there = (isUnix ? parseUnixTable(table) : parseTcpTable(table)).filter(({ address }) =>
      'socket' in address ? [path, real].includes(address.socket) : address.port === Number(port || 6379),
    );
    if (there.some(({ inode }) => held?.has(inode))) return 'surely';
    found.push(...there);
  }
  if (found.length === 0 || held !== undefined) return 'no';
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const uid = Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1]);
  const owners = isUnix ? [(await stat(path)).uid] : found.map((entry) => entry.uid);
  return owners.some((owner) => owner === uid || owner === 0) ? 'likely' : 'no';
}

/** Undefined where they may not be seen. */
export async function socketInodes(folder: string): Promise<Set<string> | undefined> {
  const names = await readdir(join(folder, 'fd')).catch(() => undefined);
  if (names === undefined) return undefined;
  const links = await Promise.all(
    names.map(async (name) => await readlink(join(folder, 'fd', name)).catch(() => '')),
  );
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
}

/** A socket that listens. */
export interface Listener {
  inode: string;
  /** Of whoever made it; undefined for a socket with a path. */
  uid: number | undefined;
  address: ServerAddress;
}

/** The listening ones of /proc/net/tcp or tcp6 (proc_pid_net(5)). */
export function parseTcpTable(text: string): Listener[] {
  return text.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , uid, , inode = ''] = line.trim().split(/\s+/);
    const [hex = '', port = ''] = local.split(':');
    if (state !== listening) return [];
    return [{ inode, uid: Number(uid), address: { host: hostOf(hex), port: Number.parseInt(port, 16) } }];
  });
}

/** The kernel prints addresses as 32-bit words in the order of this processor, which is little-endian. */
function hostOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex').swap32();
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  // The URL parser writes the short form: [::1].
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** The listening ones of /proc/net/unix that have a path. */
export function parseUnixTable(text: string): Listener[] {
  return text.split('\n').flatMap((line) => {
    const [, , , flags = '', , , inode = '', ...path] = line.trim().split(' ').filter(Boolean);
    const socket = path.join(' ');
    const listens = (Number.parseInt(flags, 16) & accepting) !== 0;
    return listens && socket.startsWith('/') ? [{ inode, uid: undefined, address: { socket } }] : [];
  });
}
