import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AgentError } from '../../../../src/domain/errors.ts';
import { systemClock } from '../../../../src/lib/time/system-clock.ts';
import {
  listenAsMaster,
  type MasterOptions,
  type ReplicationMaster,
} from '../../../../src/redis/replication/replication-master.ts';
import { describeData } from '../../../support/data/describe-data.ts';
import { laterClock } from '../../../support/clocks/later-clock.ts';
import {
  fullDump,
  infoOf,
  serverWithOldData,
  untilAofSettled,
  untilInfo,
} from '../../../support/servers/live-server.ts';
import {
  findBuild,
  serverBuilds,
  startServer,
  type ServerBuild,
  type TestServer,
} from '../../../support/servers/redis-server.ts';
import { serverUser } from '../../../support/servers/server-user.ts';
import { everything } from '../../../support/house/tier.ts';

const dumps = new Map<string, ReturnType<typeof fullDump>>();
function dumpOf(build: ServerBuild): ReturnType<typeof fullDump> {
  const made = dumps.get(build.name) ?? fullDump(build);
  dumps.set(build.name, made);
  return made;
}

async function* pieces(bytes: Buffer, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function listen(
  open: (signal: AbortSignal) => AsyncIterable<Uint8Array>,
  options: Partial<MasterOptions> & { bytes: number },
): Promise<ReplicationMaster> {
  const { bytes, ...more } = options;
  const master = await listenAsMaster({
    feed: { bytes, open },
    replicaUser: serverUser?.uid ?? process.getuid?.(),
    stallTimeout: 60_000,
    clock: systemClock,
    signal: new AbortController().signal,
    ...more,
  });
  onTestFinished(() => master[Symbol.asyncDispose]());
  return master;
}

async function follow(server: TestServer, master: ReplicationMaster): Promise<void> {
  const served = master.serve();
  served.catch(() => {});
  await server.call('REPLICAOF', master.host, master.port);
  await served;
}

/** A server that has taken a part of a stream into memory refuses this until it has seen the stream's end. */
async function setFree(server: TestServer): Promise<void> {
  for (;;) {
    const [answer] = await server.connection.pipeline([['REPLICAOF', 'NO', 'ONE']]);
    if (answer === 'OK') return;
    if (!(answer instanceof AgentError) || answer.reason !== 'loading') throw answer;
    await delay(10);
  }
}

const modes = ['disabled', 'swapdb'] as const;
/** In a usual run of the four for each server two that have nothing in common, in turns. */
const cases = serverBuilds().flatMap((build, index) =>
  [true, false].flatMap((aof) =>
    modes
      .filter((mode) => everything || (aof === (mode === 'swapdb')) === (index % 2 === 0))
      .map((mode) => ({ name: `${build.name}, ${mode}, AOF ${aof ? 'on' : 'off'}`, build, aof, mode })),
  ),
);

describe('a server that is told to follow', () => {
  test.each(cases)('has the data afterwards: $name', async ({ build, aof, mode }) => {
    const { dump, data } = await dumpOf(build);
    const { server } = await serverWithOldData(build, { aof, config: { 'repl-diskless-load': mode } });
    const progress: number[] = [];
    const master = await listen(() => pieces(dump), {
      bytes: dump.length,
      onProgress: (sent) => progress.push(sent),
    });
    await follow(server, master);
    expect(progress.at(-1)).toBe(dump.length);
    const info = await infoOf(server);
    expect(info.get('master_link_status')).toBe('up');
    expect(info.get('master_replid')).toBe(master.replicationId);
    await server.call('REPLICAOF', 'NO', 'ONE');
    expect((await infoOf(server)).get('master_replid2')).toBe(master.replicationId);
    expect(await describeData(server)).toEqual(data);
    if (!aof) return;
    await untilAofSettled(server);
    await server.restart();
    expect(await describeData(server)).toEqual(data);
  });

  test.each(cases)('keeps its data when the feed ends early: $name', async ({ build, aof, mode }) => {
    const { dump } = await dumpOf(build);
    const { server, old } = await serverWithOldData(build, { aof, config: { 'repl-diskless-load': mode } });
    // A clean end of the feed, one byte short.
    const master = await listen(() => pieces(dump.subarray(0, -1)), { bytes: dump.length });
    await expect(follow(server, master)).rejects.toMatchObject({ code: 'damaged' });
    await setFree(server);
    expect(await describeData(server)).toEqual(old);
    await server.call('SET', 'new', 'write');
    if (aof) await untilAofSettled(server);
  });

  test('with masterauth and masteruser', async () => {
    const build = serverBuilds()[0]!;
    const { dump, data } = await dumpOf(build);
    const config = { masterauth: '"of another master"', masteruser: 'replication' };
    const { server } = await serverWithOldData(build, { aof: false, config });
    const master = await listen(() => pieces(dump), { bytes: dump.length });
    await follow(server, master);
    expect((await describeData(server)).digest).toBe(data.digest);
  });

  test('a store that is silent for longer than the server’s patience, and a link that is idle for as long', async () => {
    const { dump, data } = await dumpOf(serverBuilds()[0]!);
    // Its patience is the shortest there is.
    const server = await startServer({ config: { 'repl-timeout': '3' } });
    const slow = async function* (): AsyncGenerator<Uint8Array> {
      await delay(5000);
      yield* pieces(dump);
    };
    const master = await listen(slow, { bytes: dump.length });
    await follow(server, master);
    await server.call('CONFIG', 'SET', 'repl-timeout', '6');
    await delay(8000);
    expect((await infoOf(server)).get('master_link_status')).toBe('up');
    expect((await describeData(server)).digest).toBe(data.digest);
  });
});

describe('what goes wrong', () => {
  test('a stalled feed is ended, with what the signal says', async () => {
    const { dump } = await dumpOf(serverBuilds()[0]!);
    const { server, old } = await serverWithOldData(serverBuilds()[0]!, { aof: true });
    const clock = laterClock();
    const stalled = async function* (signal: AbortSignal): AsyncGenerator<Uint8Array> {
      yield dump.subarray(0, 1000);
      clock.start();
      await systemClock.sleep(600_000, signal);
    };
    const master = await listen(stalled, { bytes: dump.length, stallTimeout: 500, clock });
    await expect(follow(server, master)).rejects.toMatchObject({ code: 'failed', reason: 'stalled' });
    await setFree(server);
    expect(await describeData(server)).toEqual(old);
  });

  test('a stalled server', async () => {
    const server = await startServer();
    const much = Buffer.alloc(64 * 2 ** 20);
    const clock = laterClock();
    const [asked, stopped] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const feed = async function* (): AsyncGenerator<Uint8Array> {
      asked.resolve();
      await stopped.promise;
      yield* pieces(much);
    };
    const master = await listen(feed, { bytes: much.length, stallTimeout: 500, clock });
    const served = master.serve();
    served.catch(() => {});
    await server.call('REPLICAOF', master.host, master.port);
    await asked.promise;
    // Its socket is taken by the kernel, and what it is sent by nobody.
    await server.kill('SIGSTOP');
    stopped.resolve();
    clock.start();
    await expect(served).rejects.toMatchObject({ code: 'failed', reason: 'stalled' });
    await server.kill('SIGCONT');
  });

  test('a server that dies', async () => {
    const server = await startServer();
    const endless = async function* (signal: AbortSignal): AsyncGenerator<Uint8Array> {
      for (;;) {
        yield Buffer.alloc(1000);
        await systemClock.sleep(5, signal);
      }
    };
    const master = await listen(endless, { bytes: 2 ** 30 });
    const served = master.serve();
    served.catch(() => {});
    await server.call('REPLICAOF', master.host, master.port);
    await untilInfo(server, (info) => info.get('master_sync_in_progress') === '1');
    await server.kill('SIGKILL');
    await expect(served).rejects.toMatchObject({ code: 'failed', reason: 'link' });
  });

  test('nobody comes', async () => {
    const master = await listen(() => pieces(Buffer.alloc(10)), { bytes: 10, stallTimeout: 200 });
    await expect(master.serve()).rejects.toMatchObject({ code: 'failed', reason: 'unreached' });
  });

  test('one that connects again and again, and never asks for the data', async () => {
    const clock = laterClock();
    const replicaUser = process.getuid?.();
    const master = await listen(() => pieces(Buffer.alloc(10)), {
      bytes: 10,
      replicaUser,
      stallTimeout: 500,
      clock,
    });
    const over = new AbortController();
    onTestFinished(() => over.abort());
    const knocking = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const socket = connect(master.port, '127.0.0.1');
        socket.on('error', () => {});
        socket.end('*1\r\n$4\r\nPING\r\n');
        await new Promise((resolve) => socket.once('close', resolve).resume());
        clock.start();
        await delay(20);
      }
    };
    const served = master.serve();
    served.catch(() => {});
    void knocking();
    await expect(served).rejects.toMatchObject({
      code: 'failed',
      reason: 'stalled',
      message: expect.stringContaining('has not asked for the data'),
    });
  });

  test('the signal ends it at any time', async () => {
    const { dump } = await dumpOf(serverBuilds()[0]!);
    const server = await startServer();
    const controller = new AbortController();
    const reason = new AgentError('interrupted', 'enough');
    const feed = async function* (): AsyncGenerator<Uint8Array> {
      yield dump.subarray(0, 1000);
      controller.abort(reason);
      yield dump.subarray(1000);
    };
    const master = await listen(feed, { bytes: dump.length, signal: controller.signal });
    await expect(follow(server, master)).rejects.toBe(reason);
    await expect(master.serve()).rejects.toBe(reason);
  });

  test('a damaged dump ends a server, and what survives is what it had saved in its AOF', async () => {
    const build = findBuild('redis', '7.0') ?? serverBuilds()[0]!;
    const { dump } = await dumpOf(build);
    const damaged = Buffer.from(dump);
    damaged.fill(0xee, damaged.length >> 1, (damaged.length >> 1) + 64);
    for (const mode of modes) {
      const { server, old } = await serverWithOldData(build, {
        aof: true,
        config: { 'repl-diskless-load': mode },
      });
      const master = await listen(() => pieces(damaged), { bytes: damaged.length });
      await expect(follow(server, master)).rejects.toMatchObject({ code: 'failed', reason: 'link' });
      await server.kill('SIGKILL');
      await server.restart();
      expect(await describeData(server)).toEqual(old);
    }
  });
});

