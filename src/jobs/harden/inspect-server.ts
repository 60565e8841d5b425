import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { SeenService } from '../../backup/restore/host/host.ts';
import { AgentError, hasReason, systemCode } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import type { EngineVersion } from '../../formats/conf/engine.ts';
import { infoInteger, type Info } from '../../formats/info/parse-info.ts';
import type { CertificateFacts } from '../../harden/facts.ts';
import type { SeenFiles, ServerFiles } from '../../harden/apply/server-files.ts';
import { tryTls } from '../../harden/read/probe.ts';
import { inspectClients, type InspectedClient } from '../../harden/read/inspect-clients.ts';
import type { UserId } from '../../lib/process/act-as.ts';
import type { FileReader } from '../../lib/files/file-reader.ts';
import { readCgroupMemory } from '../../lib/memory/host-memory.ts';
import { connectRedis, type RedisConnection } from '../../redis/connection/connect.ts';
import { readConnections } from '../../redis/process/proc-sockets.ts';
import { findProgram } from '../../redis/process/find-program.ts';
import { ownClientId } from '../../redis/connection/own-client-id.ts';
import { resolveConf, type ResolvedConf } from '../../redis/conf/resolve-conf.ts';
import { engineOf, readInfo } from '../../redis/server.ts';
import type { JobContext } from '../job.ts';

/** Who may change the server; the agent’s own user where nobody is named. */
export interface Admin {
  username?: string | undefined;
  password?: Secret | undefined;
}

/** A server with all that a plan and its application have to know. Whoever asks closes the connection. */
export interface InspectedServer {
  connection: RedisConnection;
  /** Opens another one, as the same user. */
  connect: () => Promise<RedisConnection>;
  info: Info;
  engine: EngineVersion;
  config: ReadonlyMap<string, string>;
  conf: ResolvedConf;
  /** The main file. */
  file: string;
  files: ServerFiles;
  /** As they were when this was looked at. */
  seen: SeenFiles;
  service: SeenService | undefined;
  program: string | undefined;
  user: UserId | undefined;
  memory: number | undefined;
  /** Undefined: whoever asks may not list them. */
  clients: InspectedClient[] | undefined;
  /** ACL LIST, with hashes; undefined: whoever asks may not. */
  users: string[] | undefined;
  /** What it serves by TLS, and what its file holds; undefined where it serves none, or is on another host. */
  certificate: CertificateFacts | undefined;
}

export function adminConnect(context: JobContext, admin: Admin | undefined): () => Promise<RedisConnection> {
  const { name, url, tls, renamed } = context.instance;
  if (admin?.password === undefined) return () => context.connect();
  const target = { name, url, tls, renamed, username: admin.username, password: admin.password };
  return () => connectRedis(target, { signal: context.signal });
}

/** Looks. Changes nothing. `also`: files that a plan would have it read. */
export async function inspectServer(
  context: JobContext,
  admin: Admin | undefined,
  also: readonly string[] = [],
): Promise<InspectedServer> {
  const { instance } = context;
  const connect = adminConnect(context, admin);
  const connection = await connect();
  try {
    const info = await readInfo(connection);
    const config = await readRunning(connection);
    const { pid, service, user } = await context.host.look(info);
    const file = configFile(context, info, pid, service);
    const files = context.serverFiles({ file, directives: service?.arguments?.directives ?? [] }, user);
    const certificate = config.get('tls-cert-file');
    const seen = await files.look([...also, ...(certificate === undefined ? [] : [certificate])]);
    const conf = resolveConf(file, { reader: seen.reader, options: service?.arguments?.directives });
    const [problem] = [...conf.problems, ...conf.joined];
    if (problem !== undefined)
      throw new AgentError(
        'failed',
        `cannot read the server’s configuration ${problem.path}: ${problem.why}`,
        {
          reason: 'conf',
          cause: problem.cause,
          hint:
            problem.cause === undefined
              ? 'put that right first: redis-agent audit says where'
              : systemCode(problem.cause) === 'ENOENT'
                ? 'its next start would fail: put it back; redis-agent backups show latest --server-config has it as of that backup'
                : 'run as root, or as a user that may read it: sudo redis-agent harden plan',
        },
      );
    const { engine, version } = engineOf(info);
    const limit = pid === undefined ? undefined : await readCgroupMemory(pid);
    return {
      connection,
      connect,
      info,
      engine: { engine, version, docker: false },
      config,
      conf,
      file,
      files,
      seen,
      service,
      program: service?.program ?? (await findProgram(engine, pid, { tools: instance.tools })),
      user,
      memory: Math.min(limit?.limit ?? Infinity, infoInteger(info, 'total_system_memory') ?? totalmem()),
      clients: await readClients(connection, pid),
      users: await readAclList(connection),
      certificate: await readCertificate(context, config, seen.reader),
    };
  } catch (error) {
    connection.close();
    throw error;
  }
}

