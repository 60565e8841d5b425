import { randomBytes } from 'node:crypto';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { releaseMemory } from '../../lib/memory/release-memory.ts';
import { AgePayload, payloadNonceBytes, plainChunkBytes, sealedChunkBytes, tagBytes } from './age-payload.ts';

/**
 * Encrypts for age recipients, in the format that every age tool reads. What comes out is valid until the next is
 * asked for. Throws AgentError `usage` for a recipient that is none.
 */
export async function* encryptAge(
  chunks: AsyncIterable<Uint8Array>,
  recipients: readonly string[],
): AsyncGenerator<Uint8Array, void, void> {
  const { header, fileKey } = await makeHeader(recipients);
  const nonce = randomBytes(payloadNonceBytes);
  yield Buffer.concat([header, nonce]);
  const payload = new AgePayload(fileKey, nonce);
  // A chunk is sealed when the next byte comes, since only then it is known not to be the last.
  const pending = Buffer.alloc(plainChunkBytes);
  let filled = 0;
  for await (const chunk of chunks) {
    const sealed = Buffer.allocUnsafeSlow((Math.ceil(chunk.length / plainChunkBytes) + 1) * sealedChunkBytes);
    let length = 0;
    for (let at = 0; at < chunk.length;) {
      if (filled === plainChunkBytes) {
        length += payload.seal(pending, false, sealed.subarray(length));
        filled = 0;
      }
      const part = chunk.subarray(at, at + plainChunkBytes - filled);
      pending.set(part, filled);
      filled += part.length;
      at += part.length;
    }
    if (length > 0) yield sealed.subarray(0, length);
    releaseMemory(sealed);
  }
  const last = Buffer.alloc(filled + tagBytes);
  payload.seal(pending.subarray(0, filled), true, last);
  yield last;
}

/** The library makes file key and header; a recipient of ours, which adds nothing to the header, learns the key. */
async function makeHeader(
  recipients: readonly string[],
): Promise<{ header: Uint8Array; fileKey: Uint8Array }> {
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (cause) {
      throw new AgentError('usage', `${recipient} is no age recipient: ${messageOf(cause)}`, {
        hint: 'repository.encryption.age_recipients takes age1… keys, as age-keygen prints them',
        cause,
      });
    }
  }
  let fileKey = new Uint8Array();
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = Uint8Array.from(key);
      return [];
    },
  });
  const empty = await encrypter.encrypt(new Uint8Array());
  return { header: empty.subarray(0, empty.length - payloadNonceBytes - tagBytes), fileKey };
}
