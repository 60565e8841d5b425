import { AgentError } from '../../domain/errors.ts';
import type { ReadAt } from '../../lib/files/read-at.ts';

const blockBytes = 256 * 1024;

/**
 * The bytes `from` … `to` of an open file. A chunk is valid until the next one is asked for. Rejects with the signal's
 * reason, or an AgentError `failed` when the file has become shorter: a server that starts cuts off a torn tail.
 */
export async function* readRange(
  handle: ReadAt,
  { from, to, name, signal }: { from: number; to: number; name: string; signal: AbortSignal },
): AsyncGenerator<Uint8Array, void, void> {
  const block = Buffer.allocUnsafe(Math.min(blockBytes, Math.max(1, to - from)));
  for (let at = from; at < to;) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(block, 0, Math.min(block.length, to - at), at);
    if (bytesRead === 0)
      throw new AgentError(
        'failed',
        `${name} became shorter while it was read: ${at} bytes instead of ${to}`,
        {
          reason: 'changed',
          hint: 'was the server restarted just now? Run it again',
        },
      );
    yield block.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** An AgentError `failed` with the reason `changed`. */
export function becameShorter(name: string, bytes: number, before: number): AgentError {
  return new AgentError(
    'failed',
    `${name} became shorter while it was read: ${bytes} bytes instead of ${before}`,
    {
      reason: 'changed',
      hint: 'was the server restarted just now? Run it again',
    },
  );
}
