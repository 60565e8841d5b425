import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { livePhases } from '../../src/backup/restore/live-journal.ts';
import { AgentError } from '../../src/domain/errors.ts';
import { infoKeyspace } from '../../src/formats/info/parse-info.ts';
import { idsIn, takeBackup, writeConfig, type TestConfig } from '../support/cli.ts';
import { fillServer } from '../support/data-set.ts';
import { describeData, type DataDescription } from '../support/describe-data.ts';
import { infoOf, serverWithOldData, untilInfo } from '../support/live-server.ts';
import {
  findBuild,
  serverBuilds,
  startServer,
  type ServerBuild,
  type TestServer,
} from '../support/redis-server.ts';
import { recoverRestore, restoreLive } from '../support/restore-live.ts';
import { makeTempFolder, removeTempFolder } from '../support/temp-folder.ts';

/** One backup of a full server for each build, copied for every test. */
interface Source {
  repository: string;
  id: string;
  data: DataDescription;
}
const sources = new Map<string, Promise<Source>>();

async function makeSource(build: ServerBuild): Promise<Source> {
  const server = await startServer({ build });
  await fillServer(server);
  const data = await describeData(server);
  const config = writeConfig({ server });
  const id = await takeBackup(config, '--no-verify');
  const repository = makeTempFolder();
  cpSync(config.repository, repository, { recursive: true });
  return { repository, id, data };
}

function sourceOf(build: ServerBuild): Promise<Source> {
  const source = sources.get(build.name) ?? makeSource(build);
  sources.set(build.name, source);
  return source;
}

interface Case {
  build?: ServerBuild;
  aof?: boolean;
  config?: Record<string, string>;
}

/** A server with old data, and a backup of other data. */
async function prepare({ build = defaultBuild, aof = true, config: directives = {} }: Case = {}): Promise<{
  server: TestServer;
  old: DataDescription;
  data: DataDescription;
  id: string;
  config: TestConfig;
}> {
  const { repository, id, data } = await sourceOf(build);
  const { server, old } = await serverWithOldData(build, { aof, config: directives });
  const password = directives['requirepass'];
  const config = writeConfig({ server, ...(password === undefined ? {} : { password }) });
  cpSync(repository, config.repository, { recursive: true });
  return { server, old, data, id, config };
}

const defaultBuild = findBuild('redis', '7.0') ?? serverBuilds()[0]!;
const journalOf = (config: TestConfig): string => join(config.state, 'restore', 'main.live.json');
const settings = { 'repl-diskless-load': 'disabled', 'replica-read-only': 'no' };

/** Free, writable, with its settings as they were. */
async function expectFree(server: TestServer, before: Record<string, string> = settings): Promise<void> {
  const info = await infoOf(server);
  expect(info.get('role')).toBe('master');
  for (const [name, value] of Object.entries(before))
    expect(await server.call('CONFIG', 'GET', name)).toEqual([name, value]);
  expect(await server.call('SET', 'written', 'afterwards')).toBe('OK');
  await server.call('DEL', 'written');
}

const matrix = serverBuilds().flatMap((build) =>
  [true, false].map((aof) => ({ name: `${build.name}, AOF ${aof ? 'on' : 'off'}`, build, aof })),
);

afterAll(async () => {
  for (const source of sources.values()) removeTempFolder((await source).repository);
});

