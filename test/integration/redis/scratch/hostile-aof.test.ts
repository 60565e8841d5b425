import { appendFileSync, chmodSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { AgentError } from '../../../../src/domain/errors.ts';
import { giveToUnprivileged } from '../../../../src/lib/process/unprivileged.ts';
import { systemClock } from '../../../../src/lib/time/system-clock.ts';
import { startScratchServer } from '../../../../src/redis/scratch/scratch-server.ts';
import { growingFile, rewriteAof, startAofServer } from '../../../support/data/aof.ts';
import { runAgent, writeConfig } from '../../../support/agent/cli.ts';
import { compile } from '../../../support/servers/compiler.ts';
import { edgeBuilds, type ServerBuild, type TestServer } from '../../../support/servers/redis-server.ts';
import { resp } from '../../../support/data/resp.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

let module: string;
beforeAll(() => {
  const folder = makeTempFolder();
  chmodSync(folder, 0o777);
  module = join(folder, 'evil.so');
  compile('test/support/servers/hostile-module.c', module, { shared: true });
  return () => removeTempFolder(folder);
});

const plain = (): Buffer => resp(['SELECT', '0'], ['mOdUlE', 'LOAD', module]);
const inMulti = (): Buffer => resp(['MULTI'], ['SET', 'a', '1'], ['MODULE', 'LOAD', module], ['EXEC']);

/** Each kind of command that a server writes into its own file. */
async function writeGenuine(server: TestServer): Promise<void> {
  await server.call('SET', 'text', 'x');
  await rewriteAof(server);
  await server.call('MULTI');
  await server.call('SET', 'other', 'x', 'EX', '1000');
  await server.call('RPUSH', 'list', 'MODULE', 'CONFIG');
  await server.call('EXEC');
  await server.call('PFADD', 'hll', 'a', 'b');
  await server.call('SWAPDB', '0', '1');
  await server.call('EVAL', "redis.call('set', KEYS[1], 'x')", '1', 'by-script');
  await server.call('FLUSHALL');
  await server.call('XADD', 'stream', '1-1', 'SHUTDOWN', 'NOSAVE');
  await server.call('CONFIG', 'SET', 'maxmemory', '0');
  await server.call('SCRIPT', 'FLUSH');
  if (Number.parseInt(server.build.version, 10) < 7) return;
  await server.call('FUNCTION', 'LOAD', "#!lua name=f\nredis.register_function('f', function() end)");
}

async function load(build: ServerBuild, bytes: Buffer): Promise<unknown> {
  const directory = makeTempFolder();
  onTestFinished(() => removeTempFolder(directory));
  const path = join(directory, 'given.aof');
  writeFileSync(path, bytes);
  // As all do who stage one: up to 6.2 servers open it for writing.
  giveToUnprivileged(directory);
  const layout = Number.parseInt(build.version, 10) < 7 ? 'single' : 'multi-part';
  const server = await startScratchServer({
    program: { path: build.server, argv0: `${build.engine}-server` },
    directory,
    aof: { layout, files: [{ path, type: 'i' }] },
    clock: systemClock,
    signal: new AbortController().signal,
  });
  await server.stop();
  return undefined;
}

describe.for(edgeBuilds().map((build) => [build.name, build] as const))('%s', ([, build]) => {
  test('what a server writes itself is not hostile, and is loaded', async () => {
    const server = await startAofServer(build);
    await writeGenuine(server);
    const config = writeConfig({ server });
    const sound = await runAgent(['aof', 'check', '--json', '--deep'], { config });
    expect(sound).toMatchObject({ code: 0, json: { verdict: 'ok', load: { ok: true } } });
  });

  test.for([
    ['in mixed case', plain, 'MODULE'],
    ['in a transaction', inMulti, 'MODULE'],
  ] as const)('a module %s: hostile, and nothing is loaded', async ([, made]) => {
    const server = await startAofServer(build);
    await server.call('SET', 'text', 'x');
    const config = writeConfig({ server });
    const offset = appendTo(server, made());
    const found = await runAgent(['aof', 'check', '--json', '--deep'], { config });
    expect(found).toMatchObject({ code: 6, json: { verdict: 'hostile', load: { ok: null } } });
    expect(found.json.summary).toContain(`MODULE at byte ${offset} `);
    const backup = await runAgent(['backup', '--kind', 'aof'], { config });
    expect(backup).toMatchObject({ code: 6, stderr: expect.stringContaining('hostile') as unknown });
    expect(existsSync(`${module}.ran`)).toBe(false);
  });

  test('a scratch server runs none of them, whoever has not looked', async () => {
    const commands = [['mOdUlE', 'LOAD', module], ['ReplicaOf', '127.0.0.1', '1'], ['SAVE']];
    for (const command of commands)
      await expect(load(build, resp(['SELECT', '0'], command))).rejects.toMatchObject({
        code: 'damaged',
        reason: 'hostile',
        message: expect.stringContaining(String(command[0]).toUpperCase()) as unknown,
      });
    await expect(load(build, inMulti())).rejects.toMatchObject({ code: 'damaged', reason: 'hostile' });
    expect(existsSync(`${module}.ran`)).toBe(false);
  });

  test('nor one that hides in a script: that says nothing good of the file, and nothing of this host', async () => {
    const script = `redis.call('MODULE', 'LOAD', '${module}')`;
    const outcome = await load(build, resp(['SELECT', '0'], ['EVAL', script, '0'])).catch(
      (error: unknown) => error,
    );
    expect([undefined, 'damaged']).toContain(outcome instanceof AgentError ? outcome.code : outcome);
    expect(existsSync(`${module}.ran`)).toBe(false);
  });
});

/** Where the first administrative command begins. */
function appendTo(server: TestServer, bytes: Buffer): number {
  const file = growingFile(server);
  const { size } = statSync(file);
  appendFileSync(file, bytes);
  const at = /\*\d+\r\n\$6\r\nmodule/i.exec(bytes.toString('latin1'))?.index ?? 0;
  return size + at;
}
