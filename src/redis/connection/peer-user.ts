import { readFile } from 'node:fs/promises';

/**
 * The user of the process at the other end of a loopback connection, as the kernel's table shows it to everybody
 * (proc_pid_net(5)); undefined where it cannot be seen. Both ports as our end knows them.
 */
export async function peerUser(ports: { ours: number; theirs: number }): Promise<number | undefined> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map(async (name) => await readFile(`/proc/self/net/${name}`, 'utf8').catch(() => '')),
  );
  return userIn(tables.join('\n'), ports);
}

/** Pure: their end is the entry whose own port is theirs. */
export function userIn(
  table: string,
  { ours, theirs }: { ours: number; theirs: number },
): number | undefined {
  for (const line of table.split('\n')) {
    const [, local, remote, , , , , uid] = line.trim().split(/\s+/);
    if (portOf(local) === theirs && portOf(remote) === ours && uid !== undefined) return Number(uid);
  }
  return undefined;
}

/** Of `0100007F:1F90`. */
function portOf(address = ''): number {
  return Number.parseInt(address.split(':')[1] ?? '', 16);
}
