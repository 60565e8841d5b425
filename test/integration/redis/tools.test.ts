import { copyFile, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findServerProcess } from '../../../src/redis/server-process.ts';
import { readInfo } from '../../../src/redis/server.ts';
import { findCheckTool, runCheckRdb, type CheckTool } from '../../../src/redis/tools.ts';
import { defaultBuild, serverBuilds, startServer, type TestServer } from '../../support/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../../support/temp-folder.ts';

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
    expect(await runCheckRdb(await toolFor(server), file, signal)).toEqual({
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
    expect(await runCheckRdb(tool, file, signal)).toMatchObject({
      ok: false,
      summary: expect.stringMatching(/CRC error/),
    });
    await truncate(file, at);
    expect(await runCheckRdb(tool, file, signal)).toMatchObject({
      ok: false,
      summary: expect.stringMatching(/Unexpected EOF/),
    });
    await truncate(file, 0);
    expect(await runCheckRdb(tool, file, signal)).toMatchObject({ ok: false });
  });

  test('what it does not find: trailing garbage, and a flipped byte in a dump without checksum', async () => {
    const server = await startServer({ build, config: { rdbchecksum: 'no' } });
    const file = await makeDump(server);
    const tool = await toolFor(server);
    const content = await readFile(file);
    content.write('VALUE', content.indexOf('value-50'));
    await writeFile(file, Buffer.concat([content, Buffer.from('garbage')]));
    expect(await runCheckRdb(tool, file, signal)).toMatchObject({ ok: true, keys: 101, checksum: 'none' });
  });
});

test('after an upgrade: the program that still runs, not the newer one beside it', async () => {
  const build = defaultBuild();
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const path = join(folder, `${build.engine}-server`);
  await copyFile(build.server, path);
  const server = await startServer({ build: { ...build, server: path } });
  const file = await makeDump(server);
  await rm(path);
  const other = serverBuilds().find((each) => each.version !== build.version);
  if (other !== undefined) await symlink(other.checkRdb, join(folder, `${build.engine}-check-rdb`));
  const oldPath = process.env['PATH'];
  onTestFinished(() => void (process.env['PATH'] = oldPath));
  process.env['PATH'] = folder;

  const tool = await toolFor(server);

  expect(tool.path).toBe(`/proc/${server.pid}/exe`);
  expect(await runCheckRdb(tool, file, signal)).toMatchObject({ ok: true, keys: 101 });
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
    const found = await findServerProcess(await readInfo(server.connection));
    expect(found?.pid).toBe(server.pid);
    expect(found?.executable).toMatch(/^\/.*(redis|valkey)/);
  });

  test('is not taken for another one with its number', async () => {
    const server = await startServer();
    const info = new Map(await readInfo(server.connection));
    expect(await findServerProcess(new Map(info).set('process_id', String(process.pid)))).toBe(undefined);
    expect(await findServerProcess(new Map(info).set('uptime_in_seconds', '90000'))).toBe(undefined);
    expect(await findServerProcess(new Map(info).set('process_id', '999999999'))).toBe(undefined);
  });
});
