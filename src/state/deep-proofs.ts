import type { Engine } from '../domain/backup.ts';
import type { State } from './db/open.ts';

/** Every value of these very bytes was decoded, as a server of that version reads them. */
export interface NotedProof {
  /** Of the plain bytes. */
  sha256: string;
  engine: Engine;
  version: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** What was found, as JSON. */
  found: string;
  /** SHA-256 of each of its blocks, one behind the other. */
  blocks: Uint8Array;
}

/** As many as are kept. Of a dump of 100 GiB the digests take 3 MiB. */
const kept = 100;

export function noteDeepProof({ db }: State, proof: NotedProof): void {
  db.prepare(
    `INSERT OR REPLACE INTO deep_proofs (sha256, engine, version, at, found, blocks)
     VALUES (:sha256, :engine, :version, :at, :found, :blocks)`,
  ).run({ ...proof });
  db.prepare(
    'DELETE FROM deep_proofs WHERE at < (SELECT at FROM deep_proofs ORDER BY at DESC LIMIT 1 OFFSET ?)',
  ).run(kept - 1);
}

/** Undefined: none of that version, which alone reads them just so. */
export function deepProofOf(
  { db }: State,
  { sha256, engine, version }: Pick<NotedProof, 'sha256' | 'engine' | 'version'>,
): NotedProof | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the STRICT table has exactly these columns
  return db
    .prepare(
      'SELECT sha256, engine, version, at, found, blocks FROM deep_proofs WHERE sha256 = ? AND engine = ? AND version = ?',
    )
    .get(sha256, engine, version) as NotedProof | undefined;
}
