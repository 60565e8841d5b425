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
  const inodes = new Set(['tcp', 'tcp6'].flatMap((table) => connectedInodes(table, port)));
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

/** Of our own end of each connection. */
function connectedInodes(table: string, port: number): string[] {
  const text = readOr(() => readFileSync(`/proc/self/net/${table}`, 'utf8'), '');
  return text.split('\n').flatMap((line) => {
    const [, , remote = '', state, , , , , , inode = ''] = line.trim().split(/\s+/);
    return state === established && Number.parseInt(remote.split(':')[1] ?? '', 16) === port ? [inode] : [];
  });
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
