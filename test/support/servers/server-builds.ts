import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Engine } from '../../../src/domain/backup.ts';
import { everything } from '../house/tier.ts';

/** One server program with the tools of its own version. All paths are directly executable. */
export interface ServerBuild {
  /** Engine and series, e.g. `redis-7.0`, `valkey-9.1`; the whole version for a second of one series. */
  name: string;
  engine: Engine;
  /** The engine's own version, e.g. `7.0.15`. */
  version: string;
  server: string;
  cli: string;
  checkRdb: string;
  checkAof: string;
  benchmark: string;
}

/** Where scripts/fetch-servers and scripts/fetch-s3-servers keep what they fetched. */
export function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return process.env['REDIS_AGENT_CACHE'] ?? join(base, 'redis-agent');
}

/**
 * Where scripts/fetch-servers keeps servers: below /var/cache where we are root, and other users, as whom they run, have
 * no way into the cache.
 */
function serversFolder(): string {
  const own = join(cacheFolder(), 'servers');
  return process.getuid?.() !== 0 || isReachable(own) ? own : '/var/cache/redis-agent/servers';
}

function isReachable(path: string): boolean {
  for (let place = existsSync(path) ? realpathSync(path) : path; place !== '/'; place = dirname(place))
    if (((statSync(place, { throwIfNoEntry: false })?.mode ?? 0o1) & 0o1) === 0) return false;
  return true;
}

let builds: ServerBuild[] | undefined;

/**
 * Every server that this machine has: the installed ones first, then what scripts/fetch-servers fetched. One of each series,
 * unless everything is run.
 */
export function serverBuilds(): ServerBuild[] {
  if (builds !== undefined) return builds;
  const found: ServerBuild[] = [];
  for (const build of [...installed('redis'), ...installed('valkey'), ...fetched()]) {
    const sameEngine = found.filter((other) => other.engine === build.engine);
    if (sameEngine.some((other) => other.version === build.version)) continue;
    const taken = sameEngine.some((other) => other.name === build.name);
    // A second of one series says nothing new in a usual run.
    if (taken && !everything) continue;
    found.push(taken ? { ...build, name: `${build.engine}-${build.version}` } : build);
  }
  builds = found;
  return found;
}

/**
 * The oldest and the newest Redis and the newest Valkey, or all of them when everything is run: for what a server's version
 * hardly touches. Where formats, protocols or settings differ by version, serverBuilds() it is.
 */
export function edgeBuilds(): ServerBuild[] {
  const all = serverBuilds();
  if (everything) return all;
  const ascending = (engine: Engine): ServerBuild[] =>
    all
      .filter((build) => build.engine === engine)
      .toSorted((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }));
  const redis = ascending('redis');
  const wanted = new Set([redis[0], redis.at(-1), ascending('valkey').at(-1)]);
  return all.filter((build) => wanted.has(build));
}

/** The machine's own redis-server, or else the first other. */
export function defaultBuild(): ServerBuild {
  const [first] = serverBuilds();
  if (first === undefined)
    throw new Error('no redis-server here: apt-get install redis-server, or run scripts/fetch-servers');
  return first;
}

/** A build by engine and version prefix, e.g. `('redis', '6')`; undefined when it is not here. */
export function findBuild(engine: Engine, version: string): ServerBuild | undefined {
  return serverBuilds().find(
    (build) => build.engine === engine && `${build.version}.`.startsWith(`${version}.`),
  );
}

function installed(engine: Engine): ServerBuild[] {
  const folder = (process.env['PATH'] ?? '')
    .split(':')
    .concat('/usr/bin')
    .find((entry) => existsSync(join(entry, `${engine}-server`)));
  if (folder === undefined) return [];
  // Valkey's compatibility package installs links with Redis's names.
  const server = join(folder, `${engine}-server`);
  if (engine === 'redis' && realpathSync(server).includes('valkey')) return [];
  const text = execFileSync(server, ['--version'], { encoding: 'utf8' });
  const version = /v=([\d.]+)/.exec(text)?.[1];
  if (version === undefined) throw new Error(`cannot read the version of ${server} from: ${text}`);
  return [describe(engine, version, folder)];
}

/** scripts/fetch-servers writes `version` last, so a folder without it is half fetched. */
function fetched(): ServerBuild[] {
  const root = serversFolder();
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .toSorted()
    .filter((name) => existsSync(join(root, name, 'version')))
    .map((name) => {
      const version = readFileSync(join(root, name, 'version'), 'utf8').trim();
      return describe(name.startsWith('valkey') ? 'valkey' : 'redis', version, join(root, name, 'usr/bin'));
    });
}

function describe(engine: Engine, version: string, folder: string): ServerBuild {
  const tool = (name: string): string => join(folder, `${engine}-${name}`);
  return {
    name: `${engine}-${version.split('.').slice(0, 2).join('.')}`,
    engine,
    version,
    server: tool('server'),
    cli: tool('cli'),
    checkRdb: tool('check-rdb'),
    checkAof: tool('check-aof'),
    benchmark: tool('benchmark'),
  };
}
