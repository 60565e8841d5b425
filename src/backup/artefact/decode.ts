import { createHash } from 'node:crypto';
import { storedAsIs, type Artefact } from '../../domain/backup.ts';
import { AgentError, type ReasonOf } from '../../domain/errors.ts';
import { AofArchiveCheck } from '../../formats/aof/archive-check.ts';
import { RdbCheck, type CheckOptions } from '../../formats/rdb/rdb-check.ts';
import { DumpRules } from '../../formats/rdb/whole/dump-rules.ts';
import { decompressZstd } from '../../formats/zstd/decompress.ts';
import { gatherChunks } from '../../lib/gather-chunks.ts';
import { printable } from '../../lib/text/printable.ts';
import { randomWords } from '../../lib/text/random-words.ts';
import { decryptAge } from './age-decrypt.ts';
import { PlainCheck, type ContentCheck } from './plain-check.ts';

/** What is handed on at a time of what is not compressed: it comes from the network, or out of age, in far smaller chunks. */
const blockBytes = 1024 * 1024;

export interface DecodeOptions extends CheckOptions {
  /** AGE-SECRET-KEY-… lines. */
  identities: readonly string[];
  signal: AbortSignal;
}

/**
 * Gives the dump back, and has proven at its end: length and SHA-256 of what was stored, age's authentication, every
 * zstd frame where it is compressed, length, SHA-256 and CRC64 of the plain bytes. Whoever uses the bytes must wait for that end.
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
  { identities, signal, deep = false }: Pick<DecodeOptions, 'identities' | 'signal'> & { deep?: boolean },
): AsyncGenerator<Uint8Array, void, void> {
  const content = new AofArchiveCheck({
    rules: deep ? new DumpRules(randomWords(), { again: false }) : undefined,
  });
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
  const { name, plain: expected } = artefact;
  const asIs = storedAsIs(artefact);
  const plain = new PlainCheck(content);
  try {
    // What is stored as it is has one SHA-256, and is not hashed twice.
    const stored = asIs ? checkLength(chunks, artefact, signal) : checkStored(chunks, artefact, signal);
    for await (const chunk of opened(stored, artefact, { identities, signal })) {
      plain.update(chunk);
      if (plain.bytes > expected.bytes) throw damaged(`it decodes to more than ${expected.bytes} bytes`);
      yield chunk;
    }
    const { digest, verdict } = plain.finish();
    if (digest.bytes < expected.bytes) {
      throw damaged(`it decodes to ${digest.bytes} bytes instead of ${expected.bytes}`);
    }
    if (digest.sha256 !== expected.sha256)
      throw damaged(asIs ? changed : 'it decodes to other bytes: their SHA-256 is another');
    if (!verdict.sound) throw damaged(`it decodes to no ${what}: ${printable(verdict.problem)}`);
  } catch (error) {
    throw about(name, error);
  }
}

/**
 * The plain bytes with no more proof than their coding has (age's authentication, zstd's checksums; of what is stored as it is, none): for whoever holds
 * every one of them to an earlier, proven reading. Throws like decodeRdb; a chunk is valid until the next is asked for.
 */
export async function* decodeAgain(
  chunks: AsyncIterable<Uint8Array>,
  artefact: Artefact,
  options: Pick<DecodeOptions, 'identities' | 'signal'>,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* opened(chunks, artefact, options);
  } catch (error) {
    throw about(artefact.name, error);
  }
}

/** Decrypted and decompressed, as the artefact is. */
async function* opened(
  chunks: AsyncIterable<Uint8Array>,
  { compression, encryption }: Artefact,
  { identities, signal }: Pick<DecodeOptions, 'identities' | 'signal'>,
): AsyncGenerator<Uint8Array, void, void> {
  const clear =
    encryption === null ? chunks : decryptAge(chunks, { identities, recipients: encryption.recipients });
  if (compression.algorithm === 'zstd') {
    yield* decompressZstd(clear, { signal });
    return;
  }
  for await (const block of gatherChunks(clear, blockBytes)) {
    signal.throwIfAborted();
    yield block;
  }
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

const changed = 'its bytes have changed: their SHA-256 is another';

/** Passes on what is stored, and ends only if it was right; more than there should be is stopped at once. */
async function* checkStored(
  chunks: AsyncIterable<Uint8Array>,
  artefact: Artefact,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const hash = createHash('sha256');
  for await (const chunk of checkLength(chunks, artefact, signal)) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== artefact.stored.sha256) throw damaged(changed);
}

/** The same of its length alone. */
async function* checkLength(
  chunks: AsyncIterable<Uint8Array>,
  { stored }: Artefact,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  let bytes = 0;
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    bytes += chunk.length;
    if (bytes > stored.bytes) throw damaged(`it has more than its ${stored.bytes} bytes`);
    yield chunk;
  }
  signal.throwIfAborted();
  if (bytes < stored.bytes) {
    throw damaged(`it is truncated: ${bytes} bytes of ${stored.bytes} are there`, 'truncated');
  }
}

/** Names the artefact in what is wrong with it. Other errors (the store's, an abort) stay as they are. */
function about(name: string, error: unknown): unknown {
  if (!(error instanceof AgentError)) return error;
  const { code, reason, message } = error;
  if (code !== 'damaged' && reason !== 'no-identity') return error;
  const text = code === 'damaged' ? `${name} is damaged: ${message}` : `${name}: ${message}`;
  return error.retold(text);
}

function damaged(problem: string, reason: ReasonOf<'damaged'> = 'corrupt'): AgentError {
  return new AgentError('damaged', problem, { reason });
}
