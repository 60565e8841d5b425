import { appendFileSync, copyFileSync, cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { aofFolder, aofNames, growingFile, rewriteAof, startAofServer } from '../../support/data/aof.ts';
import { runAgent, writeConfig, type AgentResult } from '../../support/agent/cli.ts';
import { defaultBuild, edgeBuilds } from '../../support/servers/redis-server.ts';
import { resp } from '../../support/data/resp.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

const deep = ['aof', 'check', '--json', '--deep'];

describe.for(edgeBuilds().map((build) => [build.name, build] as const))('%s', ([, build]) => {
  const counts = Number.parseInt(build.version, 10) >= 7;

  test('a copy is loaded, and what framing cannot tell is found', async () => {
    const server = await startAofServer(build);
    const config = writeConfig({ server });
    await server.call('SET', 'text', 'x');
    await rewriteAof(server);
    await server.call('RPUSH', 'list', 'a', 'b');
    const before = aofNames(server).map((name) => [name, sizeOf(join(server.dir, name))]);
    const sound = await runAgent(deep, { config });
    expect(sound).toMatchObject({ code: 0, json: { verdict: 'ok', load: { ok: true, keys: 2 } } });
    expect(sound.json.load.refused).toBe(counts ? 0 : null);
    expect(aofNames(server).map((name) => [name, sizeOf(join(server.dir, name))])).toEqual(before);
    expect(readdirSync(join(config.state, 'scratch'))).toEqual([]);

    // As a file that some other process has written to: every byte of it is well formed.
    appendFileSync(growingFile(server), resp(['SELECT', '0'], ['LPUSH', 'text', 'of another type']));
    const full = await runAgent(['aof', 'check', '--json'], { config });
    expect(full.json).toMatchObject({ verdict: 'ok', load: null });
    const wrong = await runAgent(deep, { config });
    expect(wrong).toMatchObject(
      counts
        ? { code: 6, json: { verdict: 'mismatch', load: { ok: false, refused: 1 } } }
        : { code: 0, json: { verdict: 'ok', load: { ok: true, refused: null } } },
    );

    appendFileSync(growingFile(server), resp(['NOSUCHCOMMAND', 'x']));
    const unknown = await runAgent(deep, { config });
    expect(unknown).toMatchObject({ code: 6, json: { verdict: 'corrupt', load: { ok: false, keys: null } } });
    expect(unknown.json.load.summary).toMatch(/unknown command 'NOSUCHCOMMAND'/i);
  });
});

function sizeOf(path: string): number | undefined {
  try {
    return readFileSync(path).length;
  } catch {
    return undefined;
  }
}

/** A set whose base holds already what its incr does: made by putting the base of a later rewrite in the first one's place. */
async function pairedWrong(...commands: string[][]): Promise<AgentResult> {
  const server = await startAofServer(defaultBuild());
  for (const command of commands) await server.call(command[0]!, ...command.slice(1));
  const folder = join(makeTempFolder(), 'appendonlydir');
  onTestFinished(() => removeTempFolder(join(folder, '..')));
  cpSync(aofFolder(server), folder, { recursive: true });
  await rewriteAof(server);
  const base = (names: string[]): string => names.find((name) => name.endsWith('.base.rdb'))!;
  const later = join(aofFolder(server), base(readdirSync(aofFolder(server))));
  copyFileSync(later, join(folder, base(readdirSync(folder))));
  return await runAgent([...deep, folder]);
}

test('a base with another’s incr is found where commands fail a second time', async () => {
  const wrong = await pairedWrong(['XADD', 'stream', '1-1', 'a', 'b'], ['INCR', 'counter']);
  expect(wrong).toMatchObject({ code: 6, json: { verdict: 'mismatch', load: { refused: 1 } } });
});

test('and is not where they do not, which no check of a server finds either', async () => {
  const wrong = await pairedWrong(['INCR', 'counter']);
  expect(wrong.json).toMatchObject({ load: { ok: true, refused: 0, keys: 1 } });
});

test('what is not sound is not loaded', async () => {
  const server = await startAofServer(defaultBuild());
  await server.call('SET', 'a', '1');
  const file = growingFile(server);
  const bytes = readFileSync(file);
  bytes[0]! ^= 1;
  writeFileSync(file, bytes);
  const config = writeConfig({ server });
  const checked = await runAgent(deep, { config });
  expect(checked).toMatchObject({ code: 6, json: { verdict: 'corrupt', load: { ok: null } } });
  const text = await runAgent(['aof', 'check', '--deep'], { config });
  expect(text.stdout).toContain('not loaded: it is not sound');
});

test('--quick and --deep exclude each other', async () => {
  expect((await runAgent(['aof', 'check', '--quick', '--deep'])).code).toBe(2);
});
