import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { readAvailableMemory } from '../../../src/lib/memory/memory.ts';
import { runAgent, takeBackup, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';

const memory = vi.hoisted(() => ({ available: undefined as number | undefined }));
// Nobody can take a machine's memory away for one test.
vi.mock('../../../src/lib/memory/memory.ts', async (original) => {
  const real = await original<{ readAvailableMemory: typeof readAvailableMemory }>();
  return { readAvailableMemory: async () => memory.available ?? (await real.readAvailableMemory()) };
});

/** One key twice in a database: a server ends at the second. */
const keyTwice = Buffer.from('524544495330303130fe0000016101760001610177ff7b38b7ad1495cdb5', 'hex');
/** It goes to a database of which it has no key: a server that has fewer ends there. */
const database20 = Buffer.from('524544495330303130fe14ff037baafef221f4a9', 'hex');

async function prepare(): Promise<{ server: ManagedServer; config: TestConfig; pids: number[] }> {
  const server = await manageServer({ config: { appendonly: 'yes' } });
  await server.call('SET', 'key', 'as it is now');
  const config = writeConfig({ instances: [server.instance] });
  return { server, config, pids: await server.pids() };
}

async function expectUntouched({ server, pids }: { server: ManagedServer; pids: number[] }): Promise<void> {
  expect(await server.pids()).toEqual(pids);
  expect(await server.call('GET', 'key')).toBe('as it is now');
  expect(await server.call('SET', 'other', 'taken')).toBe('OK');
}

test.each([
  // Damage, found when it is read deeply; the other is as it should be, for a server with more databases.
  ['one key twice', keyTwice, 6, 'has this key twice, which ends a server'],
  ['a database that the server does not have', database20, 7, 'it uses database 20'],
])('a dump with %s is not sent to a server, whatever is insisted on', async (_name, dump, exit, why) => {
  const at = await prepare();
  const path = join(at.config.folder, 'dump.rdb');
  writeFileSync(path, dump);
  for (const flag of [[], ['--allow-unloaded']]) {
    const args = ['restore', path, '--method', 'live', '--yes', ...flag];
    const { code, stderr } = await runAgent(args, { config: at.config });
    expect({ code, stderr }).toMatchObject({ code: exit, stderr: expect.stringContaining(why) });
  }
  await expectUntouched(at);
});

test('a dump with a database that the server does not have is not placed', async () => {
  const at = await prepare();
  const path = join(at.config.folder, 'dump.rdb');
  writeFileSync(path, database20);
  const refused = await runAgent(['restore', path, '--method', 'files', '--yes'], { config: at.config });
  expect(refused).toMatchObject({ code: 7, stderr: expect.stringContaining('raise databases') });
  await expectUntouched(at);
});

test('without memory for a scratch server: by files, unless live is insisted on', async () => {
  const at = await prepare();
  const { server, config } = at;
  const id = await takeBackup(config, '--no-verify');
  await server.call('SET', 'key', 'newer');
  memory.available = 1024 * 1024;
  try {
    const plan = await runAgent(['--json', 'restore', id, '--dry-run'], { config });
    expect(plan).toMatchObject({
      code: 0,
      json: {
        plan: { method: 'files' },
        why_not: { why: expect.stringContaining('--allow-unloaded insists') },
      },
    });
    const refused = await runAgent(['restore', id, '--method', 'live', '--yes'], { config });
    expect(refused).toMatchObject({ code: 7, stderr: expect.stringContaining('--allow-unloaded') });
    expect(await server.call('GET', 'key')).toBe('newer');
    const insisted = await runAgent(['--json', 'restore', id, '--yes', '--allow-unloaded'], { config });
    expect(insisted).toMatchObject({
      code: 0,
      json: { restored: { proven: expect.stringContaining('not loaded: loading it needs') } },
    });
    expect(await server.call('GET', 'key')).toBe('as it is now');
  } finally {
    memory.available = undefined;
  }
  const usual = await runAgent(['--json', 'restore', id, '--yes'], { config });
  expect(usual.json.restored).toMatchObject({
    // The attempt before has read it.
    proven: expect.stringMatching(/^every value decoded on \S+, loaded in a scratch server$/) as unknown,
  });
});
