import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runAgent, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import type { FileItem } from '../../support/rdb/model.ts';
import { writeRdb } from '../../support/rdb/rdb-writer.ts';
import { findBuild, startServer, type TestServer } from '../../support/servers/redis-server.ts';

/** A dump with a string and values of two modules, which no server here has. */
function dumpWithModules(folder: string): string {
  const string: FileItem = {
    kind: 'key',
    name: Buffer.from('plain'),
    code: 0,
    contents: { data: 'string', bytes: Buffer.from('one') },
  };
  const ofModule = (name: string, module: string): FileItem => ({
    kind: 'key',
    name: Buffer.from(name),
    code: 7,
    contents: { data: 'module', module, version: 3, parts: [] },
  });
  const { bytes } = writeRdb({
    engine: 'redis',
    version: 10,
    checksum: true,
    items: [
      string,
      ...['json:1', 'json:2', 'json:3'].map((name) => ofModule(name, 'ReJSON-RL')),
      ofModule('bloom', 'MBbloom--'),
    ],
  });
  const path = join(folder, 'modules.rdb');
  writeFileSync(path, bytes);
  return path;
}

async function scene(): Promise<{ config: TestConfig; target: TestServer; path: string; args: string[] }> {
  const target = await startServer();
  const config = writeConfig({ server: target });
  const path = dumpWithModules(config.folder);
  return { config, target, path, args: ['restore', path, '--keys', '*', '--into', target.url] };
}

const lacks = (name: string): string =>
  `the server refuses it: it lacks the module ${name}, or has an older one`;
const refused = [
  { reason: lacks('ReJSON-RL'), keys: 3, examples: ['json:1', 'json:2', 'json:3'] },
  { reason: lacks('MBbloom--'), keys: 1, examples: ['bloom'] },
];

describe('values of modules that the target has not got', () => {
  test('are listed by the dry run, and are not among what would be written', async () => {
    const { config, target, args } = await scene();
    const plan = await runAgent([...args, '--dry-run', '--json'], { config });
    expect(plan).toMatchObject({
      code: 1,
      json: { plan: { survey: { keys: 1, types: { string: { keys: 1 } }, impossible: refused } } },
    });
    expect(plan.json.plan.survey.types).not.toHaveProperty('module');
    const shown = await runAgent([...args, '--dry-run'], { config });
    expect(shown.stdout.replaceAll(/\s+/g, ' ')).toContain(`3 keys cannot be written: ${lacks('ReJSON-RL')}`);
    expect(await target.call('DBSIZE')).toBe(0);
  });

  test('are named and counted, exit status 1, and none of them has expired', async () => {
    const { config, target, args } = await scene();
    const done = await runAgent([...args, '--yes', '--json'], { config });
    expect(done).toMatchObject({
      code: 1,
      json: { result: { written: 1, expired: 0, failed: refused } },
    });
    expect(await target.call('KEYS', '*')).toEqual(['plain']);
  });

  test('from standard input too', async () => {
    const { config, path, target } = await scene();
    const args = ['restore', '-', '--keys', '*', '--into', target.url, '--yes', '--json'];
    const done = await runAgent(args, { config, input: readFileSync(path) });
    expect(done).toMatchObject({ code: 1, json: { result: { written: 1, expired: 0, failed: refused } } });
  });
});

const vectors = findBuild('redis', '8.0');
const targets = [findBuild('redis', '7.0'), findBuild('valkey', '9.1')].flatMap((build) => build ?? []);

describe.skipIf(vectors === undefined).each(targets)('vector sets of 8.0 into $name', (build) => {
  test('are not written, and that is said', async () => {
    const source = await startServer(vectors === undefined ? {} : { build: vectors });
    await source.call('VADD', 'vectors', 'VALUES', 3, '0.1', '0.2', '0.3', 'item');
    await source.call('SET', 'plain', 'one');
    await source.call('SAVE');
    const target = await startServer({ build });
    const config = writeConfig({ server: target });
    const args = ['restore', source.dumpPath, '--keys', '*', '--into', target.url];
    const plan = await runAgent([...args, '--dry-run', '--json'], { config });
    expect(plan).toMatchObject({
      code: 1,
      json: { plan: { survey: { keys: 1, impossible: [{ keys: 1 }] } } },
    });
    const done = await runAgent([...args, '--yes', '--json'], { config });
    expect(done).toMatchObject({
      code: 1,
      json: { result: { written: 1, expired: 0, failed: [{ keys: 1, examples: ['vectors'] }] } },
    });
  });
});
