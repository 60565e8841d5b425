import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { runCommand } from '../../lib/process/run-command.ts';
import type { FoundService } from '../../redis/service/find-service.ts';
import { readConf } from '../../redis/conf/read-conf.ts';

const tail = 16 * 1024;
const most = 20;

export interface LastLines {
  /** Of its log file. */
  file: string[];
  /** Of its unit: what a start says before it has read its configuration stands there alone. */
  journal: string[];
  /** There is a journal, and this user may not read it. */
  closed: boolean;
}

/** What a server that does not answer said last; empty where nothing can be read. */
export async function lastLogLines(
  service: FoundService | undefined,
  unit: string | undefined,
  signal: AbortSignal,
): Promise<LastLines> {
  const words = service?.arguments;
  const conf =
    words === undefined
      ? undefined
      : await readConf(words.file, words.directives, service?.user).catch(() => undefined);
  const path = conf?.get('logfile') ?? '';
  const file = lastOf((path.startsWith('/') ? await endOf(path) : undefined) ?? '');
  if (unit === undefined) return { file, journal: [], closed: false };
  const said = await runCommand(
    ['journalctl', '-u', unit, '-n', String(most), '-o', 'cat', '--no-pager'],
    signal,
  ).catch(() => undefined);
  const journal = lastOf(said?.stdout ?? '').filter((line) => line !== '-- No entries --');
  const closed = /insufficient permissions|messages from other users/.test(said?.stderr ?? '');
  return { file, journal, closed: closed && journal.length === 0 };
}

async function endOf(path: string): Promise<string | undefined> {
  try {
    // Somebody else's file.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const stats = await file.stat();
    if (!stats.isFile()) return undefined;
    const buffer = Buffer.alloc(Math.min(tail, stats.size));
    await file.read(buffer, 0, buffer.length, stats.size - buffer.length);
    return buffer.toString('latin1');
  } catch {
    return undefined;
  }
}

function lastOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .slice(-most);
}
