import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runAgent, takeBackup, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { runRestoreChild } from '../../support/restore/kill-restore.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { serverUser } from '../../support/servers/server-user.ts';

async function prepare(): Promise<{ server: ManagedServer; config: TestConfig }> {
  const server = await manageServer();
  const config = writeConfig({ instances: [server.instance] });
  await server.call('SET', 'key', 'as backed up');
  await takeBackup(config, '--no-verify');
  await server.call('SET', 'key', 'newer');
  return { server, config };
}

async function restore(config: TestConfig, ...args: string[]): ReturnType<typeof runAgent> {
  return await runAgent(['--json', 'restore', '--yes', ...args], { config });
}

const notes = (config: TestConfig): string => join(config.folder, 'state', 'restore');

test('a journal that this agent has no record of is shown, and acted on only when told to', async () => {
  const { server, config } = await prepare();
  await runRestoreChild({ config: config.path, undo: false, killAt: 'place 2 of 2' });
  rmSync(notes(config), { recursive: true });
  const files = readdirSync(server.dir).toSorted();
  const { json: plan } = await restore(config, '--dry-run');
  expect(plan.interrupted).toMatch(/interrupted at place, as a journal says .*: it is finished first$/);
  expect(plan.plan.guards[0]).toMatchObject({ name: 'unmatched', allowable: true });
  const refused = await restore(config);
  expect(refused).toMatchObject({ code: 7, json: { error: { reason: 'unmatched' } } });
  expect(refused.json.error.message).toMatch(/cut off at place, and this agent has no record of it/);
  expect(refused.json.error.hint).toMatch(/--recover-unmatched$/);
  expect(readdirSync(server.dir).toSorted()).toEqual(files);
  const { code, json } = await restore(config, '--recover-unmatched');
  expect({ code, outcome: json.outcome }).toEqual({ code: 0, outcome: 'finished' });
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('as backed up');
  expect(readdirSync(notes(config)).filter((name) => name.endsWith('.files.json'))).toEqual([]);
});

test('one of an older version, which noted that it had stopped the server, is finished', async () => {
  const { server, config } = await prepare();
  await runRestoreChild({ config: config.path, undo: false, killAt: 'start' });
  rmSync(join(notes(config), 'main.files.json'));
  expect(readdirSync(notes(config))).toEqual(['main.stopped.json']);
  const { code, json } = await restore(config);
  expect({ code, outcome: json.outcome }).toEqual({ code: 0, outcome: 'finished' });
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('as backed up');
});

test('a planted one that moves files, and one whose run is a way out of the folder', async () => {
  const { server, config } = await prepare();
  await server.call('SAVE');
  const folder = join(server.dir, '.redis-agent-restore');
  mkdirSync(folder, { mode: 0o700 });
  const planted = {
    schema: 1,
    token: '20260101T000000000Z-1',
    kind: 'restore',
    instance: 'main',
    backup: 'x\u001b]0;gotcha\u0007',
    started_at: '2026-01-01T00:00:00.000Z',
    step: 'place',
    was_running: true,
    keys_before: 0,
    layout: { authority: 'rdb', names: { dump: 'dump.rdb', aofFile: 'a', aofDir: 'b' } },
    source: 'rdb',
    kept: {},
    incoming: {},
    moves: [{ do: 'move', from: 'dump.rdb', to: 'elsewhere' }],
    expected: null,
    problem: null,
    outcome: null,
  };
  const plant = (journal: object): void => {
    writeFileSync(join(folder, 'journal.json'), JSON.stringify(journal), { mode: 0o600 });
    if (serverUser !== undefined)
      execFileSync('chown', ['-R', `${serverUser.uid}:${serverUser.gid}`, folder]);
  };
  plant(planted);
  const refused = await restore(config);
  expect(refused).toMatchObject({ code: 7, json: { error: { reason: 'unmatched' } } });
  expect(refused.json.error.message).not.toContain('\u001b');
  expect(existsSync(join(server.dir, 'dump.rdb'))).toBe(true);
  expect(await server.call('GET', 'key')).toBe('newer');
  plant({ ...planted, step: 'stage', token: '../..' });
  const outside = await restore(config, '--recover-unmatched');
  expect(outside.json.error).toMatchObject({
    reason: 'journal',
    message: expect.stringContaining('it names "../.."') as unknown,
  });
  expect(existsSync(join(server.dir, 'dump.rdb'))).toBe(true);
});
