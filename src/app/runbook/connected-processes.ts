import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ConnectedProcess {
  pid: number;
  program: string;
  count: number;
}

const established = '01';

/** Processes of this host with connections to that port, the one with the most first; those that may not be seen are left out. */
export function connectionsByProcess(url: string): Promise<ConnectedProcess[]> {
  const port = Number(new URL(url).port || 6379);
  const inodes = new Set(tables.flatMap((table) => connected(table, port).map(({ inode }) => inode)));
  const found = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const count = socketsOf(pid).filter((inode) => inodes.has(inode)).length;
      return count === 0 ? [] : [{ pid: Number(pid), program: programOf(pid), count }];
    });
  return Promise.resolve(
    found.filter(({ pid }) => pid !== process.pid).toSorted((a, b) => b.count - a.count),
  );
}

/** A process of this host that is a client. */
export interface ClientProcess {
  pid: number;
  program: string;
  /** It does nothing until it is told to go on (SIGSTOP, a debugger). */
  stopped: boolean;
}

/** Whose these clients are, by their addresses in CLIENT LIST; those of other hosts, and that may not be seen, are left out. */
export function clientProcesses(url: string, addresses: readonly string[]): ClientProcess[] {
  const ports = new Set(addresses.map((address) => Number(/:(\d+)$/.exec(address)?.[1])));
  const port = Number(new URL(url).port || 6379);
  const inodes = new Set(
    tables.flatMap((table) =>
      connected(table, port).flatMap(({ from, inode }) => (ports.has(from) ? [inode] : [])),
    ),
  );
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && socketsOf(name).some((inode) => inodes.has(inode)))
    .map((pid) => ({ pid: Number(pid), program: programOf(pid), stopped: isStopped(pid) }));
}

const tables = ['tcp', 'tcp6'];

/** The clients' end of each connection to that port. */
function connected(table: string, port: number): { from: number; inode: string }[] {
  const text = readOr(() => readFileSync(`/proc/self/net/${table}`, 'utf8'), '');
  return text.split('\n').flatMap((line) => {
    const [, local = '', remote = '', state, , , , , , inode = ''] = line.trim().split(/\s+/);
    return state === established && portOf(remote) === port ? [{ from: portOf(local), inode }] : [];
  });
}

const portOf = (address: string): number => Number.parseInt(address.split(':')[1] ?? '', 16);

/** Behind the name, which may hold anything, the state is the first letter. */
function isStopped(pid: string): boolean {
  const stat = readOr(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), '');
  return /^ [Tt]/.test(stat.slice(stat.lastIndexOf(')') + 1));
}

function socketsOf(pid: string): string[] {
  return readOr(() => readdirSync(`/proc/${pid}/fd`), []).flatMap((name) => {
    const link = readOr(() => readlinkSync(`/proc/${pid}/fd/${name}`), '');
    return /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? [];
  });
}

function programOf(pid: string): string {
  return readOr(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), 'a program');
}

function readOr<T>(read: () => T, other: T): T {
  try {
    return read();
  } catch {
    return other;
  }
}
