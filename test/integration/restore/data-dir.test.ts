// A server in a container: the path that it names is another folder here, and `data_dir` says where its files are on this host.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runAgent, writeConfig } from '../../support/agent/cli.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { defaultBuild, startServer } from '../../support/servers/redis-server.ts';
import { connect, isRoot, wrapped } from '../backup/snapshot/support.ts';

test.skipIf(!isRoot)('a restore by files puts the data where the server really has it', async () => {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const [volume, named] = [join(folder, 'volume'), join(folder, 'named')];
  mkdirSync(volume);
  mkdirSync(named);
  const build = wrapped(
    defaultBuild(),
    `exec unshare --mount sh -c 'mount --bind ${volume} ${named} && exec "$@"' sh "$@"`,
  );
  const server = await startServer({ build, config: { dir: named }, asRoot: true });
  await server.call('SET', 'kept', 'x');
  const service = { user: 'root', start: [build.server, server.configFile] };
  const instance = { name: 'main', url: server.url, data_dir: volume, service };
  const config = writeConfig({ instances: [instance] });
  expect(await runAgent(['backup'], { config })).toMatchObject({ code: 0 });
  await server.call('DEL', 'kept');
  await server.call('SET', 'later', 'x');

  const { code, stderr } = await runAgent(['restore', 'latest', '--method', 'files', '--yes'], { config });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const now = await connect(server);
  const [, pid = ''] = /process_id:(\d+)/.exec(String(await now.call('INFO', 'server'))) ?? [];
  onTestFinished(() => void process.kill(Number(pid), 'SIGKILL'));
  expect(await now.call('KEYS', '*')).toEqual(['kept']);
  now.close();
  expect(existsSync(join(volume, 'dump.rdb'))).toBe(true);
  expect(readdirSync(named)).toEqual([]);
});
