import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AgentError } from '../../../../src/domain/errors.ts';
import { infoKeyspace } from '../../../../src/formats/info/parse-info.ts';
import { systemClock } from '../../../../src/lib/time/system-clock.ts';
import type { Feed } from '../../../../src/redis/replication/replica-link.ts';
import {
  startScratchServer,
  type ScratchOptions,
  type ScratchServer,
} from '../../../../src/redis/scratch/scratch-server.ts';
import { readInfo } from '../../../../src/redis/server.ts';
import {
  defaultBuild,
  edgeBuilds,
  startServer,
  type ServerBuild,
} from '../../../support/servers/redis-server.ts';
import { isGone, scratchPid } from '../../../support/servers/scratch-process.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const mebibyte = 1024 * 1024;
/** What no two ends of a loopback connection keep between them. */
const held = 48 * mebibyte;

function optionsFor(build = defaultBuild()): Omit<ScratchOptions, 'feed'> {
  const directory = makeTempFolder();
  onTestFinished(() => removeTempFolder(directory));
  const program = { path: build.server, argv0: `${build.engine}-server` };
  return { program, directory, clock: systemClock, signal: new AbortController().signal };
}

async function start(options: ScratchOptions): Promise<ScratchServer> {
  const server = await startScratchServer(options);
  onTestFinished(() => server.stop());
  return server;
}

/** 60 MiB of a real server: 120 keys, one whose time is over by now, and one in the last database. */
async function makeDump(build: ServerBuild): Promise<Buffer> {
  await using source = await startServer({ build, config: { databases: '1000', rdbcompression: 'no' } });
  await source.call('DEBUG', 'SET-ACTIVE-EXPIRE', 0);
  await source.call('DEBUG', 'POPULATE', 120, 'key', mebibyte / 2);
  await source.call('SET', 'short-lived', 'x', 'PX', 1);
  await source.call('SELECT', 999);
  await source.call('SET', 'far', 'x');
  await source.call('SAVE');
  return await readFile(source.dumpPath);
}

/** As small chunks, each of them only lent; `before` may hold one back, by its offset. */
function feedOf(dump: Buffer, before: (offset: number) => Promise<void> = async () => {}): Feed {
  return {
    bytes: dump.length,
    async *open() {
      const lent = Buffer.alloc(mebibyte);
      for (let at = 0; at < dump.length; at += lent.length) {
        await before(at);
        const length = dump.copy(lent, 0, at, at + lent.length);
        yield lent.subarray(0, length);
        lent.fill(0);
      }
    },
  };
}

describe.each(edgeBuilds())('on $name', (build) => {
  test('loads what is still being made, expired keys and all', async () => {
    const dump = await makeDump(build);
    const taken = Promise.withResolvers<void>();
    const shares: number[] = [];
    const scratch = await start({
      ...optionsFor(build),
      // Its end is not made before the server has taken more than the connection holds.
      feed: feedOf(dump, async (offset) => {
        if (offset > held) await taken.promise;
      }),
      onProgress(share) {
        shares.push(share);
        if (share * dump.length >= held) taken.resolve();
      },
    });
    const info = await readInfo(scratch.connection);
    expect(infoKeyspace(info)).toMatchObject({
      0: { keys: 121, expires: 1 },
      999: { keys: 1, expires: 0 },
    });
    expect(shares.at(-1)).toBe(1);
    // Nobody's replica now: it asks no port of this host for data.
    expect(Object.fromEntries(info)).toMatchObject({
      role: 'slave',
      master_host: '127.0.0.1',
      master_port: '1',
    });
    await expect(scratch.connection.call('SET', 'a', 'b')).rejects.toThrow('READONLY');
  });

  test('a damaged dump is refused, and nothing is left', async () => {
    const dump = await makeDump(build);
    // Its type byte.
    dump[dump.indexOf('short-lived') - 2] = 0x7e;
    const options = optionsFor(build);
    await expect(startScratchServer({ ...options, feed: feedOf(dump) })).rejects.toMatchObject({
      code: expect.stringMatching(/^(failed|damaged)$/),
    });
    expect(await readdir(options.directory)).toEqual([]);
  });
});

/** Starts one that is halfway through its dump when `act` is called. */
async function halfway(
  act: (options: ScratchOptions) => void,
  signal?: AbortSignal,
): Promise<ScratchOptions> {
  const dump = await makeDump(defaultBuild());
  let pid = 0;
  const options: ScratchOptions = {
    ...optionsFor(),
    ...(signal === undefined ? {} : { signal }),
    feed: feedOf(dump, async (offset) => {
      if (offset !== 32 * mebibyte) return;
      pid = scratchPid(options.directory);
      expect(isGone(pid)).toBe(false);
      act(options);
    }),
  };
  onTestFinished(() => {
    expect(pid).toBeGreaterThan(1);
    expect(isGone(pid)).toBe(true);
  });
  return options;
}

test('killed while it loads: says that memory may be the cause', async () => {
  const options = await halfway(({ directory }) => process.kill(scratchPid(directory), 'SIGKILL'));
  await expect(startScratchServer(options)).rejects.toMatchObject({ code: 'failed', reason: 'killed' });
  expect(await readdir(options.directory)).toEqual([]);
});

test('a feed that fails: its error, no process, no folder', async () => {
  const why = new AgentError('damaged', 'a byte has changed');
  const options = await halfway(() => {
    throw why;
  });
  await expect(startScratchServer(options)).rejects.toBe(why);
  expect(await readdir(options.directory)).toEqual([]);
});

test('abort while it waits for more: the reason, no process, no folder', async () => {
  const controller = new AbortController();
  const why = new Error('ctrl-c');
  const options = await halfway(() => controller.abort(why), controller.signal);
  await expect(startScratchServer(options)).rejects.toBe(why);
  expect(await readdir(options.directory)).toEqual([]);
});

test('a feed that is deaf to it holds nothing up', async () => {
  const controller = new AbortController();
  const why = new Error('ctrl-c');
  const options = optionsFor();
  const feed: Feed = {
    bytes: 1000,
    async *open() {
      controller.abort(why);
      await new Promise(() => {});
      yield Buffer.alloc(1000);
    },
  };
  await expect(startScratchServer({ ...options, feed, signal: controller.signal })).rejects.toBe(why);
  expect(await readdir(options.directory)).toEqual([]);
});

test('a server that does not start is not waited for', async () => {
  const options = optionsFor();
  const program = { path: '/nowhere/redis-server', argv0: 'redis-server' };
  const feed = feedOf(Buffer.alloc(1000));
  await expect(startScratchServer({ ...options, program, feed })).rejects.toMatchObject({ reason: 'start' });
  expect(await readdir(options.directory)).toEqual([]);
});
