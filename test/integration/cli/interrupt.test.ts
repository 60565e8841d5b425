import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  idsIn,
  manifestPath,
  runAgent,
  spawnAgent,
  takeBackup,
  writeConfig,
  type SpawnedAgent,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { sound } from '../../support/agent/daemon.ts';
import { startFaultServer, type FaultServer, type S3Call } from '../../support/stores/fault-server.ts';
import { s3Repository } from '../../support/stores/faulty-s3.ts';
import { everything } from '../../support/house/tier.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';
import { startFauxqs, type S3TestServer } from '../../support/stores/s3-servers.ts';
import { fill, untilInfo } from '../backup/snapshot/support.ts';

/** A server whose save takes as long as a test needs. */
async function slowToSave(): Promise<TestServer> {
  const server = await startServer({ config: { 'rdb-key-save-delay': '20000' } });
  await fill(server, 500);
  return server;
}

async function quickAgain(server: TestServer): Promise<void> {
  await server.call('CONFIG', 'SET', 'rdb-key-save-delay', '0');
  // Versions without BGSAVE CANCEL: FLUSHALL would cost the data, the end of the child costs nothing.
  const child = await saveChild(server);
  if (child !== undefined) process.kill(child, 'SIGKILL');
  await untilInfo(server, 'rdb_bgsave_in_progress:0');
}

async function saveChild(server: TestServer): Promise<number | undefined> {
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim();
  return children === '' ? undefined : Number(children.split(' ')[0]);
}

/** Resolves when the agent has made the server save. */
async function untilSaving(server: TestServer, agent: SpawnedAgent): Promise<void> {
  const early = agent.ended.then(({ stderr }) => {
    throw new Error(`it ended before it saved: ${stderr}`);
  });
  await Promise.race([untilInfo(server, 'rdb_bgsave_in_progress:1'), early]);
  early.catch(() => {});
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(2);
}

