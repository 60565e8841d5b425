import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseKeyspace } from '../../../src/backup/kept-report.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import type { KeyspaceSummary } from '../../../src/domain/keyspace.ts';
import { compactReport } from '../../../src/keyspace/compact.ts';
import { reportOf, someReports } from '../../support/data/keyspace-reports.ts';
import { runs } from '../../support/house/tier.ts';

const read = (value: unknown): KeyspaceSummary =>
  parseKeyspace(JSON.stringify(value), 'keys.json of backup x');
const report = reportOf([{ name: 'user:1' }, { name: 'user:2', code: 4, expiresAt: 5 }, { name: 'a' }]);

test('what is written is read, whole and compact, also with what `keys --json` adds', () => {
  fc.assert(
    fc.property(someReports, (each) => {
      expect(read(each)).toEqual(each);
      expect(read(compactReport(each))).toEqual(compactReport(each));
    }),
    { numRuns: 20 },
  );
  expect(read({ ...report, source: 'backup x', stored: true })).toEqual(report);
});

test('a dump from outside of time is read too', () => {
  const late = reportOf([{ name: 'a', expiresAt: 9e15 }], { made: 9e12 });
  expect(late.created_at).toMatch(/^\+/);
  expect(read(late)).toEqual(late);
});

test('names are made safe for a terminal', () => {
  const [prefix] = report.prefixes.list;
  const [key] = report.keys;
  const hostile = '\u001b[2J\u202e';
  const safe = '\\x1b[2J\\u{202e}';
  const found = read({
    ...report,
    rdb: { ...report.rdb, aux: { [hostile]: hostile } },
    prefixes: { ...report.prefixes, list: [{ ...prefix, prefix: hostile }] },
    keys: [{ ...key, key: hostile }],
  });
  expect(found.rdb.aux).toEqual({ [safe]: safe });
  expect(found.prefixes.list[0]?.prefix).toBe(safe);
  expect(found.keys[0]?.key).toBe(safe);
});

describe('what is no report', () => {
  const { totals, prefixes } = report;
  test.each<[string, unknown, RegExp]>([
    ['nothing', '', /JSON/],
    ['cut off', JSON.stringify(report).slice(0, -9), /JSON/],
    ['another document', '{"schema":1,"id":"x"}', /rdb/],
    ['an array', '[]', /expected object/],
    ['nested without end', '['.repeat(500_000), /JSON/],
    ['null', 'null', /expected object/],
    ['a negative count', { ...report, totals: { ...totals, keys: -1 } }, /totals\.keys/],
    ['a count beyond counting', { ...report, totals: { ...totals, bytes: 1e300 } }, /totals\.bytes/],
    ['half a key', { ...report, totals: { ...totals, keys: 0.5 } }, /totals\.keys/],
    ['text for a number', { ...report, totals: { ...totals, memory: '1' } }, /totals\.memory/],
    ['a separator of two', { ...report, prefixes: { ...prefixes, separator: '::' } }, /prefixes\.separator/],
    [
      'a separator that a terminal obeys',
      { ...report, prefixes: { ...prefixes, separator: '\u001b' } },
      /separator/,
    ],
    ['endless depth', { ...report, prefixes: { ...prefixes, depth: 1e9 } }, /prefixes\.depth/],
    [
      'more prefixes than are ever kept',
      { ...report, prefixes: { ...prefixes, list: Array.from({ length: 10_001 }, () => prefixes.list[0]) } },
      /prefixes\.list/,
    ],
    [
      'a name without end',
      { ...report, keys: [{ ...report.keys[0], key: 'x'.repeat(5000) }] },
      /keys\.0\.key/,
    ],
    ['a time that is none', { ...report, created_at: 'yesterday\u001b' }, /created_at/],
    ['a type that is no word', { ...report, selection: { database: null, type: '=1' } }, /selection\.type/],
  ])('%s', (_, value, why) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const attempt = (): KeyspaceSummary => parseKeyspace(text, 'keys.json of backup x');
    expect(attempt).toThrow(AgentError);
    expect(attempt).toThrow(why);
    expect(attempt).toThrow(
      expect.objectContaining({
        code: 'damaged',
        message: expect.stringMatching(/^keys\.json of backup x cannot be read: .{1,500}$/),
      }),
    );
  });

  test('a later schema is left to a later agent', () => {
    expect(() => read({ schema: 2 })).toThrow(expect.objectContaining({ code: 'refused', reason: 'newer' }));
  });

  test('whatever is put in place of a part, it is read or refused', () => {
    const paths = pathsOf(report);
    expect(paths.length).toBeGreaterThan(100);
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => {
        const spoilt: unknown = structuredClone(report);
        replace(spoilt, path, value);
        const thrown = thrownBy(() => read(spoilt));
        expect(thrown === undefined || thrown instanceof AgentError).toBe(true);
      }),
      { numRuns: runs(200) },
    );
  });
});

function thrownBy(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

function pathsOf(value: unknown, at: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) => [[...at, name], ...pathsOf(part, [...at, name])]);
}

function replace(root: unknown, path: readonly string[], value: unknown): void {
  let at = root;
  for (const name of path.slice(0, -1)) at = Reflect.get(Object(at), name);
  Reflect.set(Object(at), path.at(-1) ?? '', value);
}
