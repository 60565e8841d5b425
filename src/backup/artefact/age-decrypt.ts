import { AgentError, messageOf, type ReasonOf } from '../../domain/errors.ts';
import { ByteReader } from '../../lib/byte-reader.ts';
import { releaseMemory } from '../../lib/memory/release-memory.ts';
import { AgePayload, payloadNonceBytes, sealedChunkBytes, tagBytes } from './age-payload.ts';

/** A header of a thousand recipients is shorter. */
const headerLimit = 256 * 1024;
const magic = 'age-encryption.org/v1\n';

export interface DecryptOptions {
  /** AGE-SECRET-KEY-… */
  identities: readonly string[];
  /** To whom the file was encrypted, as its manifest says: tells a wrong key from a damaged header. */
  recipients: readonly string[];
}

/**
 * Decrypts an age file with the first identity that fits, in bounded memory.
 *
 * Throws AgentError `failed` (reason `no-identity`) when none is for this file, `usage` when one is no identity, and
 * `damaged` with the offset where a byte is not what was encrypted.
 */
export async function* decryptAge(
  chunks: AsyncIterable<Uint8Array>,
  options: DecryptOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const reader = new ByteReader(chunks);
  try {
    const fileKey = await openHeader(await readHeader(reader), options);
    const nonce = Buffer.alloc(payloadNonceBytes);
    if ((await reader.read(nonce)) < nonce.length)
      throw damaged(`it ends at byte ${reader.offset}`, 'truncated');
    yield* openPayload(reader, new AgePayload(fileKey, nonce));
  } finally {
    await reader.close();
  }
}

/** Up to and with the line that starts with `---`. */
async function readHeader(reader: ByteReader): Promise<Buffer> {
  const header = Buffer.alloc(headerLimit);
  let lineStart = 0;
  for (let length = 0; length < headerLimit;) {
    if ((await reader.read(header.subarray(length, length + 1))) === 0) {
      throw damaged(`it ends at byte ${length}, inside the age header`, 'truncated');
    }
    length++;
    if (length <= magic.length && header[length - 1] !== magic.charCodeAt(length - 1)) {
      throw damaged('this is no age file');
    }
    if (header[length - 1] !== 0x0a) continue;
    if (header.toString('latin1', lineStart, lineStart + 4) === '--- ') return header.subarray(0, length);
    lineStart = length;
  }
  throw damaged('the age header has no end');
}

async function openHeader(header: Buffer, { identities, recipients }: DecryptOptions): Promise<Uint8Array> {
  const { Decrypter, identityToRecipient } = await import('age-encryption');
  const decrypter = new Decrypter();
  let ours = false;
  for (const identity of identities) {
    try {
      decrypter.addIdentity(identity);
      ours ||= recipients.includes(await identityToRecipient(identity));
    } catch {
      // No cause: the library's message would quote the key.
      throw new AgentError(
        'usage',
        'repository.encryption.age_identity holds a line that is no age identity',
        {
          hint: 'it takes the AGE-SECRET-KEY-… lines that age-keygen writes',
        },
      );
    }
  }
  try {
    return await decrypter.decryptHeader(header);
  } catch (cause) {
    if (!ours && messageOf(cause).startsWith('no identity matched')) {
      const known =
        identities.length === 0 ? 'no age identity is known' : 'no age identity is one of its recipients';
      throw new AgentError('failed', `it cannot be decrypted: ${known}`, {
        reason: 'no-identity',
        hint: `set repository.encryption.age_identity to the key of ${recipients.join(' or ')}`,
        cause,
      });
    }
    throw damaged(`the age header has changed: ${messageOf(cause)}`);
  }
}

async function* openPayload(reader: ByteReader, payload: AgePayload): AsyncGenerator<Uint8Array, void, void> {
  const start = reader.offset;
  // Two in turn: whether a chunk is the last is known when there is none behind it.
  const buffers = [Buffer.alloc(sealedChunkBytes), Buffer.alloc(sealedChunkBytes)];
  let current = await readSealed(reader, buffers[0]!);
  for (let index = 0; ; index++) {
    const next =
      current.length < sealedChunkBytes ? undefined : await readSealed(reader, buffers[(index + 1) % 2]!);
    const last = next === undefined || next.length === 0;
    const at = start + index * sealedChunkBytes;
    if (current.length < tagBytes) throw damaged(`it ends at byte ${at + current.length}`, 'truncated');
    let plain;
    try {
      plain = payload.open(current, last);
    } catch {
      throw damaged(`byte ${at}: the age chunk here is not what was encrypted`);
    }
    // age forbids an empty last chunk, or two files could decrypt to the same
    if (plain.length === 0 && index > 0) throw damaged(`byte ${at}: an empty age chunk`);
    yield plain;
    releaseMemory(plain);
    if (last) return;
    current = next;
  }
}

async function readSealed(reader: ByteReader, target: Buffer): Promise<Buffer> {
  return target.subarray(0, await reader.read(target));
}

function damaged(problem: string, reason: ReasonOf<'damaged'> = 'corrupt'): AgentError {
  return new AgentError('damaged', problem, { reason });
}
