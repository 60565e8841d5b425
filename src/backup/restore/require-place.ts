import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { currentUser, describeOwner } from '../../lib/files/file-owner.ts';
import type { DataFolder } from './folder/data-folder.ts';
import type { Layout } from './layout.ts';

/** Refuses before anything is touched: rights, room, hard links, an AOF folder that is a mount of its own. */
export async function requirePlace(
  folder: DataFolder,
  { names }: Layout,
  { bytes, asOurselves }: { bytes: number; asOurselves: boolean },
): Promise<void> {
  const { dir } = folder;
  await folder.probe().catch((error: unknown) => {
    throw cannotWrite(dir, error, asOurselves);
  });
  const { free, isAofMount } = await folder.measureRoom(names.aofDir);
  if (isAofMount)
    throw new AgentError(
      'refused',
      `${join(dir, names.aofDir)} is a mount of its own, which cannot be set aside by rename`,
      {
        reason: 'mount',
        hint: 'mount the file system at the data directory instead',
      },
    );
  if (free < bytes + diskMargin)
    throw new AgentError(
      'failed',
      `staging takes ${formatBytes(bytes)} in ${dir} beside ${formatBytes(diskMargin)} that stay free for the server, and ${formatBytes(free)} are free; nothing was touched`,
      { reason: 'full', hint: 'free some there: the old data stays beside the new, so both must fit' },
    );
}

/** Left free for the server itself. */
const diskMargin = 64 * 1024 * 1024;

/** What it means that the system refuses that directory: to us, or to whoever has its user's rights. */
export function cannotWrite(dir: string, error: unknown, asOurselves: boolean): AgentError {
  const code = systemCode(error);
  const denied = code === 'EACCES' || code === 'EPERM';
  const whose = describeIfSeen(dir);
  if (denied && asOurselves)
    return new AgentError(
      'refused',
      `${currentUser()} may not write to the server's data directory ${dir}${whose}`,
      {
        reason: 'rights',
        hint: 'run it as root: sudo redis-agent restore …',
        cause: error,
      },
    );
  return new AgentError(
    'failed',
    `cannot write to the server's data directory ${dir}${whose}: ${messageOf(error)}`,
    {
      reason: 'rights',
      hint: denied
        ? 'its owner needs rwx there, and the file system hard links'
        : 'put that right first: nothing was touched',
      cause: error,
    },
  );
}

function describeIfSeen(dir: string): string {
  try {
    return ` (${describeOwner(lstatSync(dir))})`;
  } catch {
    return '';
  }
}