describe('a live restore', () => {
  test.each(matrix)(
    'serves the backup, also after a restart, and keeps what was there: $name',
    async (each) => {
      const { server, old, data, id, config } = await prepare({ ...each, config: settings });
      const report = await restoreLive(config.path, id);
      expect(report).toMatchObject({
        method: 'live',
        backup: id,
        mode: 'swapdb',
        pre_backup: expect.any(String),
      });
      expect(await describeData(server)).toEqual(data);
      await expectFree(server);
      expect(existsSync(journalOf(config))).toBe(false);
      await server.restart();
      expect(await describeData(server)).toEqual(data);

      // What was there before is a backup like any other.
      await restoreLive(config.path, report.pre_backup ?? '', { preBackup: false });
      expect(await describeData(server)).toEqual(old);
      await server.restart();
      expect(await describeData(server)).toEqual(old);
    },
  );

  test('keys whose time is over count too, and go when it is a master again', async () => {
    const source = await startServer({ build: defaultBuild });
    await source.call('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
    await source.call('SET', 'stays', '1');
    await source.call('SET', 'over', '1', 'PX', '1');
    const config = writeConfig({ server: source });
    const id = await takeBackup(config, '--no-verify');
    const server = await startServer({ build: defaultBuild });
    config.rewrite({ server });
    const report = await restoreLive(config.path, id);
    expect(report.databases).toEqual({ 0: { keys: 2, expires: 1 } });
    // An empty server has nothing to be kept.
    expect(report.pre_backup).toBeNull();
    await untilInfo(server, (info) => infoKeyspace(info)['0']?.keys === 1);
  });

  test('attached replicas follow', async () => {
    const { server, data, id, config } = await prepare();
    const replica = await startServer({
      build: defaultBuild,
      config: { replicaof: `127.0.0.1 ${server.port}`, 'repl-diskless-sync-delay': '0' },
    });
    await untilInfo(replica, (info) => info.get('master_link_status') === 'up');
    const { notes } = await restoreLive(config.path, id);
    expect(notes).toContain('its 1 replicas copy the new data from it afterwards');
    await untilInfo(
      replica,
      (info) => info.get('master_link_status') === 'up' && infoKeyspace(info)['15'] !== undefined,
    );
    expect((await describeData(replica)).digest).toBe(data.digest);
  });

  test('with a password, masterauth and a user of few rights', async () => {
    const { server, data, id, config } = await prepare({
      config: { requirepass: 'the-admin', masterauth: 'of-another' },
    });
    const backupRights = ['+ping', '+info', '+time', '+config|get', '+bgsave'];
    await server.call('ACL', 'SETUSER', 'agent', 'on', '>its-password', '-@all', ...backupRights);
    config.rewrite({ server, username: 'agent', password: 'its-password' });
    await expect(restoreLive(config.path, id)).rejects.toMatchObject({
      code: 'refused',
      reason: 'rights',
      message: expect.stringContaining('+replicaof +config|set +pubsub|numsub'),
      hint: expect.stringContaining('ACL SETUSER agent +replicaof +config|set +pubsub|numsub'),
    });
    await server.call('ACL', 'SETUSER', 'agent', '+replicaof', '+config|set', '+pubsub|numsub');
    await restoreLive(config.path, id);
    expect(await describeData(server)).toEqual(data);
  });
});

describe('is refused, and nothing is changed', () => {
  async function expectRefused(
    server: TestServer,
    config: TestConfig,
    id: string,
    reason: string,
  ): Promise<void> {
    const before = idsIn(config);
    await expect(restoreLive(config.path, id)).rejects.toMatchObject({ code: 'refused', reason });
    expect(idsIn(config)).toEqual(before);
    expect(existsSync(journalOf(config))).toBe(false);
    await server.call('PING');
  }

  test('tls-replication', async () => {
    const { repository, id } = await sourceOf(defaultBuild);
    const server = await startServer({
      build: defaultBuild,
      tls: true,
      config: { 'tls-replication': 'yes' },
    });
    const config = writeConfig({ server });
    cpSync(repository, config.repository, { recursive: true });
    await expectRefused(server, config, id, 'tls-replication');
  });

  test('a replica, a command by another name, too few databases, a small maxmemory', async () => {
    const { server, config, id } = await prepare();
    await server.call('CONFIG', 'SET', 'maxmemory', '2mb');
    await expectRefused(server, config, id, 'small-maxmemory');
    await server.call('CONFIG', 'SET', 'maxmemory', '0');
    await server.call('REPLICAOF', '127.0.0.1', '1');
    await expectRefused(server, config, id, 'replica');
    await server.call('REPLICAOF', 'NO', 'ONE');
    for (const [directives, reason] of [
      [{ 'rename-command': 'REPLICAOF ""' }, 'renamed'],
      [{ databases: '15' }, 'databases'],
    ] as const) {
      const other = await startServer({ build: defaultBuild, config: directives });
      config.rewrite({ server: other });
      await expectRefused(other, config, id, reason);
    }
  });

  test('Sentinel, unless it is insisted on', async () => {
    const { server, config, id, data } = await prepare();
    const sentinel = connect(server.port, '127.0.0.1');
    onTestFinished(() => void sentinel.destroy());
    sentinel.write('SUBSCRIBE __sentinel__:hello\r\n');
    await once(sentinel, 'data');
    await expectRefused(server, config, id, 'sentinel');
    await restoreLive(config.path, id, { allowed: new Set(['sentinel']) });
    expect(await describeData(server)).toEqual(data);
  });

  test('a backup that is damaged, whatever its checksums say', async () => {
    const { server, old, config, id } = await prepare();
    const file = join(config.repository, 'main', id, 'dump.rdb.zst');
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(file, bytes);
    await expect(restoreLive(config.path, id)).rejects.toMatchObject({ code: 'damaged' });
    expect(await describeData(server)).toEqual(old);
  });
});

describe('what goes wrong on the way', () => {
  test('a backup that changes between its proof and its use: not a byte of the change is sent', async () => {
    const { server, old, config, id } = await prepare({ config: settings });
    const file = join(config.repository, 'main', id, 'dump.rdb.zst');
    const error = await restoreLive(config.path, id, {
      onPhase: (phase) => {
        if (phase !== 'follow') return;
        const bytes = readFileSync(file);
        bytes[bytes.length - 20]! ^= 1;
        writeFileSync(file, bytes);
      },
    }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'damaged',
      message: expect.stringContaining('the server has its data as before, and takes writes again'),
      hint: expect.stringContaining('what was there before is backup '),
    });
    expect(await describeData(server)).toEqual(old);
    await expectFree(server);
    expect(existsSync(journalOf(config))).toBe(false);
  });

  test('somebody else takes the server: it is left to them', async () => {
    const { server, config, id } = await prepare();
    const other = await startServer({ build: defaultBuild });
    const meddling = restoreLive(config.path, id, {
      onPhase: (phase) => {
        // The journal is written before REPLICAOF is: this one comes after it.
        if (phase === 'follow') setTimeout(() => void server.call('REPLICAOF', '127.0.0.1', other.port), 5);
      },
    });
    await expect(meddling).rejects.toMatchObject({ code: 'failed' });
    expect((await infoOf(server)).get('master_port')).toBe(String(other.port));
    expect(existsSync(journalOf(config))).toBe(false);
  });

  test('an interruption midway: the server is as it was', async () => {
    const { server, old, config, id } = await prepare({ config: settings });
    const controller = new AbortController();
    const reason = new AgentError('interrupted', 'interrupted by SIGINT');
    const run = restoreLive(config.path, id, {
      signal: controller.signal,
      onPhase: (phase) => {
        if (phase === 'follow') controller.abort(reason);
      },
    });
    await expect(run).rejects.toBe(reason);
    expect(await describeData(server)).toEqual(old);
    await expectFree(server);
    expect(existsSync(journalOf(config))).toBe(false);
  });

  test('the server dies: the journal stays until it answers again', async () => {
    const { server, old, config, id } = await prepare({ config: settings });
    const run = restoreLive(config.path, id, {
      onPhase: (phase) => {
        if (phase === 'follow') process.kill(server.pid, 'SIGKILL');
      },
    });
    await expect(run).rejects.toMatchObject({
      message: expect.stringContaining('could not be set right'),
    });
    expect(existsSync(journalOf(config))).toBe(true);
    await server.kill('SIGKILL');
    await server.restart();
    expect(await recoverRestore(config.path)).toMatchObject({ backup: id, outcome: 'restarted' });
    expect(existsSync(journalOf(config))).toBe(false);
    expect(await describeData(server)).toEqual(old);
    await expectFree(server);
  });

  test('a second one beside it is refused by the lock', async () => {
    const { config, id } = await prepare();
    let second: unknown;
    await restoreLive(config.path, id, {
      meddle: async () => {
        second = await restoreLive(config.path, id).catch((error: unknown) => error);
      },
    });
    expect(second).toMatchObject({ code: 'locked' });
  });

  test('a backup that cannot be taken first: nothing begins, unless it is insisted on', async () => {
    const { server, old, data, config, id } = await prepare();
    // Another host's prefix: a backup is refused there.
    const { repository } = config;
    const manifest = join(repository, 'main', id, 'manifest.json');
    const text = readFileSync(manifest, 'utf8').replace(
      /"machine": "[^"]*"/,
      `"machine": "${'f'.repeat(32)}"`,
    );
    writeFileSync(manifest, text);
    await expect(restoreLive(config.path, id)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('could not be backed up, and nothing was changed'),
      hint: expect.stringContaining('--no-pre-backup'),
    });
    expect(await describeData(server)).toEqual(old);
    await restoreLive(config.path, id, { preBackup: false });
    expect(await describeData(server)).toEqual(data);
  });
});

