import { chmodSync, linkSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { makeTempFolder, removeTempFolder } from '../house/temp-folder.ts';
import { serverBuilds, type ServerBuild } from './server-builds.ts';

export function newestRedis(): ServerBuild {
  const newest = serverBuilds()
    .filter(({ engine }) => engine === 'redis')
    .toSorted((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }))
    .at(-1);
  if (newest === undefined) throw new Error('no Redis here');
  return newest;
}

/**
 * The newest Redis that is here, which says of itself that it is of `line` (`8.4`): newer servers than the packages of Debian
 * have cannot be had here, and what the agent makes of a version that it has never seen has to be tried. A double in that its
 * commands and directives are the older one's. Gone with the test.
 */
export function newerBuild(line: string): ServerBuild {
  const build = newestRedis();
  const version = `${line}${build.version.slice(line.length)}`;
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  chmodSync(folder, 0o755);
  const server = join(folder, 'redis-server');
  const program = readFileSync(build.server, 'latin1').replaceAll(build.version, version);
  writeFileSync(server, program, { encoding: 'latin1', mode: 0o755 });
  for (const tool of ['redis-check-rdb', 'redis-check-aof']) linkSync(server, join(folder, tool));
  return {
    ...build,
    name: `redis-${line}`,
    version,
    server,
    checkRdb: join(folder, 'redis-check-rdb'),
    checkAof: join(folder, 'redis-check-aof'),
  };
}
