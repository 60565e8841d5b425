import { describe, expect, test } from 'vitest';
import { drillName, parseDrillMark } from '../../../src/backup/drill-mark.ts';
import { parseDrill } from '../../../src/backup/drill-record.ts';
import { formatDocument } from '../../../src/backup/manifest.ts';
import { sampleDrill } from '../../support/data/sample-drill.ts';

const drill = sampleDrill();

describe('the name of a drill', () => {
  test('tells when it was and how it ended', () => {
    expect(drillName(drill)).toBe('drill-20261121T070000123Z-ok.json');
    expect(drillName({ ...drill, ok: false })).toBe('drill-20261121T070000123Z-failed.json');
    expect(parseDrillMark(drillName(drill))).toEqual({
      name: 'drill-20261121T070000123Z-ok.json',
      at: Date.parse(drill.at),
      ok: true,
    });
  });

  test.each(['drill-20261121T070000123Z.json', 'drill-20261340T070000123Z-ok.json', 'xdrill-ok.json'])(
    '%s is none',
    (name) => {
      expect(parseDrillMark(name)).toBeUndefined();
    },
  );
});

describe('the record of a drill', () => {
  test('is read as it was written', () => {
    expect(parseDrill(formatDocument(drill), 'x')).toEqual(drill);
    const failed = sampleDrill({ ok: false, keys: null, compared: null, recovery_seconds: null });
    expect(parseDrill(formatDocument(failed), 'x')).toEqual(failed);
  });

  test('a newer one is refused, a damaged one named', () => {
    expect(() => parseDrill(formatDocument({ ...drill, schema: 2 }), 'drill-1.json')).toThrow(
      'drill-1.json was written by a newer redis-agent (schema 2)',
    );
    expect(() => parseDrill(formatDocument({ ...drill, bytes: -1 }), 'drill-1.json')).toThrow(
      /^drill-1.json cannot be read: bytes: /,
    );
    expect(() => parseDrill('{', 'drill-1.json')).toThrow(/^drill-1.json cannot be read/);
  });
});