/** Everything below the repository, temporary files too. */
function filesIn(config: TestConfig): string[] {
  if (!existsSync(config.repository)) return [];
  return readdirSync(config.repository, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
}

/** What must hold after whatever has happened: the next backup is taken and proven, and only it is there. */
async function expectNextBackupClears(config: TestConfig): Promise<void> {
  const id = await takeBackup(config);
  const { json } = await runAgent(['backups', 'list', '--json'], { config });
  expect(json.backups).toMatchObject([{ id, state: 'complete', verified: { level: 'loaded', ok: true } }]);
  expect(filesIn(config).filter((name) => name.startsWith('.tmp-'))).toEqual([]);
  expect(readdirSync(join(config.state, 'scratch'))).toEqual([]);
}

describe('while the server saves', () => {
  test.each([
    ['SIGINT' as const, 130],
    ['SIGTERM' as const, 130],
  ])('%s: exit status 130, and nothing is listed', async (signal, code) => {
    const server = await slowToSave();
    const config = writeConfig({ server });
    const agent = spawnAgent(['backup'], { config });
    await untilSaving(server, agent);
    agent.kill(signal);
    expect(await agent.ended).toMatchObject({
      code,
      stdout: '',
      stderr: `redis-agent: interrupted by ${signal}\n`,
    });
    expect(filesIn(config)).toEqual([]);
    // An interruption is no failure that somebody has to look at.
    const { json } = await runAgent(['status', '--json'], { config });
    expect(json).toMatchObject([{ findings: [] }]);
    await quickAgain(server);
    await expectNextBackupClears(config);
  });

  test('kill -9: the next run goes on', async () => {
    const server = await slowToSave();
    const config = writeConfig({ server });
    const agent = spawnAgent(['backup'], { config });
    await untilSaving(server, agent);
    agent.kill('SIGKILL');
    expect(await agent.ended).toMatchObject({ code: -1 });
    await quickAgain(server);
    await expectNextBackupClears(config);
  });
});

describe('one run at a time', () => {
  test('a second backup is refused and names the first; another kind of work goes on', async () => {
    const server = await slowToSave();
    const config = writeConfig({ server });
    const first = spawnAgent(['backup', '--no-verify'], { config });
    await untilSaving(server, first);
    const text = new RegExp(
      `^redis-agent: another \\w+ run of main is under way \\(\\w+, pid ${first.pid}, since \\S+Z\\); wait for it to end\\n$`,
    );
    expect(await runAgent(['backup'], { config })).toMatchObject({
      code: 8,
      stdout: '',
      stderr: expect.stringMatching(text),
    });
    expect(await runAgent(['backups', 'prune', '--yes'], { config })).toMatchObject({ code: 8 });
    const { json } = await runAgent(['backup', '--json'], { config });
    expect(json).toMatchObject({
      error: { code: 'locked', message: expect.stringContaining(`pid ${first.pid}`) },
    });
    for (const args of [['backups', 'list'], ['backups', 'verify', '--all'], ['status'], ['check']])
      expect([0, 3]).toContain((await runAgent(args, { config })).code);
    await server.call('CONFIG', 'SET', 'rdb-key-save-delay', '0');
    const child = await saveChild(server);
    expect(child).toBeDefined();
    first.kill('SIGINT');
    expect(await first.ended).toMatchObject({ code: 130 });
    await quickAgain(server);
    await expectNextBackupClears(config);
  });

  test('two instances do not stand in each other’s way', async () => {
    const server = await slowToSave();
    const other = await startServer();
    const config = writeConfig({
      instances: [
        { name: 'main', url: server.url },
        { name: 'other', url: other.url },
      ],
    });
    const first = spawnAgent(['backup', '--instance', 'main'], { config });
    await untilSaving(server, first);
    expect(await runAgent(['backup', '--instance', 'other'], { config })).toMatchObject({ code: 0 });
    first.kill('SIGINT');
    expect(await first.ended).toMatchObject({ code: 130 });
  });

  test('beside the daemon', async () => {
    const server = await startServer({ config: sound });
    await server.call('SET', 'key', 'value');
    const settings = { backup: { schedule: 'off', jitter: '0s' }, verify: { schedule: 'off' } };
    const config = writeConfig({ server, settings });
    const daemon = spawnAgent(['run'], { config });
    await until(() => daemon.stdout.includes('there is no backup'));
    await expectNextBackupClears(config);
    expect(await runAgent(['status'], { config })).toMatchObject({ code: 0 });
    daemon.kill('SIGTERM');
    expect(await daemon.ended).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a server that hangs', () => {
  test.each([[['backup']], [['status']], [['check']]])('%j ends on SIGINT', async (args) => {
    const server = await startServer();
    const config = writeConfig({ server });
    process.kill(server.pid, 'SIGSTOP');
    onTestFinished(() => void process.kill(server.pid, 'SIGCONT'));
    const agent = spawnAgent(args, { config });
    // It holds a connection that nobody answers.
    await until(() => isConnectedTo(agent.pid, server.port));
    agent.kill('SIGINT');
    expect(await agent.ended).toMatchObject({
      code: 130,
      stdout: '',
      stderr: 'redis-agent: interrupted by SIGINT\n',
    });
    expect(filesIn(config)).toEqual([]);
  });
});

/** Has the process itself a connection to that port of this host? */
function isConnectedTo(pid: number, port: number): boolean {
  try {
    const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 01`;
    const established = readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
      .split('\n')
      .filter((line) => line.includes(remote))
      .map((line) => `socket:[${line.trim().split(/\s+/)[9]}]`);
    const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    return established.some((socket) => open.includes(socket));
  } catch {
    // A descriptor that was closed meanwhile.
    return false;
  }
}

describe('while it stores (S3)', () => {
  /** The agent's store fails at `call` again and again, so that a test can find it there. */
  async function stuckAt(
    call: S3Call,
  ): Promise<{ config: TestConfig; faults: FaultServer; server: TestServer }> {
    const store = await startStore();
    const faults = await startFaultServer(store.endpoint);
    onTestFinished(() => faults.stop());
    const server = await startServer();
    // More than one part, so that the only PutObject is the manifest's.
    for (let count = 0; count < 9; count++)
      await server.call('SET', `key:${count}`, randomBytes(768 * 1024).toString('base64'));
    const config = writeConfig({ server });
    const { repository } = s3Repository(config, store, faults.endpoint);
    config.rewrite({ server, repository: { ...repository, part_size: '5mb' } });
    faults.plan(call, { kind: 'answer', status: 503, code: 'SlowDown' });
    return { config, faults, server };
  }

  const more: [S3Call, NodeJS.Signals, number][] = [
    ['UploadPart', 'SIGINT', 130],
    ['CompleteUpload', 'SIGKILL', -1],
  ];
  test.each<[S3Call, NodeJS.Signals, number]>([
    ['UploadPart', 'SIGKILL', -1],
    ['CompleteUpload', 'SIGINT', 130],
    ...(everything ? more : []),
    // Between artefact and manifest.
    ['PutObject', 'SIGINT', 130],
    ['PutObject', 'SIGKILL', -1],
  ])('at %s, by %s', async (call, signal, code) => {
    const { config, faults } = await stuckAt(call);
    const agent = spawnAgent(['backup'], { config });
    await until(() => faults.calls.includes(call));
    agent.kill(signal);
    expect(await agent.ended).toMatchObject({ code, stdout: '' });
    faults.reset();
    const { json } = await runAgent(['backups', 'list', '--json'], { config });
    const states = json.backups.map(({ state }: { state: string }) => state);
    expect(states).toEqual(call === 'PutObject' && signal === 'SIGKILL' ? ['incomplete'] : []);
    await expectNextBackupClears(config);
  });
});

async function startStore(): Promise<S3TestServer> {
  const store = await startFauxqs();
  onTestFinished(() => store.stop());
  return store;
}

describe('while it proves, with a scratch server', () => {
  test.each([
    ['SIGINT' as const, 130],
    ['SIGKILL' as const, -1],
  ])('%s: no scratch server lives on, and no staged dump stays', async (signal, code) => {
    const server = await startServer();
    await server.call('DEBUG', 'POPULATE', 200_000, 'key', 100);
    const config = writeConfig({ server });
    await takeBackup(config, '--no-verify');
    const agent = spawnAgent(['backups', 'verify', '--load'], { config });
    const scratch = await scratchServerOf(config);
    // It must not be done before we have struck.
    process.kill(scratch, 'SIGSTOP');
    agent.kill(signal);
    expect(await agent.ended).toMatchObject({ code, stdout: '' });
    await until(() => !existsSync(`/proc/${scratch}`));
    expect(await runAgent(['backups', 'verify', '--load'], { config })).toMatchObject({ code: 0 });
    expect(readdirSync(join(config.state, 'scratch'))).toEqual([]);
  });
});

/** The process id of the scratch server, as soon as there is one. */
async function scratchServerOf(config: TestConfig): Promise<number> {
  const folder = join(config.state, 'scratch');
  for (;;) {
    const names = existsSync(folder) ? readdirSync(folder) : [];
    for (const name of names) {
      const file = join(folder, name, 'server.pid');
      const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
      // Before that it is setpriv, which has yet to arrange for its end.
      if (pid > 0 && readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('redis-server')) return pid;
    }
    await delay(1);
  }
}

test('SIGINT while another backup is there: that one stays', async () => {
  const server = await slowToSave();
  await server.call('CONFIG', 'SET', 'rdb-key-save-delay', '0');
  const config = writeConfig({ server });
  const id = await takeBackup(config);
  await server.call('CONFIG', 'SET', 'rdb-key-save-delay', '20000');
  const agent = spawnAgent(['backup'], { config });
  await untilSaving(server, agent);
  agent.kill('SIGINT');
  expect(await agent.ended).toMatchObject({ code: 130 });
  expect(idsIn(config)).toEqual([id]);
  expect(existsSync(manifestPath(config, id))).toBe(true);
});

test('a terminal that is closed does not end the backup', async () => {
  // Longer than it takes until the first line of progress.
  const server = await startServer({ config: { 'rdb-key-save-delay': '20000' } });
  await fill(server, 300);
  const config = writeConfig({ server });
  const agent = spawnAgent(['backup', '--verbose'], { config, unread: true });
  expect(await agent.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('proven: loaded') });
});
