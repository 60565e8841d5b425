import type { Manifest } from '../../../src/domain/backup.ts';

/** A valid manifest; `overrides` replace whole members. */
export function sampleManifest(overrides: Partial<Manifest> = {}): Manifest {
  return {
    schema: 1,
    id: '20261121T060000Z-7f3a',
    instance: 'main',
    kind: 'rdb',
    requested_at: '2026-11-21T06:00:00.000Z',
    snapshot_at: '2026-11-21T06:00:01.000Z',
    completed_at: '2026-11-21T06:00:02.000Z',
    duration_seconds: 2,
    writer: { host: 'redis-1', machine: 'f00d', agent_version: '0.1.0' },
    server: {
      engine: 'redis',
      version: '7.0.15',
      role: 'master',
      run_id: 'a'.repeat(40),
      replication_id: 'b'.repeat(40),
      replication_offset: 42,
      used_memory: 1_000_000,
      started_at: '2026-11-20T00:00:00.000Z',
    },
    rdb_version: 10,
    rdb_checksum: true,
    artefacts: [
      {
        name: 'dump.rdb.zst',
        plain: { bytes: 1000, sha256: '0'.repeat(64) },
        stored: { bytes: 5, sha256: '1'.repeat(64) },
        compression: { algorithm: 'zstd', level: 1 },
        encryption: null,
      },
    ],
    keyspace: { databases: { 0: { keys: 10, expires: 2 } }, exact: true },
    content: { types: { string: 10 }, aux: { 'redis-ver': '7.0.15' }, unread: null },
    verified: {
      at: '2026-11-21T06:00:02.000Z',
      level: 'written',
      ok: true,
      summary: 'stored',
      duration_seconds: 2,
    },
    ...overrides,
  };
}
