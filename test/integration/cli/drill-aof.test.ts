import { describe, expect, test } from 'vitest';
import { editManifest, takeBackup, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { addOverdue, fillServer } from '../../support/data/data-set.ts';
import { drill, findingsOf, leftIn } from '../../support/restore/drills.ts';
import { edgeBuilds, startServer, type ServerBuild } from '../../support/servers/redis-server.ts';

const layoutOf = ({ engine, version }: ServerBuild): string =>
  engine === 'redis' && Number.parseInt(version, 10) < 7 ? 'single' : 'multi-part';

async function withAof(build: ServerBuild, kind: 'rdb' | 'aof'): Promise<{ config: TestConfig; id: string }> {
  const server = await startServer({ build, config: { appendonly: 'yes' } });
  await fillServer(server);
  await addOverdue(server);
  const config = writeConfig({ server });
  return { config, id: await takeBackup(config, '--no-verify', '--kind', kind) };
}

describe.each(edgeBuilds())('on $name with its AOF on', (build) => {
  test('a dump is loaded as the base of an append only file, and every value compared', async () => {
    const { config, id } = await withAof(build, 'rdb');
    const { code, json } = await drill(config);
    expect({ code, json }).toMatchObject({
      code: 0,
      json: { backup: id, ok: true, loaded_as: layoutOf(build), compared: { differences: [] } },
    });
    expect(json.keys).toBe(json.compared.keys);
    expect(leftIn(config)).toEqual([]);
  });

  test('a backup of the append only file is loaded and counted', async () => {
    const { config, id } = await withAof(build, 'aof');
    const { code, json } = await drill(config);
    expect({ code, json }).toMatchObject({
      code: 0,
      json: { backup: id, ok: true, loaded_as: layoutOf(build), compared: null },
    });
    expect(json.keys).toBeGreaterThan(400);
    expect(json.recovery_seconds).toBeGreaterThan(0);
    expect(leftIn(config)).toEqual([]);
    editManifest(config, id, (manifest) => (manifest.keyspace.databases['0'].keys += 1));
    expect(await drill(config)).toMatchObject({ code: 6, json: { ok: false } });
    expect(await findingsOf(config)).toEqual(['drill-broken critical']);
  });
});
