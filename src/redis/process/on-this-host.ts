import { readFile } from 'node:fs/promises';
import type { Pipe } from '../pipe/pipe.ts';

/**
 * Is the server a process of this host, so that bytes on their way to it cost next to nothing? Told by its pid: the end of
 * a tunnel is on loopback too. False where that cannot be seen.
 */
export async function isOnThisHost(pipe: Pipe): Promise<boolean> {
  const { protocol, hostname } = new URL(pipe.target.url);
  const near = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
  if (protocol !== 'unix:' && !(protocol === 'redis:' && near)) return false;
  const info = await pipe.ask('INFO', 'server');
  const pid = typeof info === 'string' ? /^process_id:(\d+)/m.exec(info)?.[1] : undefined;
  if (pid === undefined) return false;
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  return /^(?:redis|valkey)-server$/.test(name.trim());
}
