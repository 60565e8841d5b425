import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile, readdir, stat, truncate } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { infoKeyspace } from '../../../../src/formats/info/parse-info.ts';
import { systemClock } from '../../../../src/lib/time/system-clock.ts';
import {
  startScratchServer,
  type ScratchOptions,
  type ScratchServer,
} from '../../../../src/redis/scratch/scratch-server.ts';
import { sweepScratch } from '../../../../src/redis/scratch/scratch-folder.ts';
import { readInfo } from '../../../../src/redis/server.ts';
import {
  defaultBuild,
  serverBuilds,
  startServer,
  type TestServer,
} from '../../../support/servers/redis-server.ts';
import { isGone, scratchPid } from '../../../support/servers/scratch-process.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';
import { childScript } from '../../../support/house/child-script.ts';

function tempFolder(): string {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  return folder;
}

function optionsFor(build = defaultBuild()): ScratchOptions {
  const program = { path: build.server, argv0: `${build.engine}-server` };
  return { program, directory: tempFolder(), clock: systemClock, signal: new AbortController().signal };
}

async function start(options: ScratchOptions): Promise<ScratchServer> {
  const server = await startScratchServer(options);
  onTestFinished(() => server.stop());
  return server;
}

/** A dump of a real server: 200 keys and one whose time is over by now. */
async function makeDump(server: TestServer): Promise<string> {
  for (let key = 0; key < 200; key++) await server.call('SET', `key:${key}`, 'x'.repeat(50));
  await server.call('SET', 'short-lived', 'x', 'PX', 1);
  await server.call('SELECT', 3);
  await server.call('SET', 'other', 'x');
  await server.call('SAVE');
  return server.dumpPath;
}

describe.each(serverBuilds())('on $name', (build) => {
  test('loads a dump, expired keys and all, and leaves it as it is', async () => {
    const source = await startServer({ build, config: { databases: '1000' } });
    await source.call('DEBUG', 'SET-ACTIVE-EXPIRE', 0);
    const dumpFile = await makeDump(source);
    await source.call('SELECT', 999);
    await source.call('SET', 'far', 'x');
    await source.call('SAVE');
    const before = await readFile(dumpFile);

    const scratch = await start({ ...optionsFor(build), dumpFile });

    const info = await readInfo(scratch.connection);
    expect(infoKeyspace(info)).toMatchObject({
      0: { keys: 201, expires: 1 },
      3: { keys: 1, expires: 0 },
      999: { keys: 1, expires: 0 },
    });
    await expect(scratch.connection.call('SET', 'a', 'b')).rejects.toThrow('READONLY');
    await scratch.stop();
    expect(await readFile(dumpFile)).toEqual(before);
  });

  test('a truncated dump is damaged, in the server’s own words', async () => {
    const source = await startServer({ build });
    const dumpFile = await makeDump(source);
    await truncate(dumpFile, (await stat(dumpFile)).size - 100);
    const options = optionsFor(build);
    await expect(startScratchServer({ ...options, dumpFile })).rejects.toMatchObject({
      code: 'damaged',
      reason: 'load',
      message: expect.stringMatching(/^the scratch server cannot load the dump: .*Unexpected EOF/),
    });
    expect(await readdir(options.directory)).toEqual([]);
  });

  test('a dump of a newer server is not called damaged', async () => {
    const dumpFile = join(tempFolder(), 'newer.rdb');
    writeFileSync(dumpFile, 'REDIS0999and-what-follows');
    await expect(startScratchServer({ ...optionsFor(build), dumpFile })).rejects.toMatchObject({
      code: 'failed',
      reason: 'version',
    });
  });
});

test('private, humble, and gone when stopped', async () => {
  const options = optionsFor();
  const scratch = await start(options);
  const [name = ''] = await readdir(options.directory);
  const folder = join(options.directory, name);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, 's'))).mode & 0o777).toBe(0o700);
  expect(getPriority(scratch.pid)).toBe(19);
  expect(readFileSync(`/proc/${scratch.pid}/oom_score_adj`, 'utf8')).toBe('1000\n');
  expect((await readInfo(scratch.connection)).get('tcp_port')).toBe('0');
  await scratch.stop();
  await scratch.stop();
  expect(isGone(scratch.pid)).toBe(true);
  expect(await readdir(options.directory)).toEqual([]);
});

test('it has no terminal, and leaves no core dump', async () => {
  const { pid } = await start(optionsFor());
  // proc_pid_stat(5): session, then the terminal.
  const [, , , session, terminal] =
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  expect({ session: Number(session), terminal }).toEqual({ session: pid, terminal: '0' });
  expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/^Max core file size\s+0\s+0\s/m);
});

test.skipIf(process.getuid?.() !== 0)('it has no rights of root’s', async () => {
  const scratch = await start(optionsFor());
  const status = readFileSync(`/proc/${scratch.pid}/status`, 'utf8');
  expect(status).toMatch(/^Uid:\s+65534\s+65534\s+65534\s+65534$/m);
  expect(status).toMatch(/^Groups:\s*$/m);
  expect(status).toMatch(/^CapEff:\s+0+$/m);
  expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
});

