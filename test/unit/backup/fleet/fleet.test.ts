import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readFleet } from '../../../../src/backup/fleet/read-fleet.ts';
import { parseStatus } from '../../../../src/backup/fleet/parse-status.ts';
import { statusName, type StatusObject } from '../../../../src/backup/fleet/status-object.ts';
import { writeStatus } from '../../../../src/backup/fleet/write-status.ts';
import { openFilesystemStore } from '../../../../src/backup/store/filesystem.ts';
import { judgeHost, type FleetFacts } from '../../../../src/report/model/fleet.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const now = Date.parse('2026-11-29T12:00:00Z');
const hour = 60 * 60 * 1000;
const signal = new AbortController().signal;

const sample = (change: Partial<StatusObject> = {}): StatusObject => ({
  schema: 1,
  instance: 'main',
  at: '2026-11-29T11:41:00.000Z',
  host: 'db1',
  agent_version: '0.1.0',
  server: { engine: 'redis', version: '8.0.6', role: 'master' },
  findings: { info: 0, warning: 1, high: 0, critical: 2 },
  worst: ['backup-stale'],
  audited_at: null,
  audit_score: null,
  ...change,
});

function folder(): string {
  const path = makeTempFolder();
  onTestFinished(() => removeTempFolder(path));
  return path;
}

function put(root: string, key: string, text = '{}'): void {
  const path = join(root, key);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
}

test('tells of every instance from names and one small document each', async () => {
  const root = folder();
  put(root, 'a/20261129T060000Z-0001/manifest.json');
  put(root, 'a/20261129T060000Z-0001/verify-20261129T060100000Z-loaded-ok.json');
  put(root, 'a/20261128T060000Z-0002/manifest.json');
  put(root, 'a/20261128T060000Z-0002/drill-20261128T070000000Z-failed.json');
  put(root, `a/status/${statusName(now - hour)}`, JSON.stringify(sample({ instance: 'a' })));
  // Interrupted: without a manifest it is no backup, and its proof counts for nothing.
  put(root, 'b/20261129T060000Z-0003/dump.rdb.zst');
  put(root, 'b/20261129T060000Z-0003/verify-20261129T060100000Z-loaded-ok.json');
  put(root, `b/status/${statusName(now)}`, JSON.stringify(sample({ instance: 'a' })));
  put(root, 'notes.txt');
  const [a, b, ...others] = await readFleet(await openFilesystemStore(root), now, signal);
  expect(others).toEqual([]);
  expect(a).toMatchObject({
    instance: 'a',
    backups: 2,
    newest: { id: '20261129T060000Z-0001' },
    proven: { id: '20261129T060000Z-0001', level: 'loaded' },
    drilled: { ok: false },
    status: { host: 'db1' },
    problem: null,
  });
  expect(b).toMatchObject({
    backups: 0,
    newest: null,
    proven: null,
    status: null,
    problem: 'its status is of a',
  });
});

test('keeps the newest few statuses', async () => {
  const root = folder();
  const store = await openFilesystemStore(root);
  for (let hours = 5; hours >= 0; hours -= 1)
    await writeStatus(store, sample({ at: new Date(now - hours * hour).toISOString() }), signal);
  const names: string[] = [];
  for await (const { key } of store.list('main/status', { signal })) names.push(key);
  expect(names).toEqual([2, 1, 0].map((hours) => `main/status/${statusName(now - hours * hour)}`));
});

test.for<[what: string, text: string]>([
  ['no JSON', 'x'],
  ['a terminal escape as host', JSON.stringify(sample({ host: '\u001b[2J' }))],
  ['HTML as a rule', JSON.stringify(sample({ worst: ['<script>'] }))],
  [
    'a count that is none',
    JSON.stringify({ ...sample(), findings: { info: -1, warning: 0, high: 0, critical: 0 } }),
  ],
])('refuses a status with %s', ([, text]) => {
  expect(() => parseStatus(text, 'status')).toThrow('status cannot be read');
});

test('a newer status is left to a newer agent', () => {
  expect(() => parseStatus(JSON.stringify(sample({ schema: 2 })), 'status')).toThrow('newer redis-agent');
});

test('200 hosts with a week of backups', async () => {
  const root = folder();
  for (let host = 0; host < 200; host += 1)
    for (let day = 22; day < 29; day += 1) put(root, `h${host}/202611${day}T060000Z-0001/manifest.json`);
  expect(await readFleet(await openFilesystemStore(root), now, signal)).toHaveLength(200);
});

const fine: FleetFacts = {
  instance: 'main',
  host: 'db1',
  server: 'redis 8.0.6',
  backups: 7,
  newestAt: now - hour,
  provenAt: now - hour,
  drilled: { at: now - 24 * hour, ok: true },
  heardAt: now - hour,
  serious: 0,
  auditScore: 90,
  auditedAt: now - 24 * hour,
  problem: null,
};

test.for<[what: string, change: Partial<FleetFacts>, expected: string[]]>([
  ['in order', {}, []],
  ['no backup', { newestAt: null, provenAt: null }, ['no backup']],
  ['stale', { newestAt: now - 20 * hour }, ['stale: the newest backup is 20h 00m old']],
  ['unproven', { provenAt: null }, ['unproven: no backup has a proof']],
  ['a drill that failed', { drilled: { at: now, ok: false } }, ['the last drill did not restore']],
  ['never drilled', { drilled: null }, ['never drilled']],
  ['silent', { heardAt: now - 9 * hour }, ['its agent was last heard of 9h 00m ago']],
  ['unaudited', { auditedAt: null }, ['unaudited']],
  [
    'an agent that writes no status says nothing of audits',
    { heardAt: null, auditedAt: null, serious: null },
    [],
  ],
])('%s', ([, change, expected]) => {
  const found = judgeHost(
    { ...fine, ...change },
    { staleAfter: 13 * hour, overdueAfter: 90 * 24 * hour },
    now,
  );
  expect(found.map(({ text }) => text)).toEqual(expected);
});
