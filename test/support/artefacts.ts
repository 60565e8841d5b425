import { createHash, randomBytes } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeRdb, type EncodedRdb } from '../../src/backup/artefact/encode.ts';
import { artefactName, type Artefact, type Digest } from '../../src/domain/backup.ts';
import { collect } from './chunks.ts';
import { makeRdb } from './rdb.ts';
import { makeTempFolder, removeTempFolder } from './temp-folder.ts';

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

/** Encodes `plain` from a file, as a backup does. */
export async function encoded(
  plain: Uint8Array,
  options: { level?: number; recipients?: string[] } = {},
): Promise<EncodedRdb & { stored: Buffer; name: string }> {
  const folder = makeTempFolder();
  const file = join(folder, 'dump.rdb');
  await writeFile(file, plain);
  const handle = await open(file);
  try {
    const encoding = encodeRdb(
      { handle, bytes: plain.length },
      {
        compression: { zstd: options.level ?? 1 },
        recipients: options.recipients ?? [],
        signal: neverAborted,
      },
    );
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
  const encryption = recipients.length === 0 ? null : { algorithm: 'age' as const, recipients };
  return {
    name: artefactName('rdb', { compression, encryption }),
    plain: digestOf(plain),
    stored: digestOf(stored),
    compression,
    encryption,
  };
}

interface ArtefactForm {
  recipients?: string[];
  compression?: Artefact['compression'];
}
