import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  runAgent,
  takeBackup,
  writeConfig,
  type ConfigOptions,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { fillServer } from '../../support/data/data-set.ts';
import { describeData, type DataDescription } from '../../support/data/describe-data.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { canBeOtherHost, runOnOtherHost } from '../../support/agent/other-host.ts';
import { expectOk, makeAgeKey, type AgeKey } from '../../support/restore/prove-path.ts';
import { startServer } from '../../support/servers/redis-server.ts';
import { startFauxqs, type S3TestServer } from '../../support/stores/s3-servers.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

let keys: string;
let ageKey: AgeKey;
let s3: S3TestServer;
let prefixes = 0;

beforeAll(async () => {
  keys = makeTempFolder();
  ageKey = makeAgeKey(keys);
  s3 = await startFauxqs();
});
afterAll(async () => {
  await s3.stop();
  removeTempFolder(keys);
});

/** An encrypted repository in the bucket, as a configuration with credentials of its own names it. */
function inBucket(config: TestConfig, prefix: string): Pick<ConfigOptions, 'repository' | 'encryption'> {
  const { bucket, region, endpoint } = s3;
  const credentials = {
    access_key_id: config.secret('s3-id', s3.accessKeyId),
    secret_access_key: config.secret('s3-key', s3.secretAccessKey),
  };
  return {
    repository: { type: 's3', bucket, prefix, region, endpoint, credentials },
    encryption: ageKey.encryption,
  };
}

/** A host that is lost after its backup; gives what its server held, and where the backup is. */
async function loseHost(): Promise<{ held: DataDescription; prefix: string }> {
  const prefix = `hosts/${(prefixes += 1)}`;
  const server = await startServer({ config: { appendonly: 'yes' } });
  const config = writeConfig({});
  config.rewrite({ server, ...inBucket(config, prefix) });
  await fillServer(server);
  const held = await describeData(server);
  await takeBackup(config, '--no-verify');
  await server.stop();
  rmSync(config.folder, { recursive: true });
  return { held, prefix };
}

/** One with a configuration and credentials, and nothing else. */
function newHost(server: ManagedServer, prefix: string): TestConfig {
  const config = writeConfig({});
  config.rewrite({ instances: [server.instance], ...inBucket(config, prefix) });
  expect(readdirSync(config.folder).toSorted()).toEqual(['config.yaml', 'secrets']);
  return config;
}

describe.skipIf(!canBeOtherHost)('on a new host with a configuration and credentials', () => {
  test.each(['yes', 'no'])('a server that never ran, appendonly %s', async (appendonly) => {
    const { held, prefix } = await loseHost();
    const server = await manageServer({ config: { appendonly }, down: true });
    const config = newHost(server, prefix);
    const planned = await runOnOtherHost(['restore', '--method', 'files', '--dry-run'], { config });
    expect(planned).toMatchObject({ code: 0, json: { plan: { guards: [], save: false, source: 'rdb' } } });
    expect(readdirSync(server.dir)).toEqual([]);
    const restored = await runOnOtherHost(['restore', '--method', 'files', '--yes'], { config });
    expect(restored).toMatchObject({ code: 0, stderr: '', json: { outcome: 'restored', set_aside: [] } });
    await server.reconnect();
    expect(await describeData(server)).toEqual(held);
    await server.restart();
    expect(await describeData(server)).toEqual(held);
  });

  test('an empty server, live', async () => {
    const { held, prefix } = await loseHost();
    const server = await manageServer({ config: { appendonly: 'yes' } });
    const restored = await runOnOtherHost(['restore', '--method', 'live', '--yes'], {
      config: newHost(server, prefix),
    });
    expect(restored).toMatchObject({ code: 0, stderr: '', json: { restored: { pre_backup: null } } });
    expect(await describeData(server)).toEqual(held);
    await server.restart();
    expect(await describeData(server)).toEqual(held);
  });

  test('without the age key it says what is missing, and leaves the server as it was', async () => {
    const { prefix } = await loseHost();
    const server = await manageServer();
    await server.call('SET', 'key', 'as it was');
    const config = newHost(server, prefix);
    const { recipients } = ageKey.encryption;
    config.rewrite({
      instances: [server.instance],
      ...inBucket(config, prefix),
      encryption: { recipients },
    });
    for (const method of ['files', 'live']) {
      const { code, json } = await runOnOtherHost(['restore', '--method', method, '--yes'], { config });
      expect({ method, code, ...json.error }).toMatchObject({ method, reason: 'no-identity' });
      expect(json.error.hint).toContain(recipients[0]);
    }
    expect(await server.call('GET', 'key')).toBe('as it was');
  });
});

describe('with the agent’s state gone', () => {
  test.each(['files', 'live'])('%s', async (method) => {
    const server = await manageServer({ config: { appendonly: 'yes' } });
    const config = writeConfig({ instances: [server.instance] });
    await server.call('SET', 'key', 'as backed up');
    await takeBackup(config, '--no-verify');
    await server.call('SET', 'key', 'later');
    rmSync(config.state, { recursive: true });
    expectOk(await runAgent(['--json', 'restore', '--method', method, '--yes'], { config }));
    await server.reconnect();
    expect(await server.call('GET', 'key')).toBe('as backed up');
  });
});

describe.skipIf(!canBeOtherHost)('from a repository that is mounted read-only', () => {
  test('files', async () => {
    const server = await manageServer();
    const config = writeConfig({ instances: [server.instance] });
    await server.call('SET', 'key', 'as backed up');
    const id = await takeBackup(config, '--no-verify');
    await server.call('SET', 'key', 'later');
    const before = statSync(join(config.repository, 'main', id)).mtimeMs;
    const restored = await runOnOtherHost(['restore', '--method', 'files', '--yes'], {
      config,
      readOnly: config.repository,
    });
    expect(restored).toMatchObject({ code: 0, stderr: '' });
    await server.reconnect();
    expect(await server.call('GET', 'key')).toBe('as backed up');
    expect(statSync(join(config.repository, 'main', id)).mtimeMs).toBe(before);
  });

  test('live, which has nowhere to keep what is there now: refused, unless told', async () => {
    const server = await manageServer();
    const config = writeConfig({ instances: [server.instance] });
    await server.call('SET', 'key', 'as backed up');
    await takeBackup(config, '--no-verify');
    await server.call('SET', 'key', 'later');
    const live = ['restore', '--method', 'live', '--yes'];
    const there = { config, readOnly: config.repository, sameHost: true };
    const refused = await runOnOtherHost(live, there);
    expect(refused).toMatchObject({ code: 5, json: { error: { reason: 'denied' } } });
    expect(refused.json.error.message).toMatch(
      /^what is there now could not be backed up.* mounted read-only/,
    );
    expect(refused.json.error.hint).toMatch(/go on without it: --no-pre-backup$/);
    expect(await server.call('GET', 'key')).toBe('later');
    expect(await runOnOtherHost([...live, '--no-pre-backup'], there)).toMatchObject({ code: 0 });
    expect(await server.call('GET', 'key')).toBe('as backed up');
  });
});
