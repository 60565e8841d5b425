import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { EvidenceLine } from '../../../domain/task.ts';
import { systemCode } from '../../../domain/errors.ts';
import { formatBytes } from '../../../lib/text/bytes.ts';
import { countWarnings } from '../../../maintain/log-lines.ts';
import { rotation } from './rotation.ts';
import type { EvidenceSource } from './source.ts';

/** The end of the log that is read, bytes. */
const tailBytes = 4 * 1024 * 1024;
/** A log of this size has not been rotated. */
const tooLarge = 512 * 1024 * 1024;

/** The server's own log: its size, whether it is rotated, and its warnings, those that are new first. */
export async function logReview({ connect, last, now }: EvidenceSource): Promise<EvidenceLine[]> {
  const connection = await connect();
  const path = await configured(connection, 'logfile');
  if (path === undefined)
    return [{ text: 'CONFIG GET is refused: where the log is cannot be known', ok: null }];
  if (path === '')
    return [
      (await configured(connection, 'daemonize')) === 'yes'
        ? { text: 'it keeps no log: with daemonize yes and no logfile it goes to /dev/null', ok: false }
        : {
            text: 'it logs to its standard output: what started it keeps that (systemd: journalctl -u redis-server)',
            ok: true,
          },
    ];
  if (!path.startsWith('/'))
    return [{ text: `its logfile ${path} counts from its own folder: not looked at`, ok: null }];
  const tail = await readTail(path);
  if ('problem' in tail) return [{ text: tail.problem, ok: null }];
  const { warnings } = countWarnings(tail.text.split('\n'));
  const known = new Set(last?.evidence.map(({ text }) => text.replace(/^(?:new: )?\d+ × /, '')));
  const listed = warnings.slice(0, 20).map(({ fingerprint, count }) => {
    const fresh = last !== undefined && !known.has(fingerprint);
    return { text: `${fresh ? 'new: ' : ''}${count} × ${fingerprint}`, ok: !fresh, fresh };
  });
  return [
    {
      text: `${path} has ${formatBytes(tail.size)}`,
      ok: tail.size < tooLarge,
    },
    await rotation(path, now),
    ...listed.toSorted((a, b) => Number(b.fresh) - Number(a.fresh)).map(({ text, ok }) => ({ text, ok })),
    ...(warnings.length === 0 ? [{ text: 'no warnings in it', ok: true }] : []),
  ];
}

async function configured(
  connection: Awaited<ReturnType<EvidenceSource['connect']>>,
  name: string,
): Promise<string | undefined> {
  try {
    const reply = await connection.call('CONFIG', 'GET', name);
    return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : undefined;
  } catch {
    return undefined;
  }
}

/** Somebody else's file: nothing but a regular one is read, and no link is followed. */
async function readTail(path: string): Promise<{ text: string; size: number } | { problem: string }> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const stat = await file.stat();
    if (!stat.isFile()) return { problem: `${path} is no regular file: not read` };
    const length = Math.min(stat.size, tailBytes);
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await file.read(buffer, 0, length, stat.size - length);
    return { text: buffer.toString('latin1', 0, bytesRead), size: stat.size };
  } catch (error) {
    return {
      problem: `${path} cannot be read here (${systemCode(error) ?? 'error'}): add the agent’s user to its group`,
    };
  }
}
