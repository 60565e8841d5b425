import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { KeyPlan } from '../../../src/backup/restore-keys/judge-key-plan.ts';
import { noCounts } from '../../../src/backup/restore-keys/tally.ts';
import { renderRestoreKeys } from '../../../src/cli/render/restore-keys.ts';
import { createStyle } from '../../../src/cli/render/style.ts';

const plan: KeyPlan = {
  source: {
    kind: 'backup',
    name: 'backup 20261121T155707Z-a31a of main',
    backup: '20261121T155707Z-a31a',
    taken_at: '2026-11-21T15:57:12.000Z',
  },
  target: {
    name: 'a-server-with-a-long-name.of-a-provider.example:16379',
    url: 'rediss://a-server-with-a-long-name.of-a-provider.example:16379',
    engine: 'valkey',
    version: '8.1.1',
    run_id: 'a',
    replication_id: 'b',
    tenure: 'a',
    databases: { 0: 1 },
    used_memory: 1_500_000,
    maxmemory: 2 ** 30,
    maxmemory_policy: 'noeviction',
    aof: true,
    cluster: null,
  },
  keys: { patterns: ['user:*', 'a\u0007b'], database: 3, type: 'hash', to_database: 0 },
  existing: 'skip',
  ttl: 'keep',
  with_functions: false,
  method: 'commands',
  method_reason: 'NOPERM User agent has no permissions to run the \u001b[31mrestore command',
  survey: {
    keys: 1,
    bytes: 100,
    types: { hash: { keys: 1, bytes: 100 } },
    databases: { 3: { keys: 1, bytes: 100 } },
    passed: 2_000_000,
    expired: 3,
    by_commands: 1,
    memory: 400,
    impossible: [],
    existing: 0,
    existing_examples: [],
    existing_unknown: [],
    functions: 0,
    problems: [],
  },
  resumes_from: 0,
  warnings: [
    'this is the server that the backup was taken from: what was written to these keys since is lost',
  ],
};
const style = createStyle(false);

test('a plan fits 80 columns, and shows nothing that a terminal would obey', () => {
  const text = renderRestoreKeys({ plan, result: null }, style, 80);
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  expect(text).toContain('1 key, 100 B in the dump: 1 hash');
  const there = { ...plan, survey: plan.survey && { ...plan.survey, existing: 1 } };
  expect(renderRestoreKeys({ plan: there, result: null }, style, 999)).toContain('1 of them there already');
  expect(text).toContain('user:* a\\x07b, of type hash only, of database 3, into database 0');
});

test('of a dump of which nothing could be read nobody says that no key matches', () => {
  const result = { ...noCounts(), resumed_from: null, functions: null, seconds: 0, keys_per_second: 0 };
  const lost = { ...result, problems: ['its first block is damaged'] };
  expect(renderRestoreKeys({ plan, result: lost }, style, 80)).toMatch(
    /^0 keys written .*\nthe dump is damaged, .*: its first block is damaged$/,
  );
  expect(renderRestoreKeys({ plan, result }, style, 80)).toContain('no key matches: nothing written');
});

test('a result names what was not written, and why', () => {
  const failed = [
    { reason: 'some of its fields expire, which this server cannot do', keys: 7, examples: ['a', 'b'] },
  ];
  const counts = { ...noCounts(), written: 1, bytes: 100, expired: 2, failed };
  const result = { ...counts, resumed_from: null, functions: null, seconds: 1.25, keys_per_second: 1 };
  expect(renderRestoreKeys({ plan, result }, style, 60).split('\n')).toEqual([
    '1 key written into a-server-with-a-long-name.of-a-provider.example:16379, 100 B in 1.3s (1 keys/s)',
    '  2 had expired (--ttl shift or drop writes such)',
    '7 keys not written: some of its fields expire, which this',
    '  server cannot do',
    '  a, b, …',
    'once that is mended, the same command with --skip-existing',
    'writes them',
  ]);
});

test('whoever is told to write keys into a server is told which: without --keys it is refused', () => {
  const source = join(import.meta.dirname, '../../../src');
  const told = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => readFileSync(join(source, name), 'utf8').split('\n'))
    .filter((line) => /restore .*--into URL/.test(line));
  expect(told.length).toBeGreaterThan(2);
  expect(told.filter((line) => !/--keys \S+ --into URL/.test(line))).toEqual([]);
});
