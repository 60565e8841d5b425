import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Progress } from '../../../src/domain/progress.ts';
import { infoKeyspace } from '../../../src/formats/info/parse-info.ts';
import { idsIn, takeBackup, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { describeData } from '../../support/data/describe-data.ts';
import { untilInfo } from '../../support/servers/live-server.ts';
import {
  expectFree,
  journalOf,
  prepareLive,
  removeSources,
  settings,
  liveBuild,
  sourceOf,
} from '../../support/restore/live-case.ts';
import { edgeBuilds, startServer, type TestServer } from '../../support/servers/redis-server.ts';
import { restoreLive } from '../../support/restore/restore-live.ts';
import { inTurns } from '../../support/house/tier.ts';

const matrix = inTurns(
  edgeBuilds().flatMap((build) =>
    [true, false].map((aof) => ({ name: `${build.name}, AOF ${aof ? 'on' : 'off'}`, build, aof })),
  ),
  2,
);

afterAll(removeSources);

/** Notes how many bytes of a backup were proven, and how many the server was sent. */
function watchLink(): Progress & { proven: number; sent: number } {
  return {
    proven: 0,
    sent: 0,
    report({ phase, done = 0 }) {
      if (phase === 'verifying') this.proven = done;
      if (phase === 'sending') this.sent = done;
    },
  };
}

describe('a live restore', () => {
  test.each(matrix)(
    'serves the backup, also after a restart, and keeps what was there: $name',
    async (each) => {
      const { server, old, data, id, config } = await prepareLive({ ...each, config: settings });
      const link = watchLink();
      const report = await restoreLive(config.path, id, { progress: link });
      // Its strings are expanded on their way.
      expect(link.sent).toBeGreaterThan(link.proven + 100_000);
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

  test('a server that writes a file first is sent the dump as it is', async () => {
    const { server, data, id, config } = await prepareLive();
    const link = watchLink();
    await restoreLive(config.path, id, { mode: 'disabled', progress: link });
    expect(link.sent).toBe(link.proven);
    expect(await describeData(server)).toEqual(data);
  });

  test('keys whose time is over count too, and go when it is a master again', async () => {
    const source = await startServer({ build: liveBuild });
    await source.call('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
    await source.call('SET', 'stays', '1');
    await source.call('SET', 'over', '1', 'PX', '1');
    const config = writeConfig({ server: source });
    const id = await takeBackup(config, '--no-verify');
    const server = await startServer({ build: liveBuild });
    config.rewrite({ server });
    const report = await restoreLive(config.path, id);
    expect(report.databases).toEqual({ 0: { keys: 2, expires: 1 } });
    // An empty server has nothing to be kept.
    expect(report.pre_backup).toBeNull();
    await untilInfo(server, (info) => infoKeyspace(info)['0']?.keys === 1);
  });

  test('attached replicas follow', async () => {
    const { server, data, id, config } = await prepareLive({ config: { 'repl-diskless-sync-delay': '0' } });
    const replica = await startServer({
      build: liveBuild,
      config: { replicaof: `127.0.0.1 ${server.port}`, 'repl-diskless-sync-delay': '0' },
    });
    await untilInfo(replica, (info) => info.get('master_link_status') === 'up');
    const { notes } = await restoreLive(config.path, id);
    expect(notes).toContain('its replica copies the new data from it afterwards');
    await untilInfo(
      replica,
      (info) => info.get('master_link_status') === 'up' && infoKeyspace(info)['15'] !== undefined,
    );
    expect((await describeData(replica)).digest).toBe(data.digest);
  });

  test('with a password, masterauth and a user of few rights', async () => {
    const { server, data, id, config } = await prepareLive({
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

test('of a server that replicates by TLS only, which does so again afterwards, also where it fails', async () => {
  const { repository, id, data } = await sourceOf(liveBuild);
  const server = await startServer({ build: liveBuild, tls: true, config: { 'tls-replication': 'yes' } });
  const config = writeConfig({ server });
  cpSync(repository, config.repository, { recursive: true });
  const setting = async (): Promise<unknown> => await server.call('CONFIG', 'GET', 'tls-replication');
  await expect(
    restoreLive(config.path, id, {
      onPhase(phase) {
        if (phase === 'follow') throw new Error('cut');
      },
    }),
  ).rejects.toThrow('cut');
  expect(await setting()).toEqual(['tls-replication', 'yes']);
  await restoreLive(config.path, id);
  expect(await describeData(server)).toEqual(data);
  expect(await setting()).toEqual(['tls-replication', 'yes']);
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

  test('a replica, a command by another name, too few databases, a small maxmemory', async () => {
    const { server, config, id } = await prepareLive();
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
      const other = await startServer({ build: liveBuild, config: directives });
      config.rewrite({ server: other });
      await expectRefused(other, config, id, reason);
    }
  });

  test('Sentinel, unless it is insisted on', async () => {
    const { server, config, id, data } = await prepareLive();
    const sentinel = connect(server.port, '127.0.0.1');
    onTestFinished(() => void sentinel.destroy());
    sentinel.write('SUBSCRIBE __sentinel__:hello\r\n');
    await once(sentinel, 'data');
    await expectRefused(server, config, id, 'sentinel');
    await restoreLive(config.path, id, { allowed: new Set(['sentinel']) });
    expect(await describeData(server)).toEqual(data);
  });

  test('a backup that is damaged, whatever its checksums say', async () => {
    const { server, old, config, id } = await prepareLive();
    const file = join(config.repository, 'main', id, 'dump.rdb.zst');
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(file, bytes);
    await expect(restoreLive(config.path, id)).rejects.toMatchObject({ code: 'damaged' });
    expect(await describeData(server)).toEqual(old);
  });
});
