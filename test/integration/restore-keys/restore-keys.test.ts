import { expect, test } from 'vitest';
import { runAgent, takeBackup, writeConfig } from '../../support/agent/cli.ts';
import { fillServer } from '../../support/data/data-set.ts';
import { describeData } from '../../support/data/describe-data.ts';
import { edgeBuilds, startServer } from '../../support/servers/redis-server.ts';

test.each(edgeBuilds().map((build) => [build.name, build] as const))(
  'a backup of %s goes into another server of it, key by key',
  async (_name, build) => {
    const source = await startServer({ build });
    await fillServer(source);
    const config = writeConfig({ server: source });
    const id = await takeBackup(config, '--no-verify', '--no-prune');
    const target = await startServer({ build });
    const into = ['restore', id, '--keys', '*', '--into', target.url, '--yes', '--json'];
    const { code, json } = await runAgent(into, { config });
    expect(json.result).toMatchObject({ failed: [], existing: 0, expired: 0 });
    expect(code).toBe(0);
    const { functions: _left, ...written } = await describeData(target);
    const { functions: _out, ...wanted } = await describeData(source);
    expect(written).toEqual(wanted);
    // Now every key is there.
    const refused = await runAgent(into, { config });
    expect(refused).toMatchObject({
      code: 7,
      json: { error: { hint: expect.stringContaining('--replace') } },
    });
  },
);

test('a password in the arguments is refused without being repeated', async () => {
  const { code, stdout, stderr } = await runAgent([
    'restore',
    'dump.rdb',
    '--keys',
    '*',
    '--into',
    'redis://user:a-secret-word@127.0.0.1:1',
  ]);
  expect([code, stdout + stderr]).toEqual([2, expect.not.stringContaining('a-secret-word')]);
});
