import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  runAgent,
  takeBackup,
  writeConfig,
  type AgentResult,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';

async function prepare(): Promise<{ server: ManagedServer; config: TestConfig; id: string }> {
  const server = await manageServer();
  const config = writeConfig({ instances: [server.instance] });
  await server.call('SET', 'key', 'as backed up');
  const id = await takeBackup(config, '--no-verify');
  await server.call('SET', 'key', 'as it was before');
  return { server, config, id };
}

async function restore(config: TestConfig, ...args: string[]): Promise<AgentResult> {
  const result = await runAgent(['--json', 'restore', '--yes', ...args], { config });
  expect({ code: result.code, ...result.json.error }).toEqual({ code: 0 });
  return result;
}

test('latest is never what a live restore replaced, and the list says what that is', async () => {
  const { server, config, id } = await prepare();
  const first = await restore(config);
  expect(first.json.restored).toMatchObject({ backup: id, pre_backup: expect.any(String) });
  await server.call('SET', 'key', 'spoiled again');
  const second = await restore(config);
  expect(second.json.restored.backup).toBe(id);
  expect(await server.call('GET', 'key')).toBe('as backed up');
  const { json } = await runAgent(['--json', 'backups', 'list'], { config });
  expect(json.backups.map(({ purpose }: { purpose: unknown }) => purpose)).toEqual([
    'pre-restore',
    'pre-restore',
    null,
  ]);
  const { stdout } = await runAgent(['backups', 'list'], { config });
  expect(stdout.match(/before restore/g)).toHaveLength(2);
});

test('an undo puts back what the last restore replaced, whichever kind that was', async () => {
  const { server, config } = await prepare();
  await restore(config);
  // Shown first, as any other plan.
  const planned = await runAgent(['--json', 'restore', '--undo', '--dry-run'], { config });
  expect(planned.json.plan).toMatchObject({ method: 'live' });
  await restore(config, '--undo');
  expect(await server.call('GET', 'key')).toBe('as it was before');
  // The undo was a restore too: it is what is undone now.
  await restore(config, '--undo');
  expect(await server.call('GET', 'key')).toBe('as backed up');

  await server.call('SET', 'key', 'before the files');
  await restore(config, '--method', 'files');
  await server.reconnect();
  await restore(config, '--undo');
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('before the files');
});

test('an undo to far fewer keys is what was asked for', async () => {
  const { server, config } = await prepare();
  await server.call('EVAL', "for i = 1, 500 do redis.call('SET', 'more:' .. i, i) end", 0);
  const id = await takeBackup(config, '--no-verify');
  await server.call('FLUSHALL');
  await server.call('SET', 'key', 'all that is left');
  await restore(config, id);
  await restore(config, '--undo');
  expect(await server.call('DBSIZE')).toBe(1);
});

test('where nothing was kept, or nothing is known, it says so', async () => {
  const { config } = await prepare();
  await restore(config, '--no-pre-backup');
  const kept = await runAgent(['--json', 'restore', '--undo', '--yes'], { config });
  expect(kept).toMatchObject({
    code: 7,
    json: { error: { message: expect.stringContaining('kept nothing') } },
  });
  rmSync(join(config.state, 'restore'), { recursive: true });
  const unknown = await runAgent(['--json', 'restore', '--undo', '--yes'], { config });
  expect(unknown).toMatchObject({ json: { error: { reason: 'missing' } } });
});

test('no line of a plan is longer than a terminal of 80 columns', async () => {
  const { config } = await prepare();
  for (const method of ['live', 'files']) {
    const { stdout } = await runAgent(['restore', '--dry-run', '--method', method], { config });
    // A path has no place to be broken at.
    const long = stdout.split('\n').filter((line) => line.length > 80 && !line.includes('/'));
    expect(long).toEqual([]);
  }
});
