import type { BackupKind, Engine } from '../domain/backup.ts';
import type { State } from './db/open.ts';

/** A scratch server has loaded these very bytes, and held the keys that it should. */
export interface Load {
  /** Of the plain bytes. */
  sha256: string;
  kind: BackupKind;
  /** Of the server that loaded them. */
  engine: Engine;
  version: string;
  /** Milliseconds since the epoch. */
  at: number;
}

/** As many as are kept: more than any retention keeps backups. */
const kept = 10_000;

export function noteLoad({ db }: State, load: Load): void {
  db.prepare(
    `INSERT OR REPLACE INTO loads (sha256, kind, engine, version, at)
     VALUES (:sha256, :kind, :engine, :version, :at)`,
  ).run({ ...load });
  db.prepare('DELETE FROM loads WHERE at < (SELECT at FROM loads ORDER BY at DESC LIMIT 1 OFFSET ?)').run(
    kept,
  );
}

/** Newest first. */
export function loadsOf({ db }: State, sha256: string, kind: BackupKind): Load[] {
  return (
    db
      .prepare(
        `SELECT sha256, kind, engine, version, at FROM loads WHERE sha256 = ? AND kind = ? ORDER BY at DESC`,
      )
      .all(sha256, kind)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the STRICT table has exactly these columns
      .map((row) => row as unknown as Load)
  );
}
