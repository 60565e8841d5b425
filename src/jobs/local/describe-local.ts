import { manifestSchema, type Artefact, type Engine, type Manifest } from '../../domain/backup.ts';
import type { JobContext } from '../job.ts';

/**
 * A dump or an append only file that lies somewhere on this host, described as a backup is, so that it is planned, proven,
 * placed and undone as one. Its id is its absolute path. Disposing closes its files.
 */
export interface LocalBackup extends AsyncDisposable {
  manifest: Manifest;
  /** Its artefact, as often as it is asked for; that it is what the manifest says is for the reader to prove. */
  read(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** What was read of something that nobody has written a manifest for. */
export interface LocalFacts extends Pick<
  Manifest,
  'kind' | 'rdb_version' | 'rdb_checksum' | 'keyspace' | 'content' | 'aof'
> {
  /** Absolute. */
  path: string;
  artefact: Artefact;
  /** When the server wrote it, milliseconds. */
  writtenAt: number;
  server: { engine: Engine; version: string };
  /** Bytes of memory that its data takes, as far as it tells. */
  usedMemory: number;
  /** What was proven. */
  summary: string;
}

/** Its manifest, as if a backup had been taken of it. */
export function describeLocal(
  { clock, instance, writer }: JobContext,
  { path, artefact, writtenAt, server, usedMemory, summary, ...facts }: LocalFacts,
): Manifest {
  const written = new Date(writtenAt).toISOString();
  const now = new Date(clock.now()).toISOString();
  return {
    schema: manifestSchema,
    id: path,
    instance: instance.name,
    ...facts,
    requested_at: written,
    snapshot_at: written,
    completed_at: now,
    duration_seconds: 0,
    writer,
    server: {
      ...server,
      role: 'master',
      run_id: '',
      replication_id: '',
      replication_offset: 0,
      used_memory: usedMemory,
      started_at: written,
    },
    artefacts: [artefact],
    verified: { at: now, level: 'written', ok: true, summary, duration_seconds: 0 },
  };
}

/** A number that a dump tells of itself: whatever stands there, a count or nothing. */
export function countIn(text: string | undefined): number | undefined {
  const count = Number(text ?? Number.NaN);
  return Number.isSafeInteger(count) && count > 0 ? count : undefined;
}
