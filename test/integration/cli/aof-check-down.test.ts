// The append only file of a server that is down: what its next start would read.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { aofNames } from '../../support/data/aof.ts';
import { runAgent, writeConfig } from '../../support/agent/cli.ts';
import { manageServer } from '../../support/servers/managed-server.ts';
import { edgeBuilds } from '../../support/servers/redis-server.ts';

const check = ['aof', 'check', '--json'];

test.each(edgeBuilds())('$name: it is found by the configuration file, and judged', async (build) => {
  const server = await manageServer({ build, config: { appendonly: 'yes', appendfsync: 'always' } });
  const config = writeConfig({ instances: [server.instance] });
  for (let key = 0; key < 20; key++) await server.call('SET', `key:${key}`, 'value');
  await server.kill();
  const sound = await runAgent(check, { config });
  expect({ code: sound.code, json: sound.json }).toMatchObject({ code: 0, json: { verdict: 'ok' } });
  expect(sound.json.files.at(-1).commands).toBe(21);

  const names = aofNames(server).filter((name) => /(?:incr|\/?appendonly)\.aof$/.test(name));
  const path = join(server.dir, names.at(-1) ?? '');
  const bytes = readFileSync(path);
  bytes.write('!', bytes.lastIndexOf('*', bytes.indexOf('key:10')));
  writeFileSync(path, bytes);
  expect(await runAgent(check, { config })).toMatchObject({ code: 6, json: { verdict: 'corrupt' } });

  for (const name of ['appendonly.aof', 'appendonlydir'])
    rmSync(join(server.dir, name), { recursive: true, force: true });
  expect(await runAgent(check, { config })).toMatchObject({ code: 0, json: { verdict: 'starting' } });
  writeFileSync(join(server.dir, 'dump.rdb'), 'whatever');
  const missing = await runAgent(check, { config });
  expect({ code: missing.code, json: missing.json }).toMatchObject({
    code: 6,
    json: { verdict: 'missing', summary: expect.stringContaining('begin empty') },
  });
});

test('where nothing is known of the server, the error says that it does not answer', async () => {
  const config = writeConfig({ instances: [{ name: 'main', url: 'redis://127.0.0.1:1' }] });
  expect(await runAgent(check, { config })).toMatchObject({ code: 4, json: { error: { code: 'redis' } } });
});
