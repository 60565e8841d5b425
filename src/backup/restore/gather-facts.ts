import { access, constants } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Clock } from '../../domain/clock.ts';
import { AgentError } from '../../domain/errors.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { infoInteger, infoKeyspace, type Info } from '../../formats/info/parse-info.ts';
import { placeInCluster } from '../../formats/cluster/cluster-nodes.ts';
import { actAs, type UserId } from '../../lib/act-as.ts';
import { distrustProgram } from '../../lib/distrust-path.ts';
import { readForeignSync } from '../../lib/foreign-file.ts';
import { runProgram } from '../../lib/run-program.ts';
import type { RedisConnection } from '../../redis/connect.ts';
import { isClusterNode, readClusterPlace } from '../../redis/cluster.ts';
import { findProcess } from '../../redis/data-process.ts';
import { configuredUser, findService, type FoundService } from '../../redis/find-service.ts';
import { readConf, type ServerConf } from '../../redis/read-conf.ts';
import { findServerProcess } from '../../redis/server-process.ts';
import { engineOf, readConfig, readInfo } from '../../redis/server.ts';
import type {
  ClusterFacts,
  ConfFacts,
  Persistence,
  RestoreFacts,
  RunningServer,
  ServerProgram,
} from './facts.ts';

export interface GatherOptions {
  instance: InstanceSettings;
  connect: () => Promise<RedisConnection>;
  clock: Clock;
  signal: AbortSignal;
}

/** A server that fails like this is down, or as good as: a restore is for that. */
const down = new Set(['refused', 'closed', 'timeout']);

/** Asks the server, or, where it is down, its configuration. Changes nothing. */
export async function gatherFacts(
  options: GatherOptions,
): Promise<{ facts: RestoreFacts; service: FoundService | undefined }> {
  const { instance, clock, signal } = options;
  const asked = await askServer(options);
  const { running } = asked;
  const service = await findService(
    instance,
    running && asked.info && { info: asked.info, pid: running.pid, user: running.user },
    { clock, signal },
  );
  const { conf, problem } = await readConfFacts(service, asked.info?.get('config_file'), {
    pid: running?.pid,
    user: service?.user ?? configuredUser(instance) ?? running?.user,
    dataDir: instance.data_dir,
  });
  const program = await programOf(service?.program, signal);
  return {
    service,
    facts: {
      instance: instance.name,
      url: instance.url,
      running,
      conf,
      confProblem: problem,
      program,
      service: service?.description,
      user: whose(service?.user ?? configuredUser(instance), running?.user),
      now: clock.now(),
    },
  };
}

function whose(named: UserId | undefined, seen: UserId | undefined): RestoreFacts['user'] {
  if (named !== undefined && !(seen?.uid === named.uid)) return { ...named, named: true };
  return seen && { ...seen, named: named !== undefined };
}

/** What a running server's next start will go by. */
export interface NextStart {
  /** How it is started, for people; undefined when nobody knows. */
  service: string | undefined;
  now: Persistence;
  conf: ConfFacts | undefined;
  /** Why `conf` could not be read. */
  problem: string | undefined;
}

/** Looks at what a server that runs will be when it is started again. Changes nothing. */
export async function lookAhead(
  connection: RedisConnection,
  info: Info,
  { instance, clock, signal }: Omit<GatherOptions, 'connect'>,
): Promise<NextStart> {
  const found = await findServerProcess(info, connection.target.url);
  const owner = found && (await findProcess(found.pid));
  const user = owner && { uid: owner.uid, gid: owner.gid };
  const service = await findService(instance, { info, pid: found?.pid, user }, { clock, signal });
  const { conf, problem } = await readConfFacts(service, info.get('config_file'), {
    pid: found?.pid,
    user: service?.user ?? user,
    dataDir: instance.data_dir,
  });
  return { service: service?.description, now: await readPersistence(connection), conf, problem };
}

async function askServer({
  connect,
  signal,
}: GatherOptions): Promise<{ running?: RunningServer; info?: Info }> {
  let connection: RedisConnection;
  try {
    connection = await connect();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AgentError && error.code === 'redis' && down.has(error.reason ?? '')) return {};
    throw error;
  }
  try {
    const info = await readInfo(connection);
    return { info, running: await describeRunning(connection, info) };
  } finally {
    connection.close();
  }
}

async function describeRunning(connection: RedisConnection, info: Info): Promise<RunningServer> {
  const found = await findServerProcess(info, connection.target.url);
  const owner = found && (await findProcess(found.pid));
  return {
    ...engineOf(info),
    role: info.get('role') === 'slave' ? 'replica' : 'master',
    master: info.has('master_host') ? `${info.get('master_host')}:${info.get('master_port')}` : undefined,
    replicas: infoInteger(info, 'connected_slaves') ?? 0,
    sentinels: await countSentinels(connection, info),
    databases: infoKeyspace(info),
    maxmemory: infoInteger(info, 'maxmemory') ?? 0,
    cluster: isClusterNode(info) ? { place: await readClusterPlace(connection, info) } : undefined,
    persistence: await readPersistence(connection),
    unsaved: infoInteger(info, 'rdb_changes_since_last_save') ?? 0,
    pid: found?.pid,
    user: owner && { uid: owner.uid, gid: owner.gid },
  };
}

