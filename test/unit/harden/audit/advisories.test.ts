import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  mergeAdvisories,
  renderAdvisories,
  type AdvisoryFile,
} from '../../../../scripts/advisories/merge.ts';
import { judgeAdvisory } from '../../../../src/harden/audit/judge-advisory.ts';

const root = join(import.meta.dirname, '../../../..');
const text = readFileSync(join(root, 'conf/advisories.json'), 'utf8');
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tests below keep its form
const file = JSON.parse(text) as AdvisoryFile;
const schema = JSON.parse(readFileSync(join(root, 'conf/advisories.schema.json'), 'utf8'));
const row = (id: string) => {
  const found = file.rows.find((each) => each.id === id);
  if (found === undefined) throw new Error(id);
  return found;
};

test('the list is in the form of its schema, and each row has a source', () => {
  const { required, properties } = schema.properties.rows.items;
  for (const each of file.rows) {
    expect(Object.keys(each)).toEqual(expect.arrayContaining(required));
    expect(Object.keys(each).filter((key) => !(key in properties))).toEqual([]);
    expect(each.id).toMatch(new RegExp(properties.id.pattern));
    expect(each.source.length).toBeGreaterThan(3);
    for (const version of Object.values(each.fixed).flat()) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  }
  expect(renderAdvisories(file)).toContain(`"checked": "${file.checked}"`);
});

test.each([
  ['CVE-2025-49844', 'redis', '8.0.3', 'open'],
  ['CVE-2025-49844', 'redis', '8.0.4', 'fixed'],
  ['CVE-2025-49844', 'redis', '7.0.15', 'open'],
  ['CVE-2025-49844', 'redis', '8.4.0', 'fixed'],
  ['CVE-2025-49844', 'valkey', '8.0.6', 'fixed'],
  ['CVE-2025-62507', 'redis', '7.0.15', 'fixed'],
  ['CVE-2025-62507', 'valkey', '9.1.2', 'fixed'],
  ['CVE-2026-23479', 'redis', '7.0.15', 'fixed'],
  ['CVE-2026-23479', 'redis', '7.2.9', 'unknown'],
  ['CVE-2026-23631', 'redis', '6.2.20', 'fixed'],
  ['CVE-2026-66373', 'redis', '8.8.1', 'unknown'],
  ['CVE-2026-21863', 'valkey', '9.0.2', 'open'],
  ['CVE-2026-21863', 'redis', '8.2.9', 'unknown'],
  ['CVE-2026-81934', 'redis', '7.2.16', 'unknown'],
])('%s in %s %s is %s', (id, engine, version, state) => {
  expect(
    judgeAdvisory(row(id), { engine: engine === 'valkey' ? 'valkey' : 'redis', version }, undefined).state,
  ).toBe(state);
});

test('what the package’s changelog names is fixed, by whichever of its ids', () => {
  const of = { engine: 'redis', version: '7.0.15' } as const;
  expect(judgeAdvisory(row('CVE-2025-49844'), of, new Set(['CVE-2025-49844'])).state).toBe('fixed');
  expect(judgeAdvisory(row('CVE-2026-66373'), of, new Set(['CVE-2026-63639'])).state).toBe('fixed');
});

test('an OSV record adds what is new, and leaves what stands there', () => {
  const record = {
    id: 'GHSA-aaaa-bbbb-cccc',
    aliases: ['CVE-2026-99999'],
    summary: 'a flaw',
    published: '2026-11-01T00:00:00Z',
    database_specific: { severity: 'CRITICAL' },
    affected: [
      { package: { name: 'redis' }, ranges: [{ events: [{ introduced: '0' }, { fixed: '8.2.11' }] }] },
    ],
  };
  const again = { ...record, id: 'X', aliases: ['CVE-2025-49844'] };
  const { merged, notes } = mergeAdvisories(file, { vulns: [record, again, { id: 'other' }] }, '2026-11-29');
  expect(merged.rows.at(-1)).toMatchObject({
    id: 'CVE-2026-99999',
    severity: 'critical',
    fixed: { redis: ['8.2.11'] },
  });
  expect(merged.rows.find(({ id }) => id === 'CVE-2025-49844')?.fixed).toEqual(row('CVE-2025-49844').fixed);
  expect(merged.checked).toBe('2026-11-29');
  expect(notes).toHaveLength(2);
});
