import { createHash } from 'node:crypto';
import { decodeAgain, type DecodeOptions } from '../../backup/artefact/decode.ts';
import type { Artefact } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';

/**
 * The plain bytes of an artefact, proven at their end to be those that its backup was made of: length and SHA-256. What
 * else there is to know of them (their CRC64, their records) was found then and is the same now, so it is not looked at
 * again, nor is the SHA-256 of what is stored. Throws and lends its chunks like decodeRdb.
 */
export async function* readKnown(
  chunks: AsyncIterable<Uint8Array>,
  artefact: Artefact,
  options: Pick<DecodeOptions, 'identities' | 'signal'>,
): AsyncGenerator<Uint8Array, void, void> {
  const { name, plain } = artefact;
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of decodeAgain(chunks, artefact, options)) {
    bytes += chunk.length;
    if (bytes > plain.bytes) throw damaged(name, `it decodes to more than ${plain.bytes} bytes`);
    hash.update(chunk);
    yield chunk;
  }
  if (bytes < plain.bytes) throw damaged(name, `it decodes to ${bytes} bytes instead of ${plain.bytes}`);
  if (hash.digest('hex') !== plain.sha256)
    throw damaged(name, 'it decodes to other bytes: their SHA-256 is another');
}

function damaged(name: string, problem: string): AgentError {
  return new AgentError('damaged', `${name} is damaged: ${problem}`, { reason: 'corrupt' });
}
