import { existsSync } from 'node:fs';
import { chmod, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runProgram } from '../../../../src/lib/process/run-program.ts';
import { findServerProcess } from '../../../../src/redis/process/server-process.ts';
import { readInfo } from '../../../../src/redis/server.ts';
import { findCheckTool, runCheckRdb, type CheckTool } from '../../../../src/redis/process/tools.ts';
import {
  defaultBuild,
  serverBuilds,
  startServer,
  type TestServer,
} from '../../../support/servers/redis-server.ts';
import { serverUser } from '../../../support/servers/server-user.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const { signal } = new AbortController();

async function toolFor(server: TestServer, kind: 'rdb' | 'aof' = 'rdb'): Promise<CheckTool> {
  const found = await findCheckTool(kind, await readInfo(server.connection));
  if (found.tool === undefined) throw new Error(found.why);
  return found.tool;
}

async function makeDump(server: TestServer): Promise<string> {
  for (let key = 0; key < 100; key++) await server.call('SET', `key:${key}`, `value-${key}`);
  await server.call('SET', 'short-lived', 'x', 'EX', 1000);
  await server.call('SAVE');
  return server.dumpPath;
}

describe.each(serverBuilds())('on $name', (build) => {
  test('the tools of the running server’s own version', async () => {
    const server = await startServer({ build });
    expect(await toolFor(server)).toEqual({ path: build.checkRdb, argv0: `${build.engine}-check-rdb` });
    expect(await toolFor(server, 'aof')).toEqual({
      path: build.checkAof,
      argv0: `${build.engine}-check-aof`,
    });
  });

  test('passes a good dump', async () => {
    const server = await startServer({ build });
    const file = await makeDump(server);
    expect(await runCheckRdb(await toolFor(server), file, signal, serverUser)).toEqual({
      ok: true,
      keys: 101,
      expires: 1,
      expired: 0,
      checksum: 'ok',
      summary: `${build.engine}-check-rdb: looks OK`,
    });
  });

  test('a flipped byte, a short file, an empty file: not ok, and why', async () => {
    const server = await startServer({ build });
    const file = await makeDump(server);
    const tool = await toolFor(server);
    const content = await readFile(file);
    const at = content.indexOf('value-50');
    content.write('VALUE', at);
    await writeFile(file, content);
    expect(await runCheckRdb(tool, file, signal, serverUser)).toMatchObject({
      ok: false,
      summary: expect.stringMatching(/CRC error/),
    });
    await truncate(file, at);
    expect(await runCheckRdb(tool, file, signal, serverUser)).toMatchObject({
      ok: false,
      summary: expect.stringMatching(/Unexpected EOF/),
    });
    await truncate(file, 0);
    expect(await runCheckRdb(tool, file, signal, serverUser)).toMatchObject({ ok: false });
  });

  test('what it does not find: trailing garbage, and a flipped byte in a dump without checksum', async () => {
    const server = await startServer({ build, config: { rdbchecksum: 'no' } });
    const file = await makeDump(server);
    const tool = await toolFor(server);
    const content = await readFile(file);
    content.write('VALUE', content.indexOf('value-50'));
    await writeFile(file, Buffer.concat([content, Buffer.from('garbage')]));
    expect(await runCheckRdb(tool, file, signal, serverUser)).toMatchObject({
      ok: true,
      keys: 101,
      checksum: 'none',
    });
  });
});

test('what a server says of its own place is not looked at', async () => {
  const { version, engine } = defaultBuild();
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const mark = join(folder, 'ran');
  for (const name of [`${engine}-server`, `${engine}-check-rdb`])
    await writeFile(join(folder, name), `#!/bin/sh\ntouch ${mark}\necho v=${version}\n`, { mode: 0o755 });
  const server = await startServer();
  const info = new Map(await readInfo(server.connection)).set('executable', join(folder, `${engine}-server`));
  expect(await findCheckTool('rdb', info)).toMatchObject({ tool: { path: defaultBuild().checkRdb } });
  await findCheckTool('rdb', new Map(info).set(`${engine}_version`, '5.0.1'));
  expect(existsSync(mark)).toBe(false);
});