export async function readRunning(connection: RedisConnection): Promise<ReadonlyMap<string, string>> {
  const reply = await connection.call('CONFIG', 'GET', '*');
  const words = Array.isArray(reply) ? reply.map(String) : [];
  return new Map(words.flatMap((key, at) => (at % 2 === 0 ? [[key, words[at + 1] ?? ''] as const] : [])));
}

/** What its start command names; else what it says of itself, where its process is here and sees our files. */
function configFile(
  { instance }: JobContext,
  info: Info,
  pid: number | undefined,
  service: SeenService | undefined,
): string {
  const named = service?.arguments?.file;
  if (named?.startsWith('/') === true) return named;
  const said = info.get('config_file') ?? '';
  const refuse = (why: string, hint: string): AgentError =>
    new AgentError('refused', `${instance.name}: ${why}`, { reason: 'no-file', hint });
  if (said === '')
    throw refuse(
      'the server was started without a configuration file, so that nothing would outlast its next start',
      'write one: redis-agent harden render --out DIR',
    );
  if (pid === undefined || hasOtherFiles(pid))
    throw refuse(
      `its configuration ${said} lies on another host or in a container`,
      'run the agent there, or see what is wrong: redis-agent audit',
    );
  return said;
}

function hasOtherFiles(pid: number): boolean {
  try {
    const cgroup = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
    if (!/docker|containerd|kubepods|libpod|lxc/.test(cgroup)) return false;
    return readlinkSync(`/proc/${pid}/ns/mnt`) !== readlinkSync('/proc/self/ns/mnt');
  } catch {
    return existsSync(`/proc/${pid}`);
  }
}

/** By a handshake with its TLS port, whichever the agent itself uses. */
export async function readCertificate(
  { instance }: Pick<JobContext, 'instance'>,
  config: ReadonlyMap<string, string>,
  reader: FileReader,
): Promise<CertificateFacts | undefined> {
  const port = config.get('tls-port') ?? '0';
  const { protocol, hostname } = new URL(instance.url);
  if (port === '0') return undefined;
  const url = `rediss://${protocol === 'unix:' ? '127.0.0.1' : hostname}:${port}`;
  const found = await tryTls({ ...instance, url }, config.get('tls-cert-file'), reader);
  return found.value;
}

/** Its users as it lists them; undefined where we may not ask. */
export async function readAclList(connection: RedisConnection): Promise<string[] | undefined> {
  try {
    const list = await connection.call('ACL', 'LIST');
    return Array.isArray(list) ? list.map(String) : undefined;
  } catch (error) {
    if (hasReason(error, 'noperm', 'unknown-command', 'reply')) return undefined;
    throw error;
  }
}

/** Undefined where the user may not ask. */
async function readClients(
  connection: RedisConnection,
  pid: number | undefined,
): Promise<InspectedServer['clients']> {
  try {
    const [id, list] = [await ownClientId(connection), String(await connection.call('CLIENT', 'LIST'))];
    // Before 6.2 it does not tell by which of its addresses they come.
    const blind = pid !== undefined && !/ laddr=/.test(list);
    const seen = blind ? await readConnections(`/proc/${pid}`) : [];
    return inspectClients(list, id, new Map(seen.map(({ remote, local }) => [remote, local])));
  } catch (error) {
    if (hasReason(error, 'noperm', 'unknown-command', 'reply')) return undefined;
    throw error;
  }
}
