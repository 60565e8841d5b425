// A server in a container names a path that is another server's here: `data_dir` says where its files are on this host.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runAgent, writeConfig } from '../../../support/agent/cli.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';
import { defaultBuild, startServer } from '../../../support/servers/redis-server.ts';
import { isRoot, wrapped } from './support.ts';

test.skipIf(!isRoot)('check, backup, backup of the AOF and aof check work there', async () => {
  const host = await startServer({ config: { appendonly: 'yes' }, asRoot: true });
  await host.call('MSET', 'of the host', 'x', 'another', 'x');
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const volume = join(folder, 'volume');
  mkdirSync(volume);
  const build = wrapped(
    defaultBuild(),
    `exec unshare --mount sh -c 'mount --bind ${volume} ${host.dir} && exec "$@"' sh "$@"`,
  );
  const contained = await startServer({ build, config: { dir: host.dir, appendonly: 'yes' }, asRoot: true });
  await contained.call('SET', 'of the container', 'x');
  const instance = { name: 'main', url: contained.url };

  const unnamed = writeConfig({ instances: [instance] });
  const refused = await runAgent(['backup'], { config: unnamed });
  expect(refused).toMatchObject({ code: 7, stderr: expect.stringContaining('data_dir:') });

  const wrong = writeConfig({ instances: [{ ...instance, data_dir: host.dir }] });
  const another = await runAgent(['backup'], { config: wrong });
  expect(another).toMatchObject({ code: 7, stderr: expect.stringMatching(/data_dir .* is not the folder/) });

  const config = writeConfig({ instances: [{ ...instance, data_dir: volume }] });
  const check = await runAgent(['check', '--json'], { config });
  const lines: { what: string; verdict: string; detail: string }[] = check.json;
  expect(lines.find(({ what }) => what === 'dump file')).toMatchObject({
    verdict: 'ok',
    detail: expect.stringContaining(volume),
  });
  for (const kind of ['rdb', 'aof']) {
    const { code, json } = await runAgent(['--json', 'backup', '--kind', kind], { config });
    expect({ code, keys: json.backup.keyspace.databases[0].keys }).toEqual({ code: 0, keys: 1 });
  }
  const { code, json } = await runAgent(['--json', 'aof', 'check'], { config });
  expect({ code, path: json.path }).toEqual({ code: 0, path: expect.stringContaining(volume) });
  const service = { user: 'root', start: ['/bin/true'] };
  config.rewrite({ instances: [{ ...instance, data_dir: volume, service }] });
  const plan = await runAgent(['--json', 'restore', 'latest', '--dry-run', '--method', 'files'], { config });
  expect(JSON.stringify(plan.json)).toContain(volume);
  expect(JSON.stringify(plan.json)).not.toContain(`${host.dir}/`);
});
