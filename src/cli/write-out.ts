import { AgentError, messageOf } from '../domain/errors.ts';
import { writeLentFile } from '../lib/lent-file.ts';
import { writeAtomic } from '../lib/write-atomic.ts';

/**
 * Writes what `--out` names, for its owner alone where nothing else is said; into what somebody with more rights has opened for
 * us. Throws an AgentError `failed`.
 */
export async function writeOut(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  try {
    if (writeLentFile(path, content)) return;
    await writeAtomic(path, content, { mode });
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

export function cannotWrite(path: string, error: unknown): AgentError {
  return new AgentError('failed', `cannot write ${path}: ${messageOf(error)}`, {
    hint: 'name a file in a folder that is there, and that this user may write in',
    cause: error,
  });
}
