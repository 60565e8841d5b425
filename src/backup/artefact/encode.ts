import { createHash } from 'node:crypto';
import type { Artefact } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import type { RdbContent } from '../../formats/rdb/content-counter.ts';
import type { RdbHandler } from '../../formats/rdb/rdb-handler.ts';
import { printable } from '../../lib/printable.ts';
import { encryptAge } from './age-encrypt.ts';
import { compressFile, type ArtefactSource } from './compress-file.ts';
import { PlainCheck } from './plain-check.ts';

export interface EncodeOptions {
  /** Level 1..19. */
  compression: { zstd: number };
  /** age1… keys; none: not encrypted. */
  recipients: readonly string[];
  signal: AbortSignal;
  /** Plain bytes read so far. */
  onProgress?: (bytes: number) => void;
  /** Gets what is read of the dump: every key, in order. */
  listener?: RdbHandler;
}

export interface EncodedRdb {
  artefact: Artefact;
  rdbVersion: number;
  /** `off`: the server runs with `rdbchecksum no`. */
  crc: 'ok' | 'off';
  /** What the dump holds; or why it could not be read although the file as a whole is right. */
  content: RdbContent | { unread: string };
}

/** The stored form of a dump, made while it is read. */
export interface Encoding {
  /** The object's name beside the manifest. */
  name: string;
  /**
   * Once. A chunk is valid until the next one is asked for. Rejects with AgentError `damaged` when the dump is not
   * sound, before it ends: so nothing is committed by then.
   */
  chunks: AsyncIterable<Uint8Array>;
  /** After `chunks` has ended. */
  result(): EncodedRdb;
}

/**
 * Encodes a dump in one pass and in memory that does not depend on its size: length, SHA-256 and CRC64 of the plain
 * bytes, independent zstd frames, age, length and SHA-256 of what is stored. Blocks are compressed on libuv's pool
 * while this thread hashes, so both cores are busy.
 */
export function encodeRdb(source: ArtefactSource, options: EncodeOptions): Encoding {
  const { compression, recipients, signal, onProgress, listener } = options;
  const encrypted = recipients.length > 0;
  const name = encrypted ? 'dump.rdb.zst.age' : 'dump.rdb.zst';
  let encoded: EncodedRdb | undefined;

  async function* chunks(): AsyncGenerator<Uint8Array, void, void> {
    const plain = new PlainCheck(source.bytes, listener === undefined ? {} : { listener });
    const stored = { bytes: 0, hash: createHash('sha256') };
    const frames = compressFile(source, {
      level: compression.zstd,
      signal,
      onBlock(block) {
        plain.update(block);
        onProgress?.(plain.bytes);
      },
    });
    for await (const chunk of encrypted ? encryptAge(frames, recipients) : frames) {
      stored.bytes += chunk.length;
      stored.hash.update(chunk);
      yield chunk;
    }
    const { digest, rdb } = plain.finish();
    if (!rdb.sound) {
      throw new AgentError('damaged', `the server wrote a damaged RDB: ${printable(rdb.problem)}`, {
        reason: 'corrupt',
        hint: 'check the disk and memory of its host, then run redis-agent backup again',
      });
    }
    const artefact: Artefact = {
      name,
      plain: digest,
      stored: { bytes: stored.bytes, sha256: stored.hash.digest('hex') },
      compression: { algorithm: 'zstd', level: compression.zstd },
      encryption: encrypted ? { algorithm: 'age', recipients: [...recipients] } : null,
    };
    encoded = { artefact, rdbVersion: rdb.rdbVersion, crc: rdb.crc, content: rdb.content };
  }

  return {
    name,
    chunks: chunks(),
    result() {
      if (encoded === undefined) throw new Error('the encoding has not ended');
      return encoded;
    },
  };
}
