import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import {
  canBeNobody,
  editManifest,
  idsIn,
  runAgent,
  spawnAgent,
  takeBackup,
  writeConfig,
  type AgentResult,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { runRestoreChild } from '../../support/restore/kill-restore.ts';
import {
  manageServer,
  type ManagedOptions,
  type ManagedServer,
} from '../../support/servers/managed-server.ts';
import { startServer } from '../../support/servers/redis-server.ts';
import { childScript } from '../../support/house/child-script.ts';

async function prepare(
  options: ManagedOptions = {},
): Promise<{ server: ManagedServer; config: TestConfig; id: string }> {
  const server = await manageServer(options);
  const config = writeConfig({ instances: [server.instance] });
  await server.call('SET', 'key', 'as backed up');
  const id = await takeBackup(config, '--no-verify');
  await server.call('SET', 'key', 'as it is now');
  return { server, config, id };
}

async function plan(config: TestConfig, ...args: string[]): Promise<AgentResult> {
  return await runAgent(['--json', 'restore', '--dry-run', ...args], { config });
}

async function restore(config: TestConfig, ...args: string[]): Promise<AgentResult> {
  return await runAgent(['--json', 'restore', '--yes', ...args], { config });
}

test('live, where the server is up and nothing stands against it', async () => {
  const { server, config } = await prepare();
  const pids = await server.pids();
  const shown = await runAgent(['restore', '--dry-run'], { config });
  expect(shown.stdout).toMatch(/^method live: /m);
  expect(shown.stdout).toMatch(/^not files: it stops the server and starts it again$/m);
  expect(shown.stdout).toMatch(
    /^lost: everything written since .*; what is there now is\s+backed up first$/m,
  );
  expect(shown.stdout).toMatch(/^ {2}persist {2}the server saves\s.*\/dump\.rdb/m);
  expect(await restore(config)).toMatchObject({
    code: 0,
    json: { plan: { method: 'live' }, why_not: { method: 'files' }, outcome: 'restored' },
  });
  expect(await server.call('GET', 'key')).toBe('as backed up');
  expect(await server.pids()).toEqual(pids);
});

test('files, where it is down', async () => {
  const { server, config } = await prepare();
  await server.kill();
  const { json } = await plan(config);
  expect(json).toMatchObject({
    plan: { method: 'files' },
    why_not: { method: 'live', why: expect.stringMatching(/refused/) },
  });
  expect(await restore(config)).toMatchObject({ code: 0, json: { plan: { method: 'files' } } });
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('as backed up');
});

test('files, where the agent’s user may not make it a replica; and the plan says which rights that needs', async () => {
  const { server, config } = await prepare();
  await server.call('ACL', 'SETUSER', 'few', 'on', '>of-few-rights', '-@all', '+ping', '+info', '+time');
  await server.call('ACL', 'SETUSER', 'few', '+config|get', '+bgsave');
  const password = config.secret('few', 'of-few-rights');
  config.rewrite({ instances: [{ ...server.instance, username: 'few', password }] });
  const { stdout } = await runAgent(['restore', '--dry-run'], { config });
  expect(stdout).toMatch(/^method files: /m);
  expect(stdout).toMatch(/^not live: the agent’s user lacks rights on the server: \+replicaof /m);
});

test('as it was asked for', async () => {
  const { config } = await prepare();
  expect((await plan(config, '--method', 'files')).json).toMatchObject({
    plan: { method: 'files' },
    why_not: { method: 'live', why: '--method files was given' },
  });
  expect((await plan(config, '--method', 'live')).json).toMatchObject({
    plan: { method: 'live' },
    why_not: { method: 'files', why: '--method live was given' },
  });
});

test('live, where only the server is at hand: no way to stop it is known', async () => {
  const server = await startServer();
  await server.call('SET', 'key', 'as backed up');
  const config = writeConfig({ server });
  await takeBackup(config, '--no-verify');
  await server.call('SET', 'key', 'as it is now');
  expect(await restore(config)).toMatchObject({ code: 0, json: { plan: { method: 'live' } } });
  expect(await server.call('GET', 'key')).toBe('as backed up');
});

test('files, where a restore by files was interrupted: it is ended first, and live refuses', async () => {
  const { server, config } = await prepare();
  await runRestoreChild({ config: config.path, undo: false, killAt: 'place' });
  await server.start();
  expect((await plan(config)).json).toMatchObject({
    interrupted: expect.stringContaining('interrupted at place'),
    why_not: { method: 'live', why: expect.stringContaining('interrupted') },
  });
  expect(await restore(config, '--method', 'live')).toMatchObject({
    code: 7,
    json: { error: { reason: 'interrupted' } },
  });
  expect(await restore(config)).toMatchObject({ code: 0, json: { outcome: 'finished' } });
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('as backed up');
});

test('neither, nor an undo, where the journal of one that was interrupted cannot be read', async () => {
  const { server, config } = await prepare();
  await restore(config);
  await runRestoreChild({ config: config.path, undo: false, killAt: 'place' });
  writeFileSync(join(server.dir, '.redis-agent-restore', 'journal.json'), '{');
  await server.start();
  for (const args of [[], ['--method', 'live'], ['--method', 'files'], ['--undo']])
    expect(await restore(config, ...args)).toMatchObject({ code: 1, json: { error: { reason: 'journal' } } });
});

test('the newest is damaged: the plan says that it passes it over, and why', async () => {
  const { server, config, id } = await prepare();
  const newest = await takeBackup(config, '--no-verify');
  rmSync(join(config.repository, 'main', newest, 'dump.rdb.zst'));
  const { json } = await plan(config);
  expect(json.plan.backup).toBe(id);
  const why = `${newest} is newer and passed over: dump.rdb.zst is missing`;
  expect(json.plan.notes).toContainEqual(expect.stringContaining(why));
  await server.kill();
  expect((await plan(config)).json.plan).toMatchObject({ method: 'files', backup: id });
  expect((await plan(config)).json.plan.notes).toContainEqual(expect.stringContaining(why));
  // One that was named is what was meant.
  expect((await plan(config, id)).json.plan.notes).not.toContainEqual(expect.stringContaining(newest));
});

test('a live restore that was interrupted is ended first by either method', async () => {
  for (const method of ['live', 'files']) {
    const { server, config, id } = await prepare();
    const script = childScript('restore/restore-live-child');
    const child = spawn(process.execPath, [script, config.path, id, 'free'], { stdio: 'ignore' });
    await once(child, 'exit');
    // The guard has it take writes again; the rest waits for the next restore.
    await expect.poll(() => server.call('SET', 'key', 'x').catch(String)).toBe('OK');
    const planned = await plan(config, '--method', method);
    expect(planned.json).toMatchObject({ interrupted: expect.stringContaining('at free') });
    expect(planned.json.plan.guards).toEqual([]);
    expect(await restore(config, '--method', method)).toMatchObject({
      code: 0,
      json: { outcome: 'restored', interrupted: expect.stringContaining('at free') },
    });
    await server.reconnect();
    expect(await server.call('GET', 'key')).toBe('as backed up');
    expect(await server.call('SET', 'key', 'x')).toBe('OK');
  }
});

test('one that fails before anything is changed says which way is left, and does not take it', async () => {
  const { server, config, id } = await prepare();
  const pids = await server.pids();
  // Another host's prefix: the backup of what is there now is refused.
  editManifest(config, id, (manifest) => (manifest.writer.machine = 'f'.repeat(32)));
  const { code, json } = await restore(config);
  expect({ code, ...json.error }).toMatchObject({
    code: 'refused',
    message: expect.stringContaining('nothing was changed'),
    hint: expect.stringMatching(
      new RegExp(`--no-pre-backup; or use: redis-agent restore ${id} --method files$`),
    ),
  });
  expect(await server.pids()).toEqual(pids);
  expect(await server.call('GET', 'key')).toBe('as it is now');
});

test.skipIf(!canBeNobody)(
  'started by root, live gives root up: what it writes belongs to the daemon’s user',
  async () => {
    const { server, config } = await prepare();
    execFileSync('chown', ['-R', '65534:65534', config.folder]);
    // That user reads the server's dumps, as a member of its group would.
    const open = [config.folder, dirname(config.folder), server.dir, dirname(server.dir)];
    for (const folder of open) chmodSync(folder, 0o755);
    const { code, json } = await spawnAgent(['--json', 'restore', '--yes'], { config }).ended;
    expect({ code, ...json.error }).toEqual({ code: 0 });
    expect(json).toMatchObject({ plan: { method: 'live' }, outcome: 'restored' });
    expect(await server.call('GET', 'key')).toBe('as backed up');
    const foreign = execFileSync('find', [config.folder, '!', '-user', '65534']).toString();
    expect(foreign).toBe('');
    // The backup of what was there is the daemon's to prune.
    expect(idsIn(config)).toContain(json.restored.pre_backup);
  },
);
