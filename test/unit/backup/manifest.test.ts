import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backupIdTime, byAge, makeBackupId } from '../../../src/backup/id.ts';
import { judgeWriter } from '../../../src/backup/judge-writer.ts';
import { formatDocument, parseManifest } from '../../../src/backup/manifest.ts';
import { compareCounts } from '../../../src/backup/verify/compare-counts.ts';
import { schemaOf } from '../../../src/domain/backup.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { sampleManifest } from '../../support/data/sample-manifest.ts';

const key = { id: '20261121T060000Z-7f3a', instance: 'main' };

function errorOf(act: () => unknown): AgentError {
  try {
    act();
  } catch (error) {
    if (error instanceof AgentError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('backup ids', () => {
  test('hold their time and sort by it', () => {
    const at = Date.parse('2026-11-21T06:00:00.999Z');
    expect(makeBackupId(at, 0x7f3a)).toBe('20261121T060000Z-7f3a');
    expect(backupIdTime('20261121T060000Z-7f3a')).toBe(Date.parse('2026-11-21T06:00:00Z'));
    expect(makeBackupId(at, 0xffff) < makeBackupId(at + 1000, 0)).toBe(true);
  });

  test.each([
    '',
    'latest',
    '20261121T060000Z',
    '20261121T060000Z-7f3a ',
    '20261399T060000Z-7f3a',
    '../20261121T060000Z-7f3a',
  ])('%j is none', (text) => {
    expect(backupIdTime(text)).toBeUndefined();
  });
});

describe('parseManifest', () => {
  test('reads back what was written, and lets later keys pass', () => {
    const manifest = sampleManifest();
    expect(parseManifest(formatDocument(manifest), key)).toEqual(manifest);
    const later = { ...manifest, invented_later: 1, server: { ...manifest.server, flag: true } };
    expect(parseManifest(JSON.stringify(later), key)).toMatchObject({ id: manifest.id });
  });

  test('a later schema is refused, not called damaged', () => {
    const error = errorOf(() => parseManifest(JSON.stringify({ schema: 3, id: key.id }), key));
    expect(error).toMatchObject({ code: 'refused', reason: 'newer' });
    expect(error.message).toBe('backup 20261121T060000Z-7f3a was written by a newer redis-agent (schema 3)');
  });

  test('what is not compressed has a schema of its own, which an older version refuses; nothing else has', () => {
    const [zstd] = sampleManifest().artefacts;
    if (zstd === undefined) throw new Error('it has one');
    const compression = { algorithm: 'none' } as const;
    const asIs = { ...zstd, name: 'dump.rdb', stored: zstd.plain, compression };
    const encryption = { algorithm: 'age' as const, recipients: ['age1us'] };
    const sealed = { ...zstd, name: 'dump.rdb.age', compression, encryption };
    expect([zstd, asIs, sealed].map(schemaOf)).toEqual([1, 2, 2]);
    for (const artefact of [zstd, asIs, sealed]) {
      const manifest = sampleManifest({ schema: schemaOf(artefact), artefacts: [artefact] });
      expect(parseManifest(formatDocument(manifest), key)).toEqual(manifest);
    }
    const cases: [object, RegExp][] = [
      [{ schema: 1, artefacts: [asIs] }, /schema: it is too old/],
      [{ schema: 2, artefacts: [{ ...asIs, name: 'dump.rdb.zst' }] }, /not what their names say/],
      [{ schema: 2, artefacts: [{ ...asIs, name: 'aof.tar' }] }, /not what their names say/],
      [{ schema: 2, artefacts: [{ ...asIs, encryption }] }, /not what their names say/],
      [{ schema: 2, artefacts: [{ ...asIs, stored: zstd.stored }] }, /stored as it is, and yet/],
      [{ schema: 2, artefacts: [{ ...asIs, compression: { algorithm: 'lz4' } }] }, /compression/],
      [{ schema: 2, artefacts: [{ ...zstd, compression: { algorithm: 'zstd' } }] }, /compression.level/],
    ];
    for (const [change, problem] of cases) {
      const error = errorOf(() => parseManifest(JSON.stringify({ ...sampleManifest(), ...change }), key));
      expect(error.code).toBe('damaged');
      expect(error.message).toMatch(problem);
    }
  });

  test('a manifest of another backup or instance is damaged', () => {
    expect(
      errorOf(() => parseManifest(formatDocument(sampleManifest({ instance: 'other' })), key)),
    ).toMatchObject({
      code: 'damaged',
    });
  });

  test('a name that leads elsewhere is no artefact', () => {
    const [artefact] = sampleManifest().artefacts;
    const text = JSON.stringify({
      ...sampleManifest(),
      artefacts: [{ ...artefact, name: '../../../etc/passwd' }],
    });
    expect(errorOf(() => parseManifest(text, key)).message).toMatch(/artefacts\.0\.name/);
  });

  test('anything else is damaged, and never another error', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json(), fc.constant(formatDocument(sampleManifest()).slice(0, -20))),
        (text) => {
          expect(errorOf(() => parseManifest(text, key)).code).toMatch(/damaged|refused/);
        },
      ),
    );
  });
});

