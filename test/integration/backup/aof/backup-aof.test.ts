import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { rewriteAof, startAofServer } from '../../../support/aof.ts';
import { runAgent, writeConfig } from '../../../support/cli.ts';
import { fillServer } from '../../../support/data-set.ts';
import { describeData } from '../../../support/describe-data.ts';
import { serverBuilds, startServer, type ServerBuild } from '../../../support/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/temp-folder.ts';

const builds = serverBuilds().map((build) => [build.name, build] as const);

/** A fresh server that starts with what an archive holds, unpacked by hand. */
async function serverWith(build: ServerBuild, artefact: string): ReturnType<typeof startServer> {
  const dir = makeTempFolder();
  onTestFinished(() => removeTempFolder(dir));
  const tar = execFileSync('zstd', ['-dc', artefact], { maxBuffer: 2 ** 28 });
  execFileSync('tar', ['-x', '-C', dir], { input: tar });
  return await startServer({ build, config: { dir, appendonly: 'yes' } });
}

test.each(builds)('%s: a backup of the AOF is loaded, listed, and unpacked by hand', async (_, build) => {
  const server = await startAofServer(build);
  await fillServer(server);
  await rewriteAof(server);
  await server.call('SET', 'after the rewrite', 'x');
  const data = await describeData(server);
  const config = writeConfig({ server });

  const taken = await runAgent(['--json', 'backup', '--kind', 'aof'], { config });
  expect(taken).toMatchObject({ code: 0, json: { backup: { kind: 'aof', keyspace: { exact: true } } } });
  expect(taken.json.verification).toMatchObject({ verdict: 'ok', level: 'loaded' });
  const { id, artefacts } = taken.json.backup;
  const list = await runAgent(['--json', 'backups', 'list'], { config });
  expect(list.json.backups).toMatchObject([{ id, kind: 'aof', state: 'complete' }]);

  const byHand = await serverWith(build, join(config.repository, 'main', id, artefacts[0].name));
  expect(await describeData(byHand)).toEqual(data);
});
