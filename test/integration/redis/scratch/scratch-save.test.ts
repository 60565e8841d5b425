import { copyFileSync, lstatSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { compareWith, digestFile } from '../../../../src/jobs/drill/compare.ts';
import { systemClock } from '../../../../src/lib/time/system-clock.ts';
import { startScratchServer, type ScratchServer } from '../../../../src/redis/scratch/scratch-server.ts';
import { fillServer } from '../../../support/data/data-set.ts';
import { defaultBuild, startServer } from '../../../support/servers/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const { signal } = new AbortController();

/** A scratch server with the data set, and the dump that it has loaded. */
async function loaded(): Promise<{ server: ScratchServer; file: string; before: Buffer }> {
  const directory = makeTempFolder();
  onTestFinished(() => removeTempFolder(directory));
  const source = await startServer();
  await fillServer(source);
  await source.call('SET', 'text', 'value');
  await source.call('SAVE');
  const file = join(directory, 'dump.rdb');
  copyFileSync(source.dumpPath, file);
  const { server: path } = defaultBuild();
  const program = { path, argv0: 'redis-server' };
  const server = await startScratchServer({
    program,
    directory,
    dumpFile: file,
    clock: systemClock,
    signal,
  });
  onTestFinished(() => server.stop());
  return { server, file, before: readFileSync(file) };
}

async function differences({ server, file }: { server: ScratchServer; file: string }): Promise<string[]> {
  const written = await server.save();
  const digest = await digestFile(file, signal);
  const expected = { digest, file, withNames: true };
  return (await compareWith(expected, written, signal, () => {})).differences;
}

test('writes what it holds into its own folder; what it loaded stays as it is', async () => {
  const { server, file, before } = await loaded();
  expect(await differences({ server, file })).toEqual([]);
  expect(readFileSync(file).equals(before)).toBe(true);
  const written = await server.save();
  expect(lstatSync(written).isFile()).toBe(true);
  expect(written).not.toBe(file);
});

describe('what a server holds otherwise than its dump is named', () => {
  test.each<[string, string[], RegExp]>([
    ['a value', ['SET', 'text', 'valuf'], /^key "text" of database 0 has another value$/],
    ['an expiry', ['EXPIRE', 'text', '1000'], /^key "text" of database 0 expires at another time$/],
    ['a key less', ['DEL', 'text'], /^key "text" of database 0 is missing$/],
    ['a key more', ['SET', 'more', 'x'], /^key "more" of database 0 is not in the backup$/],
    ['everything', ['FLUSHALL'], /and others in \d+ of 4096 groups of keys/],
    ['functions', ['FUNCTION', 'FLUSH'], /^the function libraries are not the same$/],
  ])('%s', async (_, [command = '', ...args], expected) => {
    const { server, file } = await loaded();
    await server.connection.call(server.own.REPLICAOF, 'NO', 'ONE');
    await server.connection.call(command, ...args);
    expect(await differences({ server, file })).toEqual(
      expect.arrayContaining([expect.stringMatching(expected)]),
    );
  });
});

test('a server that ends meanwhile is no endless wait', async () => {
  const { server } = await loaded();
  // Else it may have saved before it is killed.
  process.kill(server.pid, 'SIGSTOP');
  const saving = server.save();
  process.kill(server.pid, 'SIGKILL');
  await expect(saving).rejects.toMatchObject({ reason: 'killed' });
});

test('where it cannot write, it says so', async () => {
  const { server, file } = await loaded();
  rmSync(readlinkSync(`/proc/${server.pid}/cwd`), { recursive: true });
  await expect(server.save()).rejects.toMatchObject({
    reason: 'save',
    message: expect.stringMatching(/cannot write what it holds/) as unknown,
  });
  expect(lstatSync(file).isFile()).toBe(true);
});