/** Where a child kills itself: at every phase of the journal, and inside of one. */
const points = [...livePhases, 'sending', 'sending done', 'making it last'];

describe('killed with -9', () => {
  const cases = points.flatMap((point) => [true, false].map((aof) => ({ point, aof })));
  test.each(cases)('at $point (AOF on: $aof): the next run ends it', async ({ point, aof }) => {
    const { server, old, data, config, id } = await prepare({ aof, config: settings });
    const script = join(import.meta.dirname, '../support/restore-live-child.ts');
    const child = spawn(process.execPath, [script, config.path, id, point], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const [, signal] = await once(child, 'exit');
    expect(signal).toBe('SIGKILL');
    expect(existsSync(journalOf(config))).toBe(true);

    const recovery = await recoverRestore(config.path);
    expect(recovery).toMatchObject({ backup: id });
    const expected = recovery?.outcome === 'backup' ? data : old;
    expect(['backup', 'before']).toContain(recovery?.outcome);
    expect(await describeData(server)).toEqual(expected);
    await expectFree(server);
    expect(existsSync(journalOf(config))).toBe(false);
    expect(await recoverRestore(config.path)).toBeNull();
    await server.restart();
    expect(await describeData(server)).toEqual(expected);
    // And the way is free for another.
    await restoreLive(config.path, id, { preBackup: false });
    expect(await describeData(server)).toEqual(data);
  });
});
