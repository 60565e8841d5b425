import { readFile, readlink } from 'node:fs/promises';
import { infoInteger, type Info } from '../../formats/info/parse-info.ts';
import { startTicks } from '../../lib/process/process-mark.ts';
import { holdsSocket } from './proc-sockets.ts';

/** The server's process, where it runs on this host and in our view of its processes. */
export interface ServerProcess {
  pid: number;
  /** The running program, even when its file has been replaced; undefined when we may not look (another user's). */
  executable: string | undefined;
}

/** Linux shows times in these units to every program, whatever the kernel's own tick (proc(5), USER_HZ). */
const ticksPerSecond = 100;
const tolerance = 5;

/**
 * Finds the process that answered INFO at that address. What INFO says is a hint, since whoever has the port answers what he
 * likes: the process must be called like one and hold the socket that the address leads to, and, where its descriptors may
 * not be seen, have started when the server says it did. So none is found in a container or at the end of a tunnel, whose
 * numbers are another host's.
 */
export async function findServerProcess(info: Info, url: string): Promise<ServerProcess | undefined> {
  const pid = infoInteger(info, 'process_id');
  if (pid === undefined) return undefined;
  try {
    const [stat, hostUptime, command] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/uptime', 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    if (!/redis|valkey/i.test(command)) return undefined;
    const holds = await holdsSocket(pid, url);
    const age = Number.parseFloat(hostUptime) - startTicks(stat) / ticksPerSecond;
    if (holds === 'no' || (holds === 'likely' && !isAsOld(info, age, Date.now()))) return undefined;
  } catch {
    return undefined;
  }
  const executable = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
  return { pid, executable: executable?.replace(/ \(deleted\)$/, '') };
}

/**
 * Did a process that is `age` seconds old start when the server says it did? That was asked a while ago: on a busy host others
 * look for its process much later. `now` as of Date.now().
 */
export function isAsOld(info: Info, age: number, now: number): boolean {
  const said = infoInteger(info, 'server_time_usec');
  const since = said === undefined ? 0 : Math.max(0, (now - said / 1000) / 1000);
  const uptime = infoInteger(info, 'uptime_in_seconds') ?? NaN;
  return Math.abs(age - since - uptime) <= tolerance;
}
