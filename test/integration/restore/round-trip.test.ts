import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runAgent, takeBackup, writeConfig } from '../../support/agent/cli.ts';
import { fillServer } from '../../support/data/data-set.ts';
import { describeData } from '../../support/data/describe-data.ts';
import { manageServer } from '../../support/servers/managed-server.ts';
import { edgeBuilds } from '../../support/servers/redis-server.ts';
import { inTurns } from '../../support/house/tier.ts';

const servers = inTurns(
  edgeBuilds().flatMap((build) =>
    [true, false].map((aof) => ({ build, aof, name: `${build.name}, AOF ${aof ? 'on' : 'off'}` })),
  ),
  2,
);

test.each(servers)('$name: a backup comes back, and what it replaced does too', async ({ build, aof }) => {
  const server = await manageServer({ build, config: { appendonly: aof ? 'yes' : 'no' } });
  const config = writeConfig({ instances: [server.instance] });
  await fillServer(server);
  const backedUp = await describeData(server);
  const id = await takeBackup(config, '--no-verify');
  await server.call('FLUSHALL');
  await server.call('SET', 'written after the backup', 'x');
  const later = await describeData(server);

  const restored = await runAgent(['--json', 'restore', '--method', 'files', '--yes'], { config });
  expect(restored).toMatchObject({ code: 0, json: { outcome: 'restored', plan: { backup: id } } });
  expect(restored.json.proven).toMatch(/loaded in a scratch server$/);
  await server.reconnect();
  expect(await describeData(server)).toEqual(backedUp);
  for (const path of restored.json.set_aside) expect(existsSync(path)).toBe(true);
  expect(restored.json.set_aside.length).toBe(aof ? 2 : 1);
  // Only the next start shows what the server has on its disk.
  await server.restart();
  expect(await describeData(server)).toEqual(backedUp);

  const undone = await runAgent(['--json', 'restore', '--undo', '--yes'], { config });
  expect(undone).toMatchObject({ code: 0, json: { outcome: 'undone', undo: { backup: id } } });
  await server.reconnect();
  expect(await describeData(server)).toEqual(later);
  await server.restart();
  expect(await describeData(server)).toEqual(later);

  // Nothing of ours is left but the journals, which only their owner may read.
  const journals = join(server.dir, '.redis-agent-restore');
  expect(readdirSync(journals).filter((name) => name !== 'server.log')).toHaveLength(2);
  expect(statSync(journals).mode & 0o777).toBe(0o700);
});
