import { createHash } from 'node:crypto';
import type { Artefact } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import { AofArchiveCheck } from '../../formats/aof/archive-check.ts';
import { RdbCheck, type CheckOptions } from '../../formats/rdb/rdb-check.ts';
import { decompressZstd } from '../../formats/zstd/decompress.ts';
import { printable } from '../../lib/printable.ts';
import { decryptAge } from './age-decrypt.ts';
import { PlainCheck, type ContentCheck } from './plain-check.ts';

export interface DecodeOptions extends CheckOptions {
  /** AGE-SECRET-KEY-… lines. */
  identities: readonly string[];
  signal: AbortSignal;
}

/**
 * Gives the dump back, and has proven at its end: length and SHA-256 of what was stored, age's authentication, every
 * zstd frame, length, SHA-256 and CRC64 of the plain bytes. Whoever uses the bytes must wait for that end.
 * A chunk is valid until the next one is asked for.
 *
 * Throws AgentError `damaged` with the first thing wrong; `failed` (reason `no-identity`) when it is encrypted to
 * none of the identities; the signal's reason when it aborts.
 */
export function decodeRdb(
  chunks: AsyncIterable<Uint8Array>,
  artefact: Artefact,
  { identities, signal, ...check }: DecodeOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const content = new RdbCheck(artefact.plain.bytes, check);
  return decode(chunks, artefact, { identities, signal, content, what: 'sound RDB' });
}

/** The same for the archive of an append only file, whose framing is checked in place of a CRC64. */
export function decodeAof(
  chunks: AsyncIterable<Uint8Array>,
  artefact: Artefact,
  { identities, signal, deep = false }: Pick<DecodeOptions, 'identities' | 'signal' | 'deep'>,
): AsyncGenerator<Uint8Array, void, void> {
  const content = new AofArchiveCheck({ deep });
  return decode(chunks, artefact, { identities, signal, content, what: 'sound append only file' });
}

interface Decoding extends Pick<DecodeOptions, 'identities' | 'signal'> {
  content: ContentCheck<{ sound: true } | { sound: false; problem: string }>;
  /** What it has to be, for people. */
  what: string;
}

async function* decode(
  chunks: AsyncIterable<Uint8Array>,
  artefact: Artefact,
  { identities, signal, content, what }: Decoding,
): AsyncGenerator<Uint8Array, void, void> {
  const { name, encryption, plain: expected } = artefact;
  const plain = new PlainCheck(content);
  try {
    const stored = checkStored(chunks, artefact, signal);
    for await (const chunk of decompressZstd(decrypted(stored, encryption, identities), { signal })) {
      plain.update(chunk);
      if (plain.bytes > expected.bytes) throw damaged(`it decodes to more than ${expected.bytes} bytes`);
      yield chunk;
    }
    const { digest, verdict } = plain.finish();
    if (digest.bytes < expected.bytes) {
      throw damaged(`it decodes to ${digest.bytes} bytes instead of ${expected.bytes}`);
    }
    if (digest.sha256 !== expected.sha256)
      throw damaged('it decodes to other bytes: their SHA-256 is another');
    if (!verdict.sound) throw damaged(`it decodes to no ${what}: ${printable(verdict.problem)}`);
  } catch (error) {
    throw about(name, error);
  }
}

/**
 * The plain bytes with no more proof than their coding has (age's authentication, zstd's checksums): for whoever holds
 * every one of them to an earlier, proven reading. Throws like decodeRdb; a chunk is valid until the next is asked for.
 */
export async function* decodeAgain(
  chunks: AsyncIterable<Uint8Array>,
  { name, encryption }: Artefact,
  { identities, signal }: Pick<DecodeOptions, 'identities' | 'signal'>,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* decompressZstd(decrypted(chunks, encryption, identities), { signal });
  } catch (error) {
    throw about(name, error);
  }
}

function decrypted(
  chunks: AsyncIterable<Uint8Array>,
  encryption: Artefact['encryption'],
  identities: readonly string[],
): AsyncIterable<Uint8Array> {
  return encryption === null ? chunks : decryptAge(chunks, { identities, recipients: encryption.recipients });
}

/** Proves length and SHA-256 of what is stored, without decoding it. Throws like decodeRdb. */
export async function verifyStored(
  chunks: AsyncIterable<Uint8Array>,
  artefact: Artefact,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const _ of checkStored(chunks, artefact, signal));
  } catch (error) {
    throw about(artefact.name, error);
  }
}

/** Passes on what is stored, and ends only if it was right; more than there should be is stopped at once. */
async function* checkStored(
  chunks: AsyncIterable<Uint8Array>,
  { stored }: Artefact,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    bytes += chunk.length;
    if (bytes > stored.bytes) throw damaged(`it has more than its ${stored.bytes} bytes`);
    hash.update(chunk);
    yield chunk;
  }
  signal.throwIfAborted();
  if (bytes < stored.bytes) {
    throw damaged(`it is truncated: ${bytes} bytes of ${stored.bytes} are there`, 'truncated');
  }
  if (hash.digest('hex') !== stored.sha256) throw damaged('its bytes have changed: their SHA-256 is another');
}

/** Names the artefact in what is wrong with it. Other errors (the store's, an abort) stay as they are. */
function about(name: string, error: unknown): unknown {
  if (!(error instanceof AgentError)) return error;
  const { code, hint, reason, message } = error;
  if (code !== 'damaged' && reason !== 'no-identity') return error;
  const text = code === 'damaged' ? `${name} is damaged: ${message}` : `${name}: ${message}`;
  return new AgentError(code, text, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(reason === undefined ? {} : { reason }),
  });
}

function damaged(problem: string, reason = 'corrupt'): AgentError {
  return new AgentError('damaged', problem, { reason });
}
