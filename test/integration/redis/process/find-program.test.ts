import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findProgram } from '../../../../src/redis/process/find-program.ts';
import { startServer } from '../../../support/servers/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

/** A process of a program of our own that has the name of a server; only its name and place matter here. */
async function startSleeper(program: string): Promise<number> {
  const child = spawn(program, ['1000'], { stdio: 'ignore' });
  await once(child, 'spawn');
  onTestFinished(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  return child.pid!;
}

function testFolder(): string {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  return folder;
}

function copyOfSleep(path: string): string {
  copyFileSync(realpathSync('/bin/sleep'), path);
  chmodSync(path, 0o755);
  return path;
}

test('a real server is found by what it tells', async () => {
  await using server = await startServer();
  const found = await findProgram('redis', server.pid);
  expect(found).toBe(server.build.server);
});

test('what a server was started by is found where it runs, by its own name', async () => {
  await using server = await startServer();
  const found = await findProgram('redis', server.pid);
  expect(found && realpathSync(found)).toBe(realpathSync(server.build.server));
  expect(basename(found ?? '')).toBe(basename(server.build.server));
});

test('a link keeps its own name: by that of what it leads to it would be another tool', async () => {
  const folder = testFolder();
  copyOfSleep(join(folder, 'redis-check-rdb'));
  const link = join(folder, 'redis-server');
  symlinkSync('redis-check-rdb', link);
  const pid = await startSleeper(link);
  await expect(findProgram('redis', pid)).resolves.toBe(link);
});

test('one that somebody else could have put there is none', async () => {
  const folder = testFolder();
  const pid = await startSleeper(copyOfSleep(join(folder, 'redis-server')));
  chmodSync(folder, 0o777);
  await expect(findProgram('redis', pid)).resolves.toBe(undefined);
  chmodSync(folder, 0o755);
  await expect(findProgram('redis', pid)).resolves.toBe(join(folder, 'redis-server'));
});

test('where the configuration says, if it is the one that runs', async () => {
  const [folder, other] = [testFolder(), testFolder()];
  const program = copyOfSleep(join(folder, 'redis-server'));
  const elsewhere = copyOfSleep(join(other, 'redis-server'));
  const pid = await startSleeper(program);
  const tools = { redis_server: elsewhere };
  await expect(findProgram('redis', pid, { tools })).resolves.toBe(program);
});

test('after an upgrade it is what has taken its place; and nothing when nothing has', async () => {
  const folder = testFolder();
  const program = copyOfSleep(join(folder, 'redis-server'));
  const pid = await startSleeper(program);
  rmSync(program);
  await expect(findProgram('redis', pid)).resolves.toBe(undefined);
  copyOfSleep(program);
  await expect(findProgram('redis', pid)).resolves.toBe(program);
});