test('the configuration says where; what others could have put there is not run', async () => {
  const { version, engine } = defaultBuild();
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  await chmod(folder, 0o755);
  const path = join(folder, 'my-check-rdb');
  await writeFile(path, `#!/bin/sh\necho Redis v=5.0.1 x\n`, { mode: 0o755 });
  const info = new Map([[engine === 'valkey' ? 'valkey_version' : 'redis_version', '5.0.1']]);
  const places = { tools: { redis_check_rdb: path } };
  expect(await findCheckTool('rdb', info, places)).toEqual({ tool: { path, argv0: `${engine}-check-rdb` } });
  await chmod(folder, 0o777);
  expect(await findCheckTool('rdb', info, places)).toMatchObject({
    why: expect.stringMatching(
      `^no ${engine}-check-rdb of version 5.0.1 on this host \\(${path} is not run: others may write to ${folder}`,
    ) as unknown,
  });
  expect(version).not.toBe('5.0.1');
});

test.skipIf(process.getuid?.() !== 0)('root’s rights are given up', async () => {
  const { output } = await runProgram('/bin/sh', ['-c', 'id -u; id -G; grep CapEff /proc/self/status'], {
    signal,
  });
  expect(output).toMatch(/^65534\n65534\nCapEff:\s+0+\n$/);
});

test('none of that version on this host: says what is there', async () => {
  const { checkRdb, engine, version } = defaultBuild();
  const info = new Map([
    [engine === 'valkey' ? 'valkey_version' : 'redis_version', '5.0.1'],
    ['process_id', '1'],
    ['uptime_in_seconds', '1'],
    ['executable', join(checkRdb, '..', 'redis-server')],
  ]);
  expect(await findCheckTool('rdb', info)).toEqual({
    tool: undefined,
    why: expect.stringMatching(
      new RegExp(`^no ${engine}-check-rdb of version 5.0.1 on this host \\(${checkRdb} is ${version}`),
    ),
  });
});

test('a program that cannot be run, and an abort', async () => {
  const file = join(makeTempFolder(), 'x');
  onTestFinished(() => removeTempFolder(join(file, '..')));
  await writeFile(file, '');
  await expect(runCheckRdb({ path: '/nowhere', argv0: 'x' }, file, signal)).rejects.toThrow('ENOENT');
  const controller = new AbortController();
  const why = new Error('ctrl-c');
  const running = runCheckRdb({ path: '/bin/sleep', argv0: 'sleep' }, '60', controller.signal);
  controller.abort(why);
  await expect(running).rejects.toBe(why);
});

describe('the server’s process', () => {
  test('is found with its program', async () => {
    const server = await startServer();
    const found = await findServerProcess(await readInfo(server.connection), server.url);
    expect(found?.pid).toBe(server.pid);
    expect(found?.executable).toMatch(/^\/.*(redis|valkey)/);
  });

  test('is not taken for another one with its number', async () => {
    const server = await startServer();
    const info = new Map(await readInfo(server.connection));
    expect(await findServerProcess(new Map(info).set('process_id', String(process.pid)), server.url)).toBe(
      undefined,
    );
    // A clock that was set, or a host too busy to look at once: who holds the socket is the one.
    expect(
      await findServerProcess(new Map(info).set('uptime_in_seconds', '90000'), server.url),
    ).toMatchObject({ pid: server.pid });
    expect(await findServerProcess(new Map(info).set('process_id', '999999999'), server.url)).toBe(undefined);
  });

  test('is none that does not hold the socket', async () => {
    const [server, other] = [await startServer(), await startServer()];
    const info = await readInfo(server.connection);
    expect(await findServerProcess(info, other.url)).toBe(undefined);
    expect(await findServerProcess(info, other.socketUrl)).toBe(undefined);
    expect(await findServerProcess(info, server.socketUrl)).toMatchObject({ pid: server.pid });
    expect(await findServerProcess(info, 'redis://127.0.0.1:1')).toBe(undefined);
  });
});
