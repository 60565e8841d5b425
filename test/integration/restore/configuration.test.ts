import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runAgent, takeBackup, writeConfig } from '../../support/agent/cli.ts';
import { describeData } from '../../support/data/describe-data.ts';
import { manageServer } from '../../support/servers/managed-server.ts';
import { giveToServer } from '../../support/servers/server-user.ts';
import { prepareIn, restoreIn } from '../../support/agent/surroundings.ts';

test('an include that counts from where it was started: not stopped, since a start could fail; live restored', async () => {
  const { server, config } = await prepareIn({
    options: {
      config(folder) {
        writeFileSync(join(folder, 'more.conf'), `dir ${join(folder, 'data')}\n`);
        return { dir: [], include: 'more.conf' };
      },
      startIn: (folder) => folder,
    },
    instance: () => ({ service: undefined }),
  });
  const backedUp = await describeData(server);
  await takeBackup(config, '--no-verify');
  await server.call('DEL', 'list:long');
  const files = ['--json', 'restore', '--method', 'files'];
  const planned = await runAgent([...files, '--dry-run'], { config });
  expect(planned.json.plan.notes.join()).toContain('more.conf: it does not exist');
  expect(await runAgent([...files, '--yes'], { config })).toMatchObject({
    code: 7,
    json: { error: { reason: 'service' } },
  });
  await restoreIn(config, 'live');
  expect(await describeData(server)).toEqual(backedUp);
});

test.each([
  ['replicaof', { replicaof: '127.0.0.1 1' }, 'its next start makes it a replica of 127.0.0.1'],
  ['databases', { databases: '10' }, 'keys in database 15, and the server starts with 10 databases'],
])('%s in its configuration, which what is restored would not survive: refused', async (name, more, why) => {
  const { server, config } = await prepareIn({ options: {} });
  await takeBackup(config, '--no-verify');
  server.configure(more);
  const refused = await runAgent(['--json', 'restore', '--yes', '--method', 'files'], { config });
  expect(refused).toMatchObject({
    code: 7,
    json: { error: { reason: name.replace('replicaof', 'replica'), message: expect.stringContaining(why) } },
  });
  server.configure({ replicaof: 'no one', databases: '16' });
  await restoreIn(config, 'files');
  await server.reconnect();
});

test('a relative dir of a server that is down: says from where it has to be known', async () => {
  const server = await manageServer({ config: { dir: './data' }, startIn: (folder) => folder });
  const config = writeConfig({ instances: [server.instance] });
  await server.call('SET', 'key', 'x');
  await takeBackup(config, '--no-verify');
  await server.kill();
  const { code, json } = await runAgent(['--json', 'restore', '--yes', '--method', 'files'], { config });
  expect({ code, ...json.error }).toMatchObject({ reason: 'unknown' });
  expect(json.error.message).toContain('dir ./data in its configuration counts from where it is started');
  expect(json.error.hint).toContain('write the absolute dir');
});

describe('names that were changed while it ran', () => {
  const config = { 'enable-protected-configs': 'local' };
  async function changed(): Promise<Awaited<ReturnType<typeof prepareIn>> & { other: string }> {
    const { server, config: agent } = await prepareIn({ options: { config } });
    const other = join(dirname(server.dir), 'other');
    mkdirSync(other);
    giveToServer(other);
    await server.call('CONFIG', 'SET', 'dir', other);
    await server.call('CONFIG', 'SET', 'dbfilename', 'now.rdb');
    return { server, config: agent, other };
  }

  test('and written to its configuration: restored there', async () => {
    const { server, config: agent, other } = await changed();
    await server.call('CONFIG', 'REWRITE');
    const backedUp = await describeData(server);
    await takeBackup(agent, '--no-verify');
    await server.call('DEL', 'list:long');
    const { json } = await restoreIn(agent, 'files');
    expect(json.set_aside.map(dirname)).toEqual([other]);
    await server.reconnect();
    expect(await describeData(server)).toEqual(backedUp);
    expect(readdirSync(server.dir)).toEqual([]);
  });

  test('and nowhere written: refused by either method, since the next start reads something else', async () => {
    const { server, config: agent, other } = await changed();
    await takeBackup(agent, '--no-verify');
    expect(readdirSync(other)).toEqual(['now.rdb']);
    await server.call('DEL', 'list:long');
    const later = await describeData(server);
    for (const method of ['files', 'live']) {
      const { code, json } = await runAgent(['--json', 'restore', '--yes', '--method', method], {
        config: agent,
      });
      expect({ method, code }).toEqual({ method, code: 7 });
      expect(json.error.message).toContain(`${server.dir}/dump.rdb`);
    }
    expect(await describeData(server)).toEqual(later);
  });
});
