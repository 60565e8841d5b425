import { expect, test } from 'vitest';
import { compareReports } from '../../../src/app/dumps/report-pair.ts';
import { renderKeyspaceDiff } from '../../../src/cli/render/keyspace-diff.ts';
import { createStyle } from '../../../src/cli/render/style.ts';
import { reportOf, reportTime, type Key } from '../../support/data/keyspace-reports.ts';

type Options = Parameters<typeof reportOf>[1];

const month = 30 * 86_400;
const many = (number: number, prefix: string, key: Partial<Key> = {}): Key[] =>
  Array.from({ length: number }, (_, index) => ({ ...key, name: `${prefix}${index}` }));

const oldKeys = [...many(400, 'user:'), ...many(40, 'cache:page:', { bytes: 2000 }), { name: 'a:b' }];
const newKeys = [...many(700, 'user:'), ...many(10, 'order:', { code: 4 }), { name: 'a:b', expiresAt: 5 }];

function render(
  before: [readonly Key[], Options?],
  after: [readonly Key[], Options?],
  { top = 20, stored = false, width = 80 } = {},
): string {
  const [from, to] = [before, after].map(([keys, options], index) => ({
    source: `backup ${index === 0 ? 'one' : 'two'} of main`,
    stored,
    summary: reportOf(keys, { made: reportTime + index * month, ...options }),
  }));
  if (from === undefined || to === undefined) throw new Error('there are two');
  return renderKeyspaceDiff(compareReports([from, to], 'memory'), { style: createStyle(false), width, top });
}

test('totals with a rate, types and prefixes, each with its change', () => {
  expect(render([oldKeys], [newKeys])).toBe(`before   2026-11-18 11:06:40 UTC, backup one of main
after    2026-12-18 11:06:40 UTC, backup two of main
between  30d 00h

                     BEFORE    AFTER   CHANGE           A DAY
keys                    441      711     +270  +61%        +9
never expire            441      710     +269  +61%        +9
in the dump          86 KiB   12 KiB  -73 KiB  -86%  -2.4 KiB
in memory, about    110 KiB   51 KiB  -59 KiB  -54%  -2.0 KiB
used by the server  4.8 MiB  4.8 MiB

Types
  DB   TYPE              KEYS    BYTES    MEMORY      NOW
  db0  string  shrank    +260  -73 KiB   -61 KiB   49 KiB
  db0  hash    appeared   +10   +170 B  +1.9 KiB  1.9 KiB

Prefixes (divided by :)
  PREFIX                 KEYS     BYTES    MEMORY      NOW
  cache:page:  vanished   -40   -79 KiB   -82 KiB
  user:        grew      +300  +5.3 KiB   +21 KiB   49 KiB
  order:       appeared   +10    +170 B  +1.9 KiB  1.9 KiB
  a:           expiry                                 64 B`);
});

test('nothing', () => {
  const text = render([oldKeys], [oldKeys, { made: reportTime }]);
  expect(text).toContain('Nothing has changed.');
  expect(text).not.toContain('PREFIX');
});

test('what is not exact, or cannot be compared, is said', () => {
  const stored = { stored: true };
  const text = render([oldKeys, { prefixes: 1 }], [newKeys], stored);
  expect(text).toMatch(/order: +entered/);
  expect(text).toContain('no dump was read');
  expect(text).toContain('--full reads the dumps');
  expect(render([oldKeys], [oldKeys, { depth: 1 }], stored)).toContain('cannot be compared');
  expect(render([oldKeys], [newKeys])).not.toContain('--full');
});

test('so is that not all prefixes could be counted, and that two servers are compared', () => {
  const source = { source: 'a.rdb', stored: false };
  const before = reportOf(oldKeys);
  const after = reportOf(newKeys);
  const lacking = { ...before, prefixes: { ...before.prefixes, complete: false, missed: 2048 } };
  const other = { ...after, rdb: { ...after.rdb, engine: 'valkey' } };
  const text = renderKeyspaceDiff(
    compareReports(
      [
        { ...source, summary: lacking },
        { ...source, summary: other },
      ],
      'memory',
    ),
    { style: createStyle(false), width: 80, top: 20 },
  );
  expect(text).toMatch(/order: +entered/);
  expect(text).toContain('each may lack up to 2.0 KiB');
  expect(text).toContain('made by different servers');
  expect(text).not.toContain('--full');
});

test('the first being the newer one is said, and no rate of a short time', () => {
  expect(render([oldKeys, { made: reportTime + 2 * month }], [newKeys])).toContain(
    'between  30d 00h; the first is the newer one',
  );
  expect(render([oldKeys], [newKeys, { made: reportTime + 60 }])).not.toContain('A DAY');
});

test('a line has 80 columns, whatever the names and numbers are', () => {
  const long = `${'segment'.repeat(20)}:`;
  const text = render(
    [many(3, long, { bytes: 2 ** 40 })],
    [many(3000, `\u001b[2J${long}`, { bytes: 2 ** 29 })],
  );
  expect(text.split('\n').filter((line) => Array.from(line).length > 80)).toEqual([]);
  expect(text).not.toContain('\u001b');
});
