import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { findDataProcesses, findProcess } from '../../../../src/redis/process/data-process.ts';
import { compile, compiler } from '../../../support/servers/compiler.ts';
import { manageServer } from '../../../support/servers/managed-server.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

test('a server is known by the folder that it works in, one below the same path elsewhere is none', async () => {
  const server = await manageServer();
  const dir = realpathSync(server.dir);
  const [own] = await server.pids();
  expect((await findDataProcesses(dir)).map(({ pid }) => pid)).toEqual([own]);
  expect(await findDataProcesses(`${dir}/nowhere`)).toEqual([]);
});

test.skipIf(process.getuid?.() !== 0)('a server in a container with a folder of the same path', async () => {
  const server = await manageServer();
  const dir = realpathSync(server.dir);
  const [own] = await server.pids();
  const script =
    'mount -t tmpfs tmpfs "$1" && exec "$2" --port 0 --unixsocket other.sock --dir "$1" --save "" >/dev/null';
  const other = spawn(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', dir, server.build.server],
    { stdio: 'ignore' },
  );
  const ended = once(other, 'exit');
  onTestFinished(async () => {
    other.kill('SIGKILL');
    await ended;
  });
  // It has gone there when it is a server: before that it is unshare, and then a shell.
  while ((await readlink(`/proc/${other.pid}/cwd`)) !== dir) await delay(5);
  expect((await findDataProcesses(dir)).map(({ pid }) => pid)).toEqual([own]);
});

test.skipIf(compiler === undefined)('one that ends is there until its last thread has ended', async () => {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const program = join(folder, 'lingering-thread');
  compile('test/support/servers/lingering-thread.c', program);
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'ignore'] });
  const [port]: Buffer[] = await once(child.stdout, 'data');
  const pid = child.pid ?? 0;
  while (!/^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, 'utf8'))) await delay(1);
  expect(await findProcess(pid)).toMatchObject({ pid });
  child.stdin.end();
  while ((await findProcess(pid)) !== undefined) await delay(1);
  // What it held is free.
  const server = createServer().listen(Number(String(port)), '127.0.0.1');
  await once(server, 'listening');
  server.close();
});
