import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runAgent, takeBackup, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';

async function prepare(): Promise<{ server: ManagedServer; config: TestConfig; id: string }> {
  const server = await manageServer();
  const config = writeConfig({ instances: [server.instance] });
  await server.call('SET', 'key', 'as backed up');
  const id = await takeBackup(config);
  await server.call('SET', 'key', 'newer');
  return { server, config, id };
}

async function restore(config: TestConfig, ...args: string[]): ReturnType<typeof runAgent> {
  return await runAgent(['--json', 'restore', '--yes', ...args], { config });
}

function artefactOf(config: TestConfig, id: string): string {
  const folder = join(config.repository, 'main', id);
  const [name = ''] = readdirSync(folder).filter((each) => each.startsWith('dump.rdb'));
  return join(folder, name);
}

const noted = /loaded by (redis|valkey) [\d.]+ on \d{4}-\d\d-\d\d, as this agent has noted/;

test('what this agent saw loaded is not loaded again first, by either method, unless asked for', async () => {
  const { server, config, id } = await prepare();
  const { json: plan } = await restore(config, id, '--method', 'files', '--dry-run');
  expect(plan.plan.steps).toContainEqual({ step: 'verify', why: expect.stringMatching(noted) as unknown });
  const files = await restore(config, id, '--method', 'files');
  expect(files).toMatchObject({ code: 0, json: { proven: expect.stringMatching(noted) as unknown } });
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('as backed up');
  const live = await restore(config, id, '--method', 'live');
  expect(live).toMatchObject({
    code: 0,
    json: { restored: { proven: expect.stringMatching(noted) as unknown } },
  });
  for (const [method, proven] of [
    ['files', (json: Record<string, unknown>) => json['proven']],
    ['live', (json: { restored: { proven: string } }) => json.restored.proven],
  ] as const) {
    const again = await restore(config, id, '--method', method, '--prove-again');
    expect(again.code).toBe(0);
    expect(proven(again.json)).toMatch(/loaded in a scratch server$/);
  }
});

test('who loses the state, or puts other bytes into the repository, gains nothing by what was loaded', async () => {
  const { server, config, id } = await prepare();
  await server.call('SET', 'another', 'x'.repeat(100));
  const other = await takeBackup(config);
  const artefact = (of: string): string => artefactOf(config, of);
  const original = `${artefact(id)}.original`;
  copyFileSync(artefact(id), original);
  copyFileSync(artefact(other), artefact(id));
  const swapped = await restore(config, id, '--method', 'files');
  expect(swapped).toMatchObject({ code: 6, json: { error: { code: 'damaged' } } });
  expect(await server.call('GET', 'key')).toBe('newer');
  copyFileSync(original, artefact(id));
  rmSync(original);
  for (const name of readdirSync(join(config.folder, 'state')))
    if (name.startsWith('state.db')) rmSync(join(config.folder, 'state', name));
  const lost = await restore(config, id, '--method', 'files');
  expect(lost).toMatchObject({ code: 0, json: { proven: 'loaded in a scratch server' } });
});

test('what was read value by value is not read so again before a live restore: by it, or by a proof that is told to', async () => {
  const { server, config, id } = await prepare();
  const provenBy = async (...args: string[]): Promise<unknown> => {
    const { code, json } = await restore(config, id, '--method', 'live', '--no-pre-backup', ...args);
    expect({ code, json }).toMatchObject({ code: 0 });
    expect(await server.call('GET', 'key')).toBe('as backed up');
    return json.restored.proven;
  };
  expect(await provenBy()).toMatch(/^every value decoded, loaded by /);
  expect(await provenBy()).toMatch(/^every value decoded on \d{4}-\d\d-\d\d, loaded by /);
  expect(await provenBy('--prove-again')).toBe('every value decoded, loaded in a scratch server');

  config.rewrite({ instances: [server.instance], settings: { verify: { deep: true } } });
  await server.call('SET', 'key', 'later');
  await server.call('SET', 'session', 'x', 'PX', 3_600_000);
  const later = await takeBackup(config);
  const { json: plan } = await restore(config, later, '--method', 'live', '--dry-run');
  expect(plan.plan.steps).toContainEqual({
    step: 'verify',
    why: expect.stringMatching(/^every value decoded on .* each block held to its SHA-256/) as unknown,
  });
  const { json } = await restore(config, later, '--method', 'live', '--no-pre-backup');
  expect(json.restored).toMatchObject({ proven: expect.stringMatching(/decoded on/) as unknown, expired: 0 });
});

test('other bytes than those that were read end a live restore, and the server has what it had', async () => {
  const { server, config, id } = await prepare();
  expect((await restore(config, id, '--method', 'live', '--no-pre-backup')).code).toBe(0);
  await server.call('SET', 'key', 'newer');
  const other = await takeBackup(config);
  copyFileSync(artefactOf(config, other), artefactOf(config, id));
  const { code, json } = await restore(config, id, '--method', 'live', '--no-pre-backup');
  expect({ code, json }).toMatchObject({ code: 6, json: { error: { code: 'damaged' } } });
  expect(await server.call('GET', 'key')).toBe('newer');
  expect(await server.call('ROLE')).toContain('master');
});
