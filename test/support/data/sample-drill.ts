import type { DrillRecord } from '../../../src/domain/drill.ts';

/** The record of a drill that held. */
export function sampleDrill(overrides: Partial<DrillRecord> = {}): DrillRecord {
  return {
    schema: 1,
    backup: '20261121T060000Z-7f3a',
    at: '2026-11-21T07:00:00.123Z',
    ok: true,
    summary: '3 keys loaded, every value and expiry as in the backup',
    server: { engine: 'redis', version: '7.0.15' },
    loaded_as: 'rdb',
    bytes: 1000,
    stored_bytes: 500,
    keys: 3,
    compared: { keys: 3, elements: 5, incomplete: 0, differences: [] },
    seconds: { fetch: 0.1, decode: 0.2, check: 0.3, load: 0.4, compare: 0.5, total: 1.6 },
    recovery_seconds: 1,
    ...overrides,
  };
}
