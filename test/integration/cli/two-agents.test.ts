import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  copyBackup,
  editManifest,
  idsIn,
  runAgent,
  takeBackup,
  writeConfig,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

async function server(): Promise<TestServer> {
  const started = await startServer();
  await started.call('SET', 'key', 'value');
  return started;
}

const hint =
  'give this instance a name or repository of its own, or, when it replaces that one, run: redis-agent backup --take-over';

async function expectRefused(config: TestConfig, why: RegExp): Promise<void> {
  const before = idsIn(config);
  const { code, stdout, stderr } = await runAgent(['backup'], { config });
  expect({ code, stdout }).toEqual({ code: 7, stdout: '' });
  expect(stderr).toMatch(why);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr).toContain(hint);
  const { json } = await runAgent(['backup', '--json'], { config });
  expect(json).toMatchObject({ error: { code: 'refused', reason: 'foreign-writer', hint } });
  expect(idsIn(config)).toEqual(before);
  // check tells it before a backup has to.
  expect(await runAgent(['check'], { config })).toMatchObject({
    code: 3,
    stdout: expect.stringMatching(/prefix\s+failed\s+another agent uses this prefix: .*--take-over/),
  });
}

describe('two agents on one prefix', () => {
  test('another host: refused, until it is told to take over', async () => {
    const config = writeConfig({ server: await server() });
    const id = await takeBackup(config);
    editManifest(config, id, (manifest) => {
      manifest.writer.machine = 'f'.repeat(32);
      manifest.writer.host = 'the-other-host';
    });
    await expectRefused(
      config,
      new RegExp(`its newest backup ${id} was written by another host, the-other-host;`),
    );
    await takeBackup(config, '--take-over');
    // Now the prefix is ours.
    await takeBackup(config);
    expect(idsIn(config)).toHaveLength(3);
  });

  test('a clone: another server that was up at that time', async () => {
    const clone = await server();
    const original = await server();
    const first = writeConfig({ server: original });
    const id = await takeBackup(first);
    first.rewrite({ server: clone });
    // As if that had been a minute later: clocks that differ by seconds are not taken for a clone.
    editManifest(first, id, (manifest) => {
      manifest.requested_at = new Date(Date.parse(manifest.requested_at) + 60_000).toISOString();
    });
    await expectRefused(
      first,
      new RegExp(`its newest backup ${id} came from another server \\(run_id \\w{8}…\\)`),
    );
    await takeBackup(first, '--take-over');
    await takeBackup(first);
  });

  test('a server that was restarted is no other', async () => {
    const restarted = await server();
    const config = writeConfig({ server: restarted });
    await takeBackup(config);
    await restarted.restart();
    // Not the same second, or the start and the backup would be one moment.
    await delay(1000);
    await takeBackup(config);
    expect(await runAgent(['check'], { config })).toMatchObject({ code: 0 });
  });

  test('a server that was replaced by one started later is no other', async () => {
    const old = await server();
    const config = writeConfig({ server: old });
    await takeBackup(config);
    await old.stop();
    config.rewrite({ server: await server() });
    await takeBackup(config);
  });

  test('a backup from a time when the clock was wrong is neither another agent nor the newest', async () => {
    const config = writeConfig({ server: await server() });
    const first = await takeBackup(config);
    const ahead = '20990101T000000Z-7f3a';
    copyBackup(config, first, ahead);
    editManifest(config, ahead, (manifest) => {
      manifest.requested_at = '2099-01-01T00:00:00.000Z';
      manifest.server.run_id = 'f'.repeat(40);
    });
    const second = await takeBackup(config);
    const { json } = await runAgent(['backups', 'show', 'latest', '--json'], { config });
    expect(json).toMatchObject({ manifest: { id: second } });
    expect(await runAgent(['status'], { config })).toMatchObject({
      stdout: expect.stringContaining(`newest ${second}`),
    });
    rmSync(join(config.repository, 'main', first), { recursive: true });
    rmSync(join(config.repository, 'main', second), { recursive: true });
    await takeBackup(config);
  });

  test('hostile words of the other agent come back harmless', async () => {
    const config = writeConfig({ server: await server() });
    const id = await takeBackup(config);
    editManifest(config, id, (manifest) => {
      manifest.writer.machine = 'f'.repeat(32);
      manifest.writer.host = '\u001b]0;owned\u0007\nredis-agent: all is well';
    });
    await expectRefused(config, /another host, \\x1b\]0;owned\\x07\\x0aredis-agent: all is well;/);
  });
});
