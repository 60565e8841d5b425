import { access, constants } from 'node:fs/promises';
import type { Clock } from '../../domain/clock.ts';
import { AgentError, hasReason, type Reason } from '../../domain/errors.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { infoInteger, infoKeyspace, type Info } from '../../formats/info/parse-info.ts';
import { distrustProgram } from '../../lib/files/distrust-path.ts';
import { runProgram } from '../../lib/process/run-program.ts';
import type { RedisConnection } from '../../redis/connection/connect.ts';
import { isClusterNode, readClusterPlace } from '../../redis/cluster.ts';
import { engineOf, readConfig, readInfo } from '../../redis/server.ts';
import type { ConfFacts, Persistence, RestoreFacts, RunningServer, ServerProgram } from './facts.ts';
import type { HostSight, RestoreHost } from './host/host.ts';

export interface GatherOptions {
  instance: InstanceSettings;
  host: RestoreHost;
  connect: () => Promise<RedisConnection>;
  clock: Clock;
  signal: AbortSignal;
}

/** A server that fails like this is down, or as good as: a restore is for that. */
const down: readonly Reason[] = ['refused', 'closed', 'timeout'];

/** Asks the server, or, where it is down, its configuration. Changes nothing. */
export async function gatherFacts({
  instance,
  host,
  connect,
  clock,
  signal,
}: GatherOptions): Promise<RestoreFacts> {
  const asked = await askServer(connect, signal);
  const sight = await host.look(asked?.info);
  const { pid, owner, service, user } = sight;
  const told = asked?.info.get('config_file');
  const { conf, problem } = await confFacts(host, sight, told, instance.data_dir);
  return {
    instance: instance.name,
    url: instance.url,
    running: asked && { ...asked.server, pid, user: owner },
    conf,
    confProblem: problem,
    program: await programOf(service?.program, signal),
    service: service?.description,
    user,
    now: clock.now(),
  };
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
  { instance, host, sight }: Pick<GatherOptions, 'instance' | 'host'> & { sight: HostSight },
): Promise<NextStart> {
  const { conf, problem } = await confFacts(host, sight, info.get('config_file'), instance.data_dir);
  const now = await readPersistence(connection);
  return { service: sight.service?.description, now, conf, problem };
}

async function askServer(
  connect: GatherOptions['connect'],
  signal: AbortSignal,
): Promise<{ info: Info; server: AskedServer } | undefined> {
  let connection: RedisConnection;
  try {
    connection = await connect();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AgentError && error.code === 'redis' && hasReason(error, ...down)) return undefined;
    throw error;
  }
  try {
    const info = await readInfo(connection);
    return { info, server: await describeRunning(connection, info) };
  } finally {
    connection.close();
  }
}

type AskedServer = Omit<RunningServer, 'pid' | 'user'>;

async function describeRunning(connection: RedisConnection, info: Info): Promise<AskedServer> {
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
    if (hasReason(error, 'noperm')) return undefined;
    throw error;
  }
}

async function confFacts(
  host: RestoreHost,
  { service, pid }: HostSight,
  told: string | undefined,
  dataDir: string | undefined,
): Promise<{ conf?: ConfFacts | undefined; problem?: string | undefined }> {
  const words = service?.arguments;
  // What a server elsewhere calls its file is none of this host's.
  const file = words?.file ?? (pid === undefined || !told ? undefined : told);
  if (file === undefined && words === undefined) return {};
  try {
    return { conf: await host.readConf({ file, directives: words?.directives ?? [], dataDir }) };
  } catch (error) {
    if (!(error instanceof AgentError) || pid === undefined) throw error;
    return { problem: error.message };
  }
}

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