async function readPersistence(connection: RedisConnection): Promise<Persistence> {
  const [dir, dbfilename, appendonly, appendfilename, logfile] = await Promise.all(
    ['dir', 'dbfilename', 'appendonly', 'appendfilename', 'logfile'].map((name) =>
      readConfig(connection, name),
    ),
  );
  // Unknown before 7.0.
  const appenddirname = await readConfig(connection, 'appenddirname').catch(() => 'appendonlydir');
  return {
    dir: connection.target.dataDir ?? dir ?? '/',
    dbfilename: dbfilename ?? 'dump.rdb',
    appendonly: appendonly === 'yes',
    appendfilename: appendfilename ?? 'appendonly.aof',
    appenddirname,
    logfile: logfile ?? '',
  };
}

/** Each Sentinel listens on this channel of every server that it watches. */
const helloChannel = '__sentinel__:hello';

async function countSentinels(connection: RedisConnection, info: Info): Promise<number | undefined> {
  if (infoInteger(info, 'pubsub_channels') === 0) return 0;
  try {
    const reply = await connection.call('PUBSUB', 'NUMSUB', helloChannel);
    return Array.isArray(reply) ? Number(reply[1]) : undefined;
  } catch (error) {
    if (error instanceof AgentError && error.reason === 'noperm') return undefined;
    throw error;
  }
}

async function readConfFacts(
  service: FoundService | undefined,
  told: string | undefined,
  { pid, user, dataDir }: { pid: number | undefined; user: UserId | undefined; dataDir: string | undefined },
): Promise<{ conf?: ConfFacts | undefined; problem?: string | undefined }> {
  const words = service?.arguments;
  // What a server elsewhere calls its file is none of this host's.
  const file = words?.file ?? (pid === undefined || !told ? undefined : told);
  if (file === undefined && words === undefined) return {};
  try {
    const conf = await readConf(file, words?.directives, user);
    const append = conf.get('appendonly');
    const persistence = {
      dir: dataDir ?? conf.get('dir'),
      dbfilename: conf.get('dbfilename'),
      appendonly: append === undefined ? undefined : append.toLowerCase() === 'yes',
      appendfilename: conf.get('appendfilename'),
      appenddirname: conf.get('appenddirname'),
      logfile: conf.get('logfile'),
    };
    return {
      conf: {
        file,
        persistence: withoutUndefined(persistence),
        maxmemory: conf.get('maxmemory'),
        databases: Number(conf.get('databases') ?? defaultDatabases),
        replicaof: masterIn(conf),
        modules: conf.all('loadmodule'),
        cluster: clusterIn(conf, user),
      },
    };
  } catch (error) {
    if (!(error instanceof AgentError) || pid === undefined) throw error;
    return { problem: error.message };
  }
}

/** What a node that is down has written of itself: it goes by that at its next start. */
function clusterIn(conf: ServerConf, user: UserId | undefined): ClusterFacts | undefined {
  if (conf.get('cluster-enabled')?.toLowerCase() !== 'yes') return undefined;
  const path = resolve(conf.get('dir') ?? '/', conf.get('cluster-config-file') ?? 'nodes.conf');
  try {
    return { place: placeInCluster(actAs(user, () => readForeignSync(path, longestNodes))) };
  } catch {
    return { place: undefined };
  }
}

/** As in the servers' own config.c. */
const defaultDatabases = 16;

function masterIn(conf: ServerConf): string | undefined {
  const host = conf.get('replicaof') ?? conf.get('slaveof');
  // replicaof no one
  return host?.toLowerCase() === 'no' ? undefined : host;
}

function withoutUndefined(values: {
  [Key in keyof Persistence]: Persistence[Key] | undefined;
}): Partial<Persistence> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** A thousand nodes have 200 KB. */
const longestNodes = 4 * 1024 * 1024;

const versionTimeout = 10_000;

/** The program's file may be newer than the process that runs: an upgrade takes effect at the next start. */
async function programOf(path: string | undefined, signal: AbortSignal): Promise<ServerProgram | undefined> {
  if (path?.startsWith('/') !== true || distrustProgram(path) !== undefined) return undefined;
  try {
    await access(path, constants.X_OK);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(versionTimeout)]);
    const { output } = await runProgram(path, ['--version'], { signal: limit });
    const version = / v=(\S+)/.exec(output)?.[1];
    if (version === undefined) return undefined;
    return { path, engine: /^valkey/i.test(output) ? 'valkey' : 'redis', version };
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
