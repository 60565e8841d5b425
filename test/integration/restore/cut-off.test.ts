import { spawn, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AgentError, systemCode } from '../../../src/domain/errors.ts';
import { restoreJob } from '../../../src/jobs/restore/restore-job.ts';
import {
  canBeNobody,
  runAgent,
  spawnAgent,
  takeBackup,
  writeConfig,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { runRestoreChild } from '../../support/restore/kill-restore.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import type { Directives } from '../../support/servers/server-config.ts';
import { openApp } from '../../support/agent/open-app.ts';
import { childScript } from '../../support/house/child-script.ts';

/** A server with a backup and newer data. */
async function prepare({
  managed = true,
  full = false,
  directives = {},
}: { managed?: boolean; full?: boolean; directives?: Directives } = {}): Promise<{
  server: ManagedServer;
  config: TestConfig;
}> {
  const server = await manageServer({ down: full, config: directives });
  if (full) {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=80m', 'tmpfs', server.dir]);
    onTestFinished(async () => {
      await server.kill().catch(() => {});
      execFileSync('umount', ['-l', server.dir]);
    });
    await server.start();
  }
  const { service: _, ...unmanaged } = server.instance;
  const config = writeConfig({ instances: [managed ? server.instance : unmanaged] });
  await server.call('SET', 'key', 'as backed up');
  await takeBackup(config, '--no-verify');
  await server.call('SET', 'key', 'newer');
  return { server, config };
}

async function restore(config: TestConfig, ...args: string[]): ReturnType<typeof runAgent> {
  return await runAgent(['--json', 'restore', '--yes', ...args], { config });
}

async function findings(config: TestConfig): Promise<{ rule: string; summary: string; remedy: string }[]> {
  const { json } = await runAgent(['--json', 'status'], { config });
  return json[0].findings;
}

/** Takes all the room that there is. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch (error) {
    if (systemCode(error) !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
}

test('of a server that nobody manages: says by what it was started, and goes on when it is up', async () => {
  const { server, config } = await prepare({ managed: false });
  await runRestoreChild({ config: config.path, undo: false, killAt: 'place 2 of 2' });
  const command = `the command ${server.build.server} ${server.configFile}`;
  const refused = await restore(config);
  expect(refused).toMatchObject({ code: 1, json: { error: { reason: 'unknown' } } });
  expect(refused.json.error.message).toContain('has stopped main and was cut off; nothing is lost');
  expect(refused.json.error.hint).toContain(`start the server as before, by ${command}`);
  const status = await runAgent(['status'], { config });
  expect(status).toMatchObject({ code: 4, stdout: expect.stringContaining(command) });
  await server.start();
  expect(await findings(config)).toMatchObject([{ rule: 'restore-interrupted', severity: 'critical' }]);
  expect(await restore(config)).toMatchObject({ code: 0, json: { outcome: 'finished' } });
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('as backed up');
  expect(await findings(config)).toEqual([]);
});

test('an undo is told of as one, and its notice goes with a journal that was put right by hand', async () => {
  const { server, config } = await prepare();
  expect(await restore(config, '--method', 'files')).toMatchObject({ code: 0 });
  await runRestoreChild({ config: config.path, undo: true, killAt: 'start' });
  expect(await findings(config)).toMatchObject([
    { summary: expect.stringMatching(/^an undo of the restore/) },
  ]);
  rmSync(join(server.dir, '.redis-agent-restore', 'journal.json'));
  await server.start();
  expect(await runAgent(['restore', '--dry-run'], { config })).toMatchObject({ code: 0 });
  expect(await findings(config)).toEqual([]);
});

test.each([
  ['start', 'no'],
  ['compare', 'yes'],
])(
  'killed at %s (AOF %s), what is written before the same command comes again is not taken back',
  async (killAt, appendonly) => {
    const { server, config } = await prepare({ directives: { appendonly } });
    await runRestoreChild({ config: config.path, undo: false, killAt });
    // A boot of the host, and another one.
    await server.kill();
    await server.start();
    await server.call('SET', 'since', 'x');
    await server.call(appendonly === 'yes' ? 'BGREWRITEAOF' : 'BGSAVE');
    await expect
      .poll(() => server.call('INFO', 'persistence'))
      .toMatch(/rdb_bgsave_in_progress:0[^]*aof_rewrite_in_progress:0/);
    await server.restart();
    const { code, json } = await restore(config);
    expect({ code, outcome: json.outcome, ...json.error }).toEqual({ code: 0, outcome: 'finished' });
    expect(await server.call('MGET', 'key', 'since')).toEqual(['as backed up', 'x']);
  },
);

test('what was saved over half placed files is set aside too, and named', async () => {
  const { server, config } = await prepare();
  await runRestoreChild({ config: config.path, undo: false, killAt: 'place 2 of 2' });
  await server.start();
  await server.call('SET', 'key', 'newest');
  await server.call('SAVE');
  const { json } = await restore(config);
  expect(json).toMatchObject({ outcome: 'finished' });
  const kept: string[] = json.set_aside;
  expect(
    kept.map((path) =>
      path
        .split('.')
        .at(-1)
        ?.replace(/-\d+T.*/, ''),
    ),
  ).toEqual(['before-restore', 'in-the-way']);
  expect(kept.map((path) => readFileSync(path).includes('newest'))).toEqual([false, true]);
});

