import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findProgram } from '../../../src/redis/find-program.ts';
import { startServer } from '../../support/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../../support/temp-folder.ts';

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
  const found = await findProgram(server.build.server, server.pid);
  expect(found).toBe(server.build.server);
});

test('a server that was started by its bare name is found where it runs, and not where it was started', async () => {
  await using server = await startServer();
  const told = join(server.dir, basename(server.build.server));
  const found = await findProgram(told, server.pid);
  expect(found && realpathSync(found)).toBe(realpathSync(server.build.server));
  expect(basename(found ?? '')).toBe(basename(server.build.server));
});

test('a link keeps its own name: by that of what it leads to it would be another tool', async () => {
  const folder = testFolder();
  copyOfSleep(join(folder, 'redis-check-rdb'));
  const link = join(folder, 'redis-server');
  symlinkSync('redis-check-rdb', link);
  const pid = await startSleeper(link);
  await expect(findProgram('/nowhere/redis-server', pid)).resolves.toBe(link);
});

test('another program of the same name in the told place is not it', async () => {
  const [folder, other] = [testFolder(), testFolder()];
  const program = copyOfSleep(join(folder, 'redis-server'));
  const told = copyOfSleep(join(other, 'redis-server'));
  const pid = await startSleeper(program);
  await expect(findProgram(told, pid)).resolves.toBe(program);
});

test('after an upgrade it is what has taken its place; and nothing when nothing has', async () => {
  const folder = testFolder();
  const program = copyOfSleep(join(folder, 'redis-server'));
  const pid = await startSleeper(program);
  rmSync(program);
  await expect(findProgram(join(dirname(folder), 'redis-server'), pid)).resolves.toBe(undefined);
  copyOfSleep(program);
  await expect(findProgram(join(dirname(folder), 'redis-server'), pid)).resolves.toBe(program);
});