describe('judgeWriter', () => {
  const newest = sampleManifest();
  const mine = { writer: newest.writer, server: newest.server, now: Date.parse('2026-11-21T12:00:00Z') };

  test('nobody before, the same server, and a restarted server may go on', () => {
    const restarted = { ...newest.server, run_id: 'c'.repeat(40), started_at: '2026-11-21T07:00:00.000Z' };
    expect(judgeWriter(undefined, mine)).toBeUndefined();
    expect(judgeWriter(newest, mine)).toBeUndefined();
    expect(judgeWriter(newest, { ...mine, server: restarted })).toBeUndefined();
  });

  test('another host may not', () => {
    const other = { ...newest.writer, machine: 'beef' };
    expect(judgeWriter(newest, { ...mine, writer: other })).toMatch(/written by another host, redis-1/);
  });

  test('one that seems to come from the future does not tell when its server was up', () => {
    const restarted = { ...newest.server, run_id: 'c'.repeat(40), started_at: '2026-11-21T05:00:00.000Z' };
    const ahead = sampleManifest({ id: '20300101T000000Z-7f3a', requested_at: '2030-01-01T00:00:00.000Z' });
    expect(judgeWriter(ahead, { ...mine, server: restarted })).toBeUndefined();
    expect(judgeWriter(ahead, { ...mine, writer: { ...newest.writer, machine: 'beef' } })).toMatch(
      /another host/,
    );
  });

  test('a clone, whose server was up while the other wrote, may not', () => {
    const clone = { ...newest.server, run_id: 'c'.repeat(40), started_at: '2026-11-21T05:00:00.000Z' };
    expect(judgeWriter(newest, { ...mine, server: clone })).toMatch(/a clone of redis-1/);
  });
});

describe('byAge', () => {
  test('what seems to come from the future is before all others', () => {
    const [old, young] = ['20261120T060000Z-7f3a', '20261121T123000Z-7f3a'];
    const ahead = ['20261121T131000Z-7f3a', '20300101T000000Z-7f3a'];
    const now = Date.parse('2026-11-21T12:00:00Z');
    expect([...ahead, young, old].toSorted(byAge(now))).toEqual([...ahead, old, young]);
  });
});

describe('compareCounts', () => {
  const expected = { databases: { 0: { keys: 10, expires: 4 }, 3: { keys: 1, expires: 0 } }, exact: true };

  test('equal', () => {
    expect(compareCounts(expected, expected.databases)).toBeUndefined();
  });

  test('a lost, an added, and an unexpected database', () => {
    expect(compareCounts(expected, { ...expected.databases, 0: { keys: 9, expires: 3 } })).toBe(
      'database 0 holds 9 keys instead of 10',
    );
    expect(compareCounts(expected, { 0: { keys: 10, expires: 4 } })).toMatch(/database 3 holds 0/);
    expect(compareCounts(expected, { ...expected.databases, 5: { keys: 1, expires: 1 } })).toMatch(
      /database 5/,
    );
  });

  test('an expiry that was lost', () => {
    expect(compareCounts(expected, { ...expected.databases, 0: { keys: 10, expires: 3 } })).toBe(
      'in database 0 3 keys have an expiry instead of 4',
    );
  });

  test('counts taken at another moment prove nothing', () => {
    expect(compareCounts({ ...expected, exact: false }, {})).toBeUndefined();
  });
});