test('latest is the newest of now, and not of when the one that was cut off began', async () => {
  const { server, config } = await prepare();
  await runRestoreChild({ config: config.path, undo: false, killAt: 'place' });
  await server.start();
  await server.call('SET', 'key', 'newest');
  const newest = await takeBackup(config, '--no-verify');
  const { code, json } = await restore(config);
  expect({ code, outcome: json.outcome, ...json.error }).toEqual({ code: 0, outcome: 'restored' });
  expect(json.plan.backup).toBe(newest);
  expect(json.interrupted).toMatch(/: finished now$/);
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('newest');
});

test('what the note of a cut-off restore says is shown as text', async () => {
  const { config } = await prepare();
  const notice = {
    schema: 1,
    kind: 'restore',
    backup: '\u001B[2J',
    started_at: '',
    dir: '\u001B[2J',
    service: '',
  };
  mkdirSync(join(config.state, 'restore'), { recursive: true });
  writeFileSync(join(config.state, 'restore/main.stopped.json'), JSON.stringify(notice));
  const { code, stdout } = await runAgent(['status'], { config });
  expect(code).toBe(3);
  expect(stdout).toContain('was cut off');
  expect(stdout).not.toContain('\u001B');
});

test.runIf(canBeNobody)(
  'who may not look into the data directory does not restore over one that was cut off, nor undo another',
  async () => {
    const { server, config } = await prepare();
    const asNobody = async (...args: string[]): ReturnType<typeof runAgent> => {
      execFileSync('chown', ['-R', '65534:65534', config.folder]);
      return await spawnAgent(['--json', 'restore', '--yes', ...args], { config, nobody: true }).ended;
    };
    expect(await asNobody('--no-pre-backup')).toMatchObject({ code: 0, json: { plan: { method: 'live' } } });
    const asRoot = async (...args: string[]): ReturnType<typeof runAgent> =>
      await spawnAgent(['--json', 'restore', '--yes', ...args], { config }).ended;
    expect(await asRoot('--method', 'files')).toMatchObject({ code: 0 });
    const rights = { code: 7, json: { error: { reason: 'rights' } } };
    expect(await asNobody('--undo')).toMatchObject(rights);
    await runRestoreChild({ config: config.path, undo: false, killAt: 'place' });
    await server.start();
    expect(await asNobody()).toMatchObject(rights);
    expect(await asRoot()).toMatchObject({ code: 0, json: { outcome: 'finished' } });
    await server.reconnect();
    expect(await server.call('GET', 'key')).toBe('as backed up');
  },
);

test('an undo of what somebody has removed is refused while the server goes on', async () => {
  const { server, config } = await prepare();
  const { json } = await restore(config, '--method', 'files');
  rmSync(json.set_aside[0]);
  const pids = await server.pids();
  expect(await restore(config, '--undo')).toMatchObject({
    code: 1,
    json: { error: { reason: 'missing', message: expect.stringContaining(json.set_aside[0]) } },
  });
  expect(await server.pids()).toEqual(pids);
});

test('old data whose time was over when it was started again is old data', async () => {
  const { server, config } = await prepare();
  await server.call('SET', 'key', 'newer', 'PX', 3000);
  const expires = Date.now() + 3000;
  await server.call('SAVE');
  await runRestoreChild({ config: config.path, undo: false, killAt: 'place' });
  await delay(Math.max(0, expires - Date.now()) + 1);
  expect(await restore(config, '--undo')).toMatchObject({ code: 0, json: { outcome: 'rolled-back' } });
});

test('live: the server refuses writes, and status does not call that well', async () => {
  const { server, config } = await prepare();
  const script = childScript('restore/restore-live-child');
  const [id = ''] = readdirSync(join(config.repository, 'main'));
  const child = spawn(process.execPath, [script, config.path, id, 'follow', 'swapdb'], { stdio: 'ignore' });
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  expect(await runAgent(['status'], { config })).toMatchObject({
    code: 3,
    stdout: expect.stringMatching(/critical +a live restore of \S+, begun \S+, was cut off/),
  });
  expect(await restore(config)).toMatchObject({ code: 0 });
  expect(await findings(config)).toEqual([]);
  expect(await server.call('GET', 'key')).toBe('as backed up');
});

describe.skipIf(!canBeNobody)('a disk that is full', () => {
  test.each([
    ['place', 'and the server is down'],
    ['commit', 'cannot note that all is done'],
  ])('from the step %s on: said in a line, and the same command ends it', async (at, said) => {
    const { server, config } = await prepare({ full: true });
    const app = await openApp(config);
    const run = { signal: new AbortController().signal, progress: { report() {} } };
    const ballast = join(server.dir, 'ballast');
    const onStep = (step: string): void => {
      if (step === at) fill(ballast);
    };
    const options = { which: 'latest', undo: false, dryRun: false, allow: [], onStep };
    const failed: unknown = await app
      .run(restoreJob, app.instance(undefined), options, run)
      .catch((error: unknown) => error);
    await app.close();
    expect(failed).toBeInstanceOf(AgentError);
    expect(failed).toMatchObject({ code: 'failed', reason: 'place', message: expect.stringContaining(said) });
    expect(failed).toMatchObject({ message: expect.stringContaining('ENOSPC') });
    rmSync(ballast);
    expect(await restore(config)).toMatchObject({ code: 0 });
    await server.reconnect();
    expect(await server.call('GET', 'key')).toBe('as backed up');
  });
});
