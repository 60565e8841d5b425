import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runAgent, takeBackup, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { startAofServer } from '../../support/data/aof.ts';
import { sampled } from '../../support/house/tier.ts';
import { runRestoreChild } from '../../support/restore/kill-restore.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { findBuild } from '../../support/servers/redis-server.ts';

/** The ways in which a backup of the AOF is placed, and moves of files. The other steps are tested with dumps. */
const places = [
  {
    version: '7.0',
    aof: true,
    kills: sampled(['place 1 of 4', 'place 2 of 4', 'place 3 of 4', 'place 4 of 4'], 3),
    undone: 'place 3 of 4',
  },
  { version: '6.0', aof: true, kills: ['place 1 of 2'], undone: 'place 2 of 2' },
  { version: '7.0', aof: false, kills: ['place 2 of 2'], undone: undefined },
] as const;

type Place = (typeof places)[number];

interface Case {
  server: ManagedServer;
  config: TestConfig;
  /** DEBUG DIGEST of what the backup holds, and of what the server holds when the restore begins. */
  backedUp: string;
  before: string;
}

async function prepare({ version, aof }: Place): Promise<Case> {
  const build = findBuild('redis', version);
  if (build === undefined) throw new Error(`no redis ${version} here: scripts/fetch-servers`);
  const source = await startAofServer(build);
  await source.call('MSET', 'a', '1', 'b', '2', 'c', '3');
  await source.call('RPUSH', 'list', ...Array.from({ length: 200 }, (_, index) => index));
  const config = writeConfig({ server: source });
  await takeBackup(config, '--kind', 'aof', '--no-verify');
  const server = await manageServer({ build, config: { appendonly: aof ? 'yes' : 'no' } });
  config.rewrite({ instances: [server.instance] });
  await server.call('MSET', 'a', 'another', 'new', 'x');
  const digest = async (each: Pick<ManagedServer, 'call'>): Promise<string> =>
    String(await each.call('DEBUG', 'DIGEST'));
  return { server, config, backedUp: await digest(source), before: await digest(server) };
}

async function settle({ server, config }: Case, ...args: string[]): Promise<string> {
  const restore = ['--json', 'restore', '--yes', ...(args.length > 0 ? args : ['--method', 'files'])];
  const { code, json } = await runAgent(restore, { config });
  expect({ code, ...json.error }).toEqual({ code: 0 });
  await server.reconnect();
  return String(await server.call('DEBUG', 'DIGEST'));
}

describe.each(
  places.map((place) => ({ place, name: `redis-${place.version}, AOF ${place.aof ? 'on' : 'off'}` })),
)('on $name', ({ place }) => {
  test.each(place.kills)('killed at %s, a second restore ends it', async (killAt) => {
    const at = await prepare(place);
    const killed = await runRestoreChild({ config: at.config.path, undo: false, killAt });
    expect(killed).toMatchObject({ signal: 'SIGKILL', result: undefined });
    expect(killed.steps.at(-1)).toBe(killAt);
    expect(await settle(at)).toBe(at.backedUp);
    await at.server.restart();
    expect(await at.server.call('DEBUG', 'DIGEST')).toBe(at.backedUp);
    expect(await settle(at, '--undo')).toBe(at.before);
    await at.server.restart();
    expect(await at.server.call('DEBUG', 'DIGEST')).toBe(at.before);
    const left = join(at.server.dir, '.redis-agent-restore');
    const odd = existsSync(left)
      ? readdirSync(left).filter((name) => !/\.json$|^server\.log$/.test(name))
      : [];
    expect(odd).toEqual([]);
  });

  test.runIf(place.undone)('killed in between, an undo takes it back', async () => {
    const at = await prepare(place);
    await runRestoreChild({ config: at.config.path, undo: false, killAt: place.undone });
    expect(await settle(at, '--undo')).toBe(at.before);
    await at.server.restart();
    expect(await at.server.call('DEBUG', 'DIGEST')).toBe(at.before);
  });
});
