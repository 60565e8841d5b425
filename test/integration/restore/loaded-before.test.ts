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
  const artefact = (of: string): string => {
    const folder = join(config.repository, 'main', of);
    const [name = ''] = readdirSync(folder).filter((each) => each.startsWith('dump.rdb'));
    return join(folder, name);
  };
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