describe('others than the replica', () => {
  async function greeted(port: number): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('PING\r\nPSYNC ? -1\r\n');
    return socket;
  }

  async function heard(socket: Socket): Promise<string> {
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
    return text;
  }

  test('are told nothing: before it is time, as another user, or beside the replica', async () => {
    const { dump, data } = await dumpOf(serverBuilds()[0]!);
    const server = await startServer();
    const early = await listen(() => pieces(dump), { bytes: dump.length });
    expect(await heard(await greeted(early.port))).toBe('');

    const foreign = await listen(() => pieces(dump), {
      bytes: dump.length,
      replicaUser: 4242,
      stallTimeout: 500,
    });
    const never = foreign.serve();
    never.catch(() => {});
    expect(await heard(await greeted(foreign.port))).toBe('');
    await expect(never).rejects.toMatchObject({ reason: 'unreached' });

    let beside = '';
    const master = await listen(
      async function* () {
        beside = await heard(await greeted(master.port));
        yield* pieces(dump);
      },
      { bytes: dump.length },
    );
    await follow(server, master);
    expect(beside).toBe('');
    expect((await describeData(server)).digest).toBe(data.digest);
  });

  test('one that speaks something else, or leaves, leaves the place to the replica', async () => {
    const { dump, data } = await dumpOf(serverBuilds()[0]!);
    const server = await startServer();
    const master = await listen(() => pieces(dump), { bytes: dump.length });
    const served = master.serve();
    const stranger = connect(master.port, '127.0.0.1');
    stranger.on('error', () => {});
    stranger.write(`GET / HTTP/1.1\r\n*9999999\r\n`);
    await heard(stranger);
    await server.call('REPLICAOF', master.host, master.port);
    await served;
    expect((await describeData(server)).digest).toBe(data.digest);
  });
});
