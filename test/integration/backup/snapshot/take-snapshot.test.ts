import { mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { takeSnapshot } from '../../../../src/backup/snapshot/take-snapshot.ts';
import { Secret } from '../../../../src/domain/secret.ts';
import { systemClock } from '../../../../src/lib/time/system-clock.ts';
import { connectRedis, type RedisConnection } from '../../../../src/redis/connection/connect.ts';
import { memoryLog } from '../../../support/agent/memory-log.ts';
import { edgeBuilds, serverBuilds, startServer } from '../../../support/servers/redis-server.ts';
import { connect, countSaves, fill, openBelow, take, tempFolder, untilInfo } from './support.ts';

/** Microseconds a key: 200 keys take a second. */
const slow = { 'rdb-key-save-delay': '5000' };

describe.each(serverBuilds())('on $name', (build) => {
  // For what takes seconds and hardly differs.
  const isEdge = edgeBuilds().includes(build);

  test('the newest data, exact counts, who wrote it', async () => {
    const server = await startServer({ build });
    await fill(server, 300);
    await server.call('SET', 'marker', 'newest-value', 'EX', 1000);
    await server.call('SELECT', 3);
    await server.call('SET', 'other', 'x');

    const { content, keyspace, snapshot, path } = await take(server);

    expect(content.includes('newest-value')).toBe(true);
    expect(content).toEqual(await readFile(path));
    expect(path).toBe(server.dumpPath);
    expect(keyspace).toEqual({
      databases: { 0: { keys: 301, expires: 1 }, 3: { keys: 1, expires: 0 } },
      exact: true,
    });
    expect(snapshot.server).toMatchObject({ engine: build.engine, version: build.version, role: 'master' });
    expect(snapshot.savedAt).toBeGreaterThanOrEqual(snapshot.requestedAt);
    expect(await countSaves(server)).toBe(1);
  });

  test('an empty server', async () => {
    const server = await startServer({ build });
    const { keyspace, content } = await take(server);
    expect(keyspace).toEqual({ databases: {}, exact: true });
    expect(content.length).toBeGreaterThan(40);
  });

  test('many within one second of LASTSAVE: each has a new file with the newest data', async () => {
    const server = await startServer({ build });
    const inodes = new Set<string>();
    for (let round = 0; round < 8; round++) {
      await server.call('SET', 'marker', `round-${round}-`);
      const { content } = await take(server);
      expect(content.includes(`round-${round}-`)).toBe(true);
      const { ino, ctimeMs } = await stat(server.dumpPath);
      inodes.add(`${ino} ${ctimeMs}`);
    }
    expect(inodes.size).toBe(8);
    expect(await countSaves(server)).toBe(8);
  });

  test.each([
    ['off', ''],
    ['on', '3600 1000000'],
  ])('FLUSHALL kills the save, save points %s: the data after it, with its own counts', async (_, save) => {
    const server = await startServer({ build, config: { ...slow, save } });
    await server.call('SET', 'before', 'in-an-older-dump');
    await server.call('SAVE');
    await fill(server, 400);
    const { content, keyspace, phases } = await take(server, {
      on: {
        saving: async () => {
          await server.call('FLUSHALL');
          await server.call('SET', 'after', 'flushed-and-refilled');
        },
      },
    });
    expect(phases).toContain('saving');
    expect(content.includes('flushed-and-refilled')).toBe(true);
    expect(keyspace).toEqual({ databases: { 0: { keys: 1, expires: 0 } }, exact: true });
  });

  test.runIf(isEdge)('the feed of a diskless replica holds the slot and writes no file', async () => {
    const config = { ...slow, 'repl-diskless-sync': 'yes', 'repl-diskless-sync-delay': '0' };
    const server = await startServer({ build, config });
    await fill(server, 200);
    const replica = await startServer({ build });
    await replica.call('REPLICAOF', '127.0.0.1', server.port);
    await untilInfo(server, 'rdb_bgsave_in_progress:1');
    expect(await readdir(server.dir)).not.toContain('dump.rdb');
    await server.call('SET', 'marker', 'set-during-the-feed');

    const { content, keyspace, phases } = await take(server);

    expect(phases[0]).toBe('waiting for another save');
    expect(content.includes('set-during-the-feed')).toBe(true);
    expect(keyspace).toEqual({ databases: { 0: { keys: 201, expires: 0 } }, exact: true });
  });

  test.runIf(isEdge)('an AOF rewrite is running: the save is scheduled behind it', async () => {
    const server = await startServer({ build, config: { ...slow, appendonly: 'yes' } });
    await fill(server, 200);
    await untilInfo(server, 'aof_rewrite_in_progress:0');
    await server.call('BGREWRITEAOF');
    await server.call('SET', 'marker', 'set-during-the-rewrite');

    const { content, keyspace, phases } = await take(server);

    expect(phases).toEqual(['waiting for another child', 'saving']);
    expect(content.includes('set-during-the-rewrite')).toBe(true);
    expect(keyspace).toEqual({ databases: { 0: { keys: 201, expires: 0 } }, exact: false });
    expect(await countSaves(server)).toBe(1);
  });

  test.runIf(isEdge)('a save that runs already is older than the request: another one follows', async () => {
    const server = await startServer({ build, config: slow });
    await fill(server, 100);
    await server.call('BGSAVE');
    await server.call('SET', 'marker', 'set-after-the-fork');

    const { content, keyspace } = await take(server);

    expect(content.includes('set-after-the-fork')).toBe(true);
    expect(keyspace).toEqual({ databases: { 0: { keys: 101, expires: 0 } }, exact: true });
    expect(await countSaves(server)).toBe(2);
  });
});

describe('where the file is', () => {
  test('CONFIG SET dir and dbfilename while it is being saved', async () => {
    const server = await startServer({ config: { ...slow, 'enable-protected-configs': 'yes' } });
    await fill(server, 100);
    const moved = tempFolder();
    const { path, content } = await take(server, {
      on: {
        saving: async () => {
          await server.call('CONFIG', 'SET', 'dir', moved);
          await server.call('CONFIG', 'SET', 'dbfilename', 'other.rdb');
        },
      },
    });
    expect(content.includes('key:100')).toBe(true);
    // The child keeps the names that it was forked with.
    expect(path).toBe(server.dumpPath);
    const next = await take(server);
    expect(next.path).toBe(join(moved, 'other.rdb'));
  });

  test('CONFIG SET dir after we asked for it and before BGSAVE', async () => {
    const server = await startServer({ config: { 'enable-protected-configs': 'yes' } });
    await server.call('SET', 'marker', 'moved-away');
    const moved = tempFolder();
    const { path, content } = await take(server, {
      connect: async () => {
        const connection = await connect(server);
        return {
          ...connection,
          pipeline: async (commands) => {
            await server.call('CONFIG', 'SET', 'dir', moved);
            return await connection.pipeline(commands);
          },
        };
      },
    });
    expect(path).toBe(join(moved, 'dump.rdb'));
    expect(content.includes('moved-away')).toBe(true);
  });

  test('another save began between our look and our BGSAVE: it is older than what was asked for', async () => {
    const server = await startServer({ config: slow });
    await fill(server, 50);
    let interfered = false;
    const { content, phases } = await take(server, {
      connect: async () => {
        const connection = await connect(server);
        return {
          ...connection,
          pipeline: async (commands) => {
            if (!interfered) {
              interfered = true;
              await server.call('BGSAVE');
              await server.call('SET', 'marker', 'after-the-other-fork');
            }
            return await connection.pipeline(commands);
          },
        };
      },
    });
    expect(phases[0]).toBe('waiting for another save');
    expect(content.includes('after-the-other-fork')).toBe(true);
    expect(await countSaves(server)).toBe(2);
  });

  test.each([
    ['came and went between our look at the old file and our BGSAVE', 'after'],
    ['ran when we looked, and ended before our BGSAVE', 'before'],
  ])('another save %s: its file is not taken for ours', async (_, begins) => {
    const server = await startServer({ config: slow });
    await fill(server, 20);
    // One as long as the next: no figure of INFO then tells the two apart.
    await server.call('BGSAVE');
    await untilInfo(server, 'rdb_bgsave_in_progress:0');
    if (begins === 'before') await server.call('BGSAVE');
    let interfered = false;
    const { content } = await take(server, {
      connect: async () => {
        const connection = await connect(server);
        return {
          ...connection,
          pipeline: async (commands) => {
            if (interfered) return await connection.pipeline(commands);
            interfered = true;
            if (begins === 'after') await server.call('BGSAVE');
            await untilInfo(server, 'rdb_bgsave_in_progress:0');
            const answers = await connection.pipeline(commands);
            // Kills our child without a trace: what is there now is the other one's file.
            await server.call('FLUSHALL');
            await server.call('SET', 'marker', 'after-the-flush');
            return answers;
          },
        };
      },
    });
    expect(content.includes('after-the-flush')).toBe(true);
  });

  test('a symbolic link in its place is replaced, what it points to stays', async () => {
    const server = await startServer();
    const target = join(tempFolder(), 'precious');
    await writeFile(target, 'precious');
    await symlink(target, server.dumpPath);
    await server.call('SET', 'marker', 'a-file-of-its-own');
    const { content } = await take(server);
    expect(content.includes('a-file-of-its-own')).toBe(true);
    expect(await readFile(target, 'utf8')).toBe('precious');
  });

  test('the snapshot stays readable when later saves replace it', async () => {
    const server = await startServer();
    await server.call('SET', 'marker', 'the-first');
    const { signal } = new AbortController();
    await using snapshot = await takeSnapshot(() => connect(server), {
      clock: systemClock,
      log: memoryLog(),
      signal,
      timeout: 20_000,
    });
    await server.call('SET', 'marker', 'the-second');
    await server.call('SAVE');
    const content = Buffer.alloc(snapshot.bytes);
    await snapshot.handle.read(content, 0, snapshot.bytes, 0);
    expect(content.includes('the-first')).toBe(true);
    await snapshot.close();
    await snapshot.close();
    expect(await openBelow(server.dir)).toBe(0);
  });
});

describe('the server goes away midway', () => {
  test.each(['SIGKILL', 'SIGTERM'] as const)('%s and a restart: asked again', async (signal) => {
    const server = await startServer({ config: { ...slow, save: '3600 1000000' } });
    await fill(server, 100);
    await server.call('SAVE');
    const { content, phases, snapshot } = await take(server, {
      on: {
        saving: async () => {
          await server.kill(signal);
          await server.restart();
        },
      },
    });
    expect(phases).toContain('reconnecting');
    expect(content.includes('key:100')).toBe(true);
    expect(snapshot.keyspace).toEqual({ databases: { 0: { keys: 100, expires: 0 } }, exact: true });
    expect(String(await server.call('INFO', 'server'))).toContain(`run_id:${snapshot.server.run_id}`);
    expect(await openBelow(server.dir)).toBe(0);
  });

  test('it never comes back: an error within the time given, about the server', async () => {
    const server = await startServer({ config: slow });
    // The child, which outlives the server, has done before the test has.
    await fill(server, 200);
    const taking = take(server, { timeout: 1500, on: { saving: () => server.kill('SIGKILL') } });
    await expect(taking).rejects.toMatchObject({
      code: 'redis',
      reason: 'timeout',
      message: expect.stringMatching(/ \(lost during a snapshot, and not back within 1\.5s\)$/),
    });
  });

  test('it was never there: the connection’s own error, at once', async () => {
    const server = await startServer();
    await server.kill('SIGKILL');
    await expect(take(server)).rejects.toMatchObject({ code: 'redis', reason: 'refused' });
  });
});

describe('giving up', () => {
  test('a save that takes too long', async () => {
    const server = await startServer({ config: slow });
    await fill(server, 2000);
    await expect(take(server, { timeout: 500 })).rejects.toMatchObject({
      code: 'failed',
      reason: 'timeout',
      message: expect.stringMatching(/no snapshot within 500ms \(saving/),
      hint: expect.stringContaining('snapshot_timeout'),
    });
    expect(await openBelow(server.dir)).toBe(0);
  });

  test('abort midway: the signal’s reason, no descriptor and no connection left', async () => {
    const server = await startServer({ config: slow });
    await server.call('SAVE');
    await fill(server, 2000);
    const controller = new AbortController();
    const why = new Error('ctrl-c');
    const taking = take(server, {
      signal: controller.signal,
      on: {
        saving: async () => {
          expect(await openBelow(server.dir)).toBe(1);
          controller.abort(why);
        },
      },
    });
    await expect(taking).rejects.toBe(why);
    expect(await openBelow(server.dir)).toBe(0);
    await untilInfo(server, 'connected_clients:1');
  });

  test('abort while a script blocks the server', async () => {
    const server = await startServer({ config: slow });
    await fill(server, 400);
    const controller = new AbortController();
    const why = new Error('ctrl-c');
    const taking = take(server, {
      signal: controller.signal,
      on: {
        saving: async () => {
          const blocked = server.call('EVAL', 'while true do end', 0).catch(() => undefined);
          setTimeout(() => controller.abort(why), 300);
          await blocked;
        },
      },
    });
    await expect(taking).rejects.toBe(why);
    await server.kill('SIGKILL');
  });

  test('already aborted: not even a connection', async () => {
    const why = new Error('ctrl-c');
    const server = await startServer();
    let connections = 0;
    const counting = (): Promise<RedisConnection> => {
      connections += 1;
      return connect(server);
    };
    await expect(take(server, { signal: AbortSignal.abort(why), connect: counting })).rejects.toBe(why);
    expect(connections).toBe(0);
  });

  test('a folder where the dump should be: the save fails, and is not repeated', async () => {
    const server = await startServer({ config: { save: '3600 1000000' } });
    await server.call('SET', 'marker', 'x');
    await mkdir(server.dumpPath);
    await expect(take(server)).rejects.toMatchObject({
      code: 'failed',
      reason: 'save-failed',
      message: expect.stringContaining(`the server failed to save to ${server.dumpPath}`) as unknown,
      hint: expect.stringContaining('server’s log'),
    });
    expect(await countSaves(server)).toBe(1);
  });

  test.each([
    [['+info', '+time', '+config|get'], 'BGSAVE', '+bgsave'],
    [['+info', '+time', '+bgsave'], 'CONFIG GET', '+config|get'],
    [['+bgsave', '+time', '+config|get'], 'INFO', '+info'],
  ])('a user with only %s', async (rules, command, missing) => {
    const server = await startServer();
    await server.call('ACL', 'SETUSER', 'agent', 'on', 'nopass', ...rules);
    const target = { name: 'main', url: server.url, username: 'agent', password: new Secret('any') };
    await expect(take(server, { connect: () => connectRedis(target) })).rejects.toMatchObject({
      code: 'redis',
      reason: 'noperm',
      message: `instance main: user agent may not run ${command}`,
      hint: expect.stringContaining(`ACL SETUSER agent ${missing}`),
    });
    expect(await openBelow(server.dir)).toBe(0);
  });
});
