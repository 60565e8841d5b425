import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderCsv } from '../../../src/cli/render/csv.ts';
import { diffCsv, keyspaceCsv } from '../../../src/cli/render/keyspace-csv.ts';
import { diffKeyspaces } from '../../../src/keyspace/diff.ts';
import { reportOf, someReports } from '../../support/data/keyspace-reports.ts';
import { parseCsv, parseCsvTable } from '../../support/data/parse-csv.ts';

/** With what would be a formula in a second field escaped. */
function expected(value: string | number | null): string {
  return String(value ?? '').replaceAll(
    /[;\t\r\n](?=[\s"']*[=+\-@＝＋－＠])/g,
    (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

describe('a table', () => {
  test('quotes what RFC 4180 quotes, and nothing else', () => {
    const rows = [['a', 'a b', 'a,b', 'say "x"', 'two\nlines', '', null, 0, -1.5, 'é']];
    expect(renderCsv(['title', 'x,y'], rows)).toBe(
      'title,"x,y"\na,a b,"a,b","say ""x""","two\nlines",,,0,-1.5,é',
    );
  });

  test.each([
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', '\\x09=1'],
    ['\tx', "'\tx"],
    ['\rx', '"\'\rx"'],
    [' =1', "' =1"],
    ['＝1', "'＝1"],
    ["'=1", "''=1"],
    ['=cmd|"/c calc"!A1', '"\'=cmd|""/c calc""!A1"'],
    // Where fields are divided by ; these would be two.
    ['a;=1+1', 'a\\x3b=1+1'],
    ['a;"=1', '"a\\x3b""=1"'],
    ['a;b', 'a;b'],
    ['a=b-c', 'a=b-c'],
  ])('no text runs as a formula: %j', (text, field) => {
    expect(renderCsv(['t'], [[text]])).toBe(`t\n${field}`);
  });

  test('whatever the texts are, they come back, and none begins like a formula', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary-ascii' }),
      fc
        .array(fc.constantFrom('=', '+', '-', '@', "'", '"', ',', ';', '\t', '\r', '\n', ' ', 'a'))
        .map((all) => all.join('')),
    );
    const field = fc.oneof(text, fc.maxSafeInteger(), fc.constant(null));
    fc.assert(
      fc.property(fc.array(fc.array(field, { minLength: 2, maxLength: 2 }), { maxLength: 4 }), (rows) => {
        const [, ...back] = parseCsv(renderCsv(['one', 'two'], rows));
        const bare = back.map((row) => row.map((found) => found.replace(/^'/, '')));
        expect(bare).toEqual(rows.map((row) => row.map(expected)));
        const texts = back.flatMap((row, at) =>
          row.filter((_, column) => typeof rows[at]?.[column] === 'string'),
        );
        expect(texts.filter((found) => /^[=+\-@\t\r]|[;\t\n\r][\s"']*[=+\-@]/.test(found))).toEqual([]);
      }),
    );
  });
});

describe('a report as a table', () => {
  test('each line says what it is of', () => {
    const report = reportOf([
      { name: 'user:1', expiresAt: 1_795_003_600_000 },
      { name: 'user:2' },
      { name: '=1+1', database: 2, code: 1 },
    ]);
    const rows = parseCsvTable(keyspaceCsv(report));
    expect(rows.every(({ made }) => made === '2026-11-18 11:06:40')).toBe(true);
    const of = (section: string): Record<string, string>[] =>
      rows.filter((row) => row['section'] === section);
    expect(of('total')).toMatchObject([{ keys: '3', expiring: '1', memory: String(report.totals.memory) }]);
    expect(of('type')).toMatchObject([
      { database: '0', type: 'string', keys: '2' },
      { database: '2', type: 'list', keys: '1' },
    ]);
    expect(of('encoding').map(({ encoding }) => encoding)).toEqual(['embstr', 'linkedlist']);
    expect(of('prefix')).toMatchObject([{ name: 'user:', type: 'string', keys: '2', database: '' }]);
    expect(of('key').map(({ name }) => name)).toContain("'=1+1");
    expect(of('key').map((row) => row['expires_at'])).toContain('2026-11-18 12:06:40');
    expect(of('ttl').find(({ name }) => name === 'never')).toMatchObject({ keys: '2', below: '' });
    expect(of('ttl').filter(({ keys }) => keys !== '0')).toHaveLength(2);
    expect(of('size').length).toBeGreaterThan(5);
    expect(of('idle')).toEqual([]);
  });

  test('of any report: one table, which parses, whose lines add up', () => {
    fc.assert(
      fc.property(someReports, (report) => {
        const rows = parseCsvTable(keyspaceCsv(report));
        const sum = (section: string): number =>
          rows.filter((row) => row['section'] === section).reduce((all, { keys }) => all + Number(keys), 0);
        for (const section of ['type', 'encoding', 'ttl', 'size'])
          expect([section, sum(section)]).toEqual([section, report.totals.keys]);
        expect(rows.filter(({ section }) => section === 'prefix')).toHaveLength(report.prefixes.list.length);
      }),
      { numRuns: 20 },
    );
  });
});

test('a comparison as a table: before, after and the difference of each measure', () => {
  fc.assert(
    fc.property(someReports, someReports, (a, b) => {
      const diff = diffKeyspaces(a, b);
      const rows = parseCsvTable(diffCsv(diff));
      expect(rows).toHaveLength(1 + diff.types.length + diff.prefixes.list.length);
      for (const row of rows)
        for (const measure of ['keys', 'bytes', 'memory', 'expiring'])
          expect(Number(row[`${measure}_after`]) - Number(row[`${measure}_before`])).toBe(
            Number(row[`${measure}_change`]),
          );
      expect(Number(rows[0]?.['keys_after'])).toBe(b.totals.keys);
    }),
    { numRuns: 20 },
  );
});
