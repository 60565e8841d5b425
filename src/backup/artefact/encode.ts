import { createHash } from 'node:crypto';
import { artefactName, storedAsIs, type Artefact, type BackupKind } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import type { CompressionSettings } from '../../domain/settings.ts';
import { AofArchiveCheck, type AofArchiveVerdict } from '../../formats/aof/archive-check.ts';
import type { RdbContent } from '../../formats/rdb/content-counter.ts';
import { RdbCheck } from '../../formats/rdb/rdb-check.ts';
import type { RdbHandler } from '../../formats/rdb/rdb-handler.ts';
import { printable } from '../../lib/text/printable.ts';
import { encryptAge } from './age-encrypt.ts';
import { PlainCheck, type ContentCheck } from './plain-check.ts';
import { readBlocks, type ArtefactSource } from './read-blocks.ts';

export interface EncodeOptions {
  compression: CompressionSettings;
  /** age1… keys; none: not encrypted. */
  recipients: readonly string[];
  signal: AbortSignal;
  /** Plain bytes read so far. */
  onProgress?: (bytes: number) => void;
  /** Gets what is read of the dump: every key, in order. */
  listener?: RdbHandler;
}

/** An append only file as it is stored, and what is in it. */
export type EncodedAof = { artefact: Artefact } & Omit<AofArchiveVerdict & { sound: true }, 'sound'>;

export interface EncodedRdb {
  artefact: Artefact;
  rdbVersion: number;
  /** `off`: the server runs with `rdbchecksum no`. */
  crc: 'ok' | 'off';
  /** What the dump holds; or why it could not be read although the file as a whole is right. */
  content: RdbContent | { unread: string };
}

/** The stored form of a dump or an append only file, made while it is read. */
export interface Encoding<Encoded> {
  /** The object's name beside the manifest. */
  name: string;
  /**
   * Once. A chunk is valid until the next one is asked for. Rejects with AgentError `damaged` when what is read is not
   * sound, before it ends: so nothing is committed by then.
   */
  chunks: AsyncIterable<Uint8Array>;
  /** After `chunks` has ended. */
  result(): Encoded;
}

/**
 * Encodes a dump in one pass and in memory that does not depend on its size: length, SHA-256 and CRC64 of the plain
 * bytes, independent zstd frames (or none), age, length and SHA-256 of what is stored. Blocks are compressed on libuv's pool
 * while this thread hashes, so both cores are busy.
 */
export function encodeRdb(source: ArtefactSource, options: EncodeOptions): Encoding<EncodedRdb> {
  const { listener } = options;
  const content = new RdbCheck(source.bytes, listener === undefined ? {} : { listener });
  return encode(source, options, {
    kind: 'rdb',
    content,
    wrote: 'RDB',
    describe: (artefact, { rdbVersion, crc, content: read }) => ({
      artefact,
      rdbVersion,
      crc,
      content: read,
    }),
  });
}

/** The same for the archive of an append only file. */
export function encodeAof(
  source: ArtefactSource,
  options: Omit<EncodeOptions, 'listener'>,
): Encoding<EncodedAof> {
  return encode(source, options, {
    kind: 'aof',
    content: new AofArchiveCheck(),
    wrote: 'append only file',
    describe: (artefact, { content, rdbVersion, unread }) => ({ artefact, content, rdbVersion, unread }),
  });
}

interface Content<Verdict extends { sound: boolean }, Encoded> {
  kind: BackupKind;
  content: ContentCheck<Verdict | { sound: false; problem: string }>;
  /** What the server wrote, for people. */
  wrote: string;
  describe: (artefact: Artefact, verdict: Verdict) => Encoded;
}

function encode<Verdict extends { sound: true }, Encoded>(
  source: ArtefactSource,
  { compression, recipients, signal, onProgress }: EncodeOptions,
  { kind, content, wrote, describe }: Content<Verdict, Encoded>,
): Encoding<Encoded> {
  const form: Pick<Artefact, 'compression' | 'encryption'> = {
    compression:
      compression === 'none' ? { algorithm: 'none' } : { algorithm: 'zstd', level: compression.zstd },
    encryption: recipients.length > 0 ? { algorithm: 'age', recipients: [...recipients] } : null,
  };
  const name = artefactName(kind, form);
  let encoded: { result: Encoded } | undefined;

  async function* chunks(): AsyncGenerator<Uint8Array, void, void> {
    const plain = new PlainCheck(content);
    // What is stored as it is has the digest of the plain bytes, which are hashed anyway.
    const stored = storedAsIs(form) ? undefined : { bytes: 0, hash: createHash('sha256') };
    const blocks = readBlocks(source, {
      compression,
      signal,
      onBlock(block) {
        plain.update(block);
        onProgress?.(plain.bytes);
      },
    });
    for await (const chunk of form.encryption === null ? blocks : encryptAge(blocks, recipients)) {
      if (stored !== undefined) {
        stored.bytes += chunk.length;
        stored.hash.update(chunk);
      }
      yield chunk;
    }
    const { digest, verdict } = plain.finish();
    if (!verdict.sound) {
      throw new AgentError('damaged', `the server wrote a damaged ${wrote}: ${printable(verdict.problem)}`, {
        reason: 'corrupt',
        hint: 'check the disk and memory of its host, then run redis-agent backup again',
      });
    }
    const artefact: Artefact = {
      name,
      plain: digest,
      stored:
        stored === undefined ? { ...digest } : { bytes: stored.bytes, sha256: stored.hash.digest('hex') },
      ...form,
    };
    encoded = { result: describe(artefact, verdict) };
  }

  return {
    name,
    chunks: chunks(),
    result() {
      if (encoded === undefined) throw new Error('the encoding has not ended');
      return encoded.result;
    },
  };
}
