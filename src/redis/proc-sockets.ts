import { readFile, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a server listens on this host. */
export type ServerAddress = { host: string; port: number } | { socket: string };

/** TCP_LISTEN in net/tcp_states.h. */
const listening = '0A';
/** __SO_ACCEPTCON in include/uapi/linux/net.h. */
const accepting = 0x1_0000;

/** What the process listens on; empty where its descriptors may not be seen (another user's process). */
export async function listeningSockets(folder: string): Promise<ServerAddress[]> {
  const inodes = await socketInodes(folder);
  if (inodes === undefined || inodes.size === 0) return [];
  const table = async (name: string): Promise<string> =>
    await readFile(join(folder, 'net', name), 'utf8').catch(() => '');
  const [tcp, tcp6, unix] = await Promise.all([table('tcp'), table('tcp6'), table('unix')]);
  const all = [...parseTcpTable(tcp), ...parseTcpTable(tcp6), ...parseUnixTable(unix)];
  return all.filter(({ inode }) => inodes.has(inode)).map(({ address }) => address);
}

/**
 * Does the process hold the listening socket that a URL leads to, in our own network? Where its descriptors may not be
 * seen (another user's process), the socket's owner has to be the process's, or root, as whom a server may have begun: `likely`.
 */
export async function holdsSocket(pid: number, url: string): Promise<'surely' | 'likely' | 'no'> {
  const { protocol, port, pathname } = new URL(url);
  const isUnix = protocol === 'unix:';
  const tables = await Promise.all(
    (isUnix ? ['unix'] : ['tcp', 'tcp6']).map(
      async (name) => await readFile(`/proc/self/net/${name}`, 'utf8').catch(() => ''),
    ),
  );
  const path = isUnix ? decodeURIComponent(pathname) : '';
  const real = isUnix ? await realpath(path).catch(() => path) : '';
  const entries = tables.flatMap((table) => (isUnix ? parseUnixTable(table) : parseTcpTable(table)));
  const found = entries.filter(({ address }) =>
    'socket' in address ? [path, real].includes(address.socket) : address.port === Number(port || 6379),
  );
  if (found.length === 0) return 'no';
  const held = await socketInodes(`/proc/${pid}`);
  if (held !== undefined) return found.some(({ inode }) => held.has(inode)) ? 'surely' : 'no';
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const uid = Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1]);
  const owners = isUnix ? [(await stat(path)).uid] : found.map((entry) => entry.uid);
  return owners.some((owner) => owner === uid || owner === 0) ? 'likely' : 'no';
}

/** Undefined where they may not be seen. */
async function socketInodes(folder: string): Promise<Set<string> | undefined> {
  const names = await readdir(join(folder, 'fd')).catch(() => undefined);
  if (names === undefined) return undefined;
  const links = await Promise.all(
    names.map(async (name) => await readlink(join(folder, 'fd', name)).catch(() => '')),
  );
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
}

interface Entry {
  inode: string;
  /** Of whoever made it; undefined for a socket with a path. */
  uid: number | undefined;
  address: ServerAddress;
}

/** The listening ones of /proc/net/tcp or tcp6 (proc_pid_net(5)). */
export function parseTcpTable(text: string): Entry[] {
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
export function parseUnixTable(text: string): Entry[] {
  return text.split('\n').flatMap((line) => {
    const [, , , flags = '', , , inode = '', ...path] = line.trim().split(' ').filter(Boolean);
    const socket = path.join(' ');
    const listens = (Number.parseInt(flags, 16) & accepting) !== 0;
    return listens && socket.startsWith('/') ? [{ inode, uid: undefined, address: { socket } }] : [];
  });
}