test('our environment is kept from it', async () => {
  process.env['REDIS_AGENT_TEST_SECRET'] = 'hunter2';
  onTestFinished(() => void delete process.env['REDIS_AGENT_TEST_SECRET']);
  const scratch = await start(optionsFor());
  expect(readFileSync(`/proc/${scratch.pid}/environ`, 'utf8')).not.toContain('hunter2');
});

test('the check tool’s file, called by the server’s name, is the server', async () => {
  const { checkRdb, engine } = defaultBuild();
  const scratch = await start({ ...optionsFor(), program: { path: checkRdb, argv0: `${engine}-server` } });
  expect(await scratch.connection.call('PING')).toBe('PONG');
});

test('a program that is not there', async () => {
  const options = { ...optionsFor(), program: { path: '/nowhere/redis-server', argv0: 'redis-server' } };
  await expect(startScratchServer(options)).rejects.toMatchObject({
    code: 'failed',
    reason: 'start',
    message: expect.stringMatching(/did not come up: .*No such file/),
  });
  expect(await readdir(options.directory)).toEqual([]);
});

test('a folder too deep for a socket', async () => {
  const options = optionsFor();
  const directory = join(options.directory, 'x'.repeat(80));
  await expect(startScratchServer({ ...options, directory })).rejects.toMatchObject({ reason: 'path' });
  expect(await readdir(directory)).toEqual([]);
});

test('abort while it loads: the reason, no process, no folder', async () => {
  const source = await startServer();
  await source.call('DEBUG', 'POPULATE', 500_000, 'key', 60);
  await source.call('SAVE');
  const options = optionsFor();
  const controller = new AbortController();
  const why = new Error('ctrl-c');
  let pid = 0;
  const starting = startScratchServer({
    ...options,
    dumpFile: source.dumpPath,
    signal: controller.signal,
    onProgress(share) {
      pid = scratchPid(options.directory);
      expect(share).toBeLessThanOrEqual(1);
      controller.abort(why);
    },
  });
  await expect(starting).rejects.toBe(why);
  expect(pid).toBeGreaterThan(1);
  expect(isGone(pid)).toBe(true);
  expect(await readdir(options.directory)).toEqual([]);
});

test('killed while it loads: says that memory may be the cause', async () => {
  const source = await startServer();
  await source.call('DEBUG', 'POPULATE', 500_000, 'key', 60);
  await source.call('SAVE');
  const options = optionsFor();
  const starting = startScratchServer({
    ...options,
    dumpFile: source.dumpPath,
    onProgress() {
      process.kill(scratchPid(options.directory), 'SIGKILL');
    },
  });
  await expect(starting).rejects.toMatchObject({ code: 'failed', reason: 'killed' });
});

describe('what a killed agent leaves', () => {
  test('its server dies with it, and the next sweep clears the folder', async () => {
    const directory = tempFolder();
    const script = childScript('servers/hold-scratch');
    const agent = spawn(process.execPath, [script, directory, defaultBuild().server], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line]: unknown[] = await once(agent.stdout, 'data');
    const pid = Number(String(line));
    expect(isGone(pid)).toBe(false);
    expect(await sweepScratch(directory)).toEqual([]); // the agent still runs
    expect(isGone(pid)).toBe(false);

    agent.kill('SIGKILL');
    await once(agent, 'exit');
    while (!isGone(pid)) await delay(2);

    expect(await readdir(directory)).toHaveLength(1);
    expect(await sweepScratch(directory)).toHaveLength(1);
    expect(await readdir(directory)).toEqual([]);
  });

  test('a server that outlived it is ended, a process that merely has its number is not', async () => {
    const directory = tempFolder();
    const orphanage = join(directory, 'scratch-999999999-1-orphan');
    mkdirSync(orphanage);
    symlinkSync(defaultBuild().server, join(orphanage, 'redis-server'));
    const orphan = spawn(join(orphanage, 'redis-server'), ['--port', '0', '--unixsocket', 's'], {
      cwd: orphanage,
    });
    await once(orphan.stdout, 'data');
    writeFileSync(join(orphanage, 'server.pid'), `${orphan.pid}\n`);

    const reused = join(directory, 'scratch-999999999-1-reused');
    mkdirSync(reused);
    const stranger = spawn('sleep', ['60'], { cwd: directory });
    onTestFinished(() => void stranger.kill('SIGKILL'));
    writeFileSync(join(reused, 'server.pid'), `${stranger.pid}\n`);
    mkdirSync(join(directory, 'verify-1234'));

    const ended = once(orphan, 'exit');
    expect(await sweepScratch(directory)).toEqual([orphanage, reused]);
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(isGone(stranger.pid ?? 0)).toBe(false);
    expect(await readdir(directory)).toEqual(['verify-1234']);
  });

  test('nothing there yet', async () => {
    expect(await sweepScratch('/nowhere/at/all')).toEqual([]);
  });
});
