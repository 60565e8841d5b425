import { createHash, randomBytes } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  encodeAof,
  encodeRdb,
  type EncodedAof,
  type EncodedRdb,
  type EncodeOptions,
  type Encoding,
} from '../../../src/backup/artefact/encode.ts';
import type { ArtefactSource } from '../../../src/backup/artefact/read-blocks.ts';
import { artefactName, type Artefact, type Digest } from '../../../src/domain/backup.ts';
import type { CompressionSettings } from '../../../src/domain/settings.ts';
import { collect } from './chunks.ts';
import { makeRdb } from '../rdb/rdb.ts';
import { makeTempFolder, removeTempFolder } from '../house/temp-folder.ts';

export const neverAborted = new AbortController().signal;

/** An RDB of exactly `bytes` bytes, half of it compressible. */
export function sampleRdb(bytes: number): Buffer {
  return makeRdb(bytes, {
    fill: (body) => {
      body.fill('user:1000 {"name":"somebody","seen":"2026-11-21"} ');
      body.set(randomBytes(body.length >> 1));
    },
  });
}

export function digestOf(bytes: Uint8Array): Digest {
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

interface EncodedForm {
  compression?: CompressionSettings;
  recipients?: string[];
}

type Stored<Result> = Result & { stored: Buffer; name: string };

/** Encodes a dump from a file, as a backup does. */
export function encoded(plain: Uint8Array, form: EncodedForm = {}): Promise<Stored<EncodedRdb>> {
  return encodedBy(encodeRdb, plain, form);
}

/** The same of the archive of an append only file. */
export function encodedArchive(plain: Uint8Array, form: EncodedForm = {}): Promise<Stored<EncodedAof>> {
  return encodedBy(encodeAof, plain, form);
}

async function encodedBy<Result>(
  encode: (source: ArtefactSource, options: EncodeOptions) => Encoding<Result>,
  plain: Uint8Array,
  { compression = { zstd: 1 }, recipients = [] }: EncodedForm,
): Promise<Stored<Result>> {
  const folder = makeTempFolder();
  const file = join(folder, 'plain');
  await writeFile(file, plain);
  const handle = await open(file);
  try {
    const source = { handle, bytes: plain.length };
    const encoding = encode(source, { compression, recipients, signal: neverAborted });
    const stored = await collect(encoding.chunks);
    return { ...encoding.result(), stored, name: encoding.name };
  } finally {
    await handle.close();
    removeTempFolder(folder);
  }
}

/** The manifest's words on something that was not encoded by us. */
export function artefactOf(
  plain: Uint8Array,
  stored: Uint8Array,
  { recipients = [], compression = { algorithm: 'zstd', level: 3 } }: ArtefactForm = {},
): Artefact {
  const encryption =
    recipients.length === 0 ? null : { algorithm: 'age' as const, recipients: [...recipients] };
  return {
    name: artefactName('rdb', { compression, encryption }),
    plain: digestOf(plain),
    stored: digestOf(stored),
    compression,
    encryption,
  };
}

interface ArtefactForm {
  recipients?: readonly string[];
  compression?: Artefact['compression'];
}
