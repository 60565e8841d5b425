import { AgentError, messageOf } from '../../../domain/errors.ts';
import type { InstanceSettings } from '../../../domain/settings.ts';
import type { EngineVersion } from '../../../formats/conf/engine.ts';
import type { Info } from '../../../formats/info/parse-info.ts';
import { readFiles } from '../../../harden/read/read-files.ts';
import type { ServerFiles } from '../../../harden/apply/server-files.ts';
import { parseClientList, type ListedClient } from '../../../formats/clients/client-list.ts';
import { connectRedis, type RedisConnection, type Reply } from '../../../redis/connection/connect.ts';
import { hasSameFiles } from '../../../redis/conf/same-files.ts';
import { engineOf, readInfo } from '../../../redis/server.ts';
import type { HostPart } from '../../job.ts';
import type { Admin } from '../inspect-server.ts';

/** Where a node keeps what it starts with. */
export type NodeFiles =
  /** `users` holds the user’s line; `conf` is the configuration, and all that it includes. */
  | {
      kind: 'files';
      users: 'aclfile' | 'conf' | 'requirepass';
      path: string;
      conf: string[];
      by: ServerFiles;
    }
  /** The user is in no file: it was made at run time, and is gone with the next start. */
  | { kind: 'none'; why: string; conf: string[]; by: ServerFiles | undefined }
  | { kind: 'unseen'; why: string };

export interface RotationNode {
  /** `127.0.0.1:6379` */
  address: string;
  url: string;
  runId: string;
  engine: EngineVersion;
  role: 'master' | 'replica';
  connection: RedisConnection;
  /** Hashes; undefined where there is no such user. */
  hashes: string[] | undefined;
  noPassword: boolean;
  /** It logs in at its master as the user. */
  replicates: boolean;
  clients: ListedClient[];
  files: NodeFiles;
}

export interface NodeRequest {
  instance: InstanceSettings;
  user: string;
  /** Who may change users on every node. */
  admin: Admin;
  /** Besides those that are found. */
  more: readonly string[];
  /** The note of a rotation that goes on, which names `more`. */
  note?: string | undefined;
  /** Whoever looks at the host of a node, and writes its files. */
  onHost(this: void, url: string): HostPart;
  signal: AbortSignal;
}

/**
 * Every server that has the user: the instance’s master and all its replicas, or the nodes of its cluster. One that cannot
 * be reached is an error: it would keep the old password alone. The caller closes their connections.
 */
export async function findNodes(request: NodeRequest): Promise<RotationNode[]> {
  const nodes: RotationNode[] = [];
  const waiting = [request.instance.url, ...request.more];
  const asked = new Set<string>();
  try {
    for (const url of waiting) {
      if (asked.has(url)) continue;
      asked.add(url);
      const { connection, info, others } = await lookAt(url, request);
      waiting.push(...others.filter((other) => !asked.has(other)));
      const runId = info.get('run_id') ?? url;
      if (nodes.some((node) => node.runId === runId)) connection.close();
      else nodes.push(await describeOrClose(url, connection, info, request));
    }
    return nodes;
  } catch (error) {
    for (const { connection } of nodes) connection.close();
    throw error;
  }
}

/** Opens a connection as the administrator. */
export async function connectNode(
  url: string,
  { instance, admin, signal }: Pick<NodeRequest, 'instance' | 'admin' | 'signal'>,
): Promise<RedisConnection> {
  const { tls, renamed } = instance;
  return connectRedis({ name: addressOf(url), url, tls, renamed, ...admin }, { signal });
}

export function addressOf(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return protocol === 'unix:' ? decodeURIComponent(pathname) : host;
}

async function lookAt(
  url: string,
  request: NodeRequest,
): Promise<{ connection: RedisConnection; info: Info; others: string[] }> {
  let connection: RedisConnection;
  try {
    connection = await connectNode(url, request);
  } catch (error) {
    throw new AgentError(
      'redis',
      `${addressOf(url)}, a server with that user, cannot be asked: ${messageOf(error)}`,
      {
        hint: `every node has to take part, or it is left with the old password alone: start it, or take it out of the replication${request.note !== undefined && request.more.includes(url) ? `; where it is gone for good, out of "nodes" in ${request.note} too` : ''}`,
        cause: error,
      },
    );
  }
  try {
    const info = await readInfo(connection);
    return { connection, info, others: await othersOf(url, connection, info) };
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function othersOf(url: string, connection: RedisConnection, info: Info): Promise<string[]> {
  const scheme = url.startsWith('rediss:') ? 'rediss:' : 'redis:';
  const urlOf = (host: string, port: string): string =>
    `${scheme}//${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (info.get('cluster_enabled') === '1') {
    const lines = String(await connection.call('CLUSTER', 'NODES')).split('\n');
    return lines.flatMap((line) => {
      const [, address = ''] = line.split(' ');
      const [, host, port] = /^(.*):(\d+)(?:@.*)?$/.exec(address) ?? [];
      return host === undefined || host === '' || port === undefined || line.includes('noaddr')
        ? []
        : [urlOf(host, port)];
    });
  }
  const master = [info.get('master_host'), info.get('master_port')];
  const found = info.get('role') === 'slave' && master[0] && master[1] ? [urlOf(master[0], master[1])] : [];
  for (const [name, value] of info) {
    const [, host, port] = /^slave\d+$/.test(name) ? (/^ip=([^,]*),port=(\d+)/.exec(value) ?? []) : [];
    if (host !== undefined && port !== undefined) found.push(urlOf(host, port));
  }
  return found;
}

/** One left open would keep the program from ending after its error. */
async function describeOrClose(
  url: string,
  connection: RedisConnection,
  info: Info,
  request: NodeRequest,
): Promise<RotationNode> {
  try {
    return await describe(url, connection, info, request);
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function describe(
  url: string,
  connection: RedisConnection,
  info: Info,
  { user, onHost }: NodeRequest,
): Promise<RotationNode> {
  const engine: EngineVersion = { ...engineOf(info), docker: false };
  const config = await readSettings(connection);
  const { hashes, noPassword } = await readUser(connection, user);
  const masteruser = config.get('masteruser') ?? '';
  return {
    address: addressOf(url),
    url,
    runId: info.get('run_id') ?? url,
    engine,
    role: info.get('role') === 'slave' ? 'replica' : 'master',
    connection,
    hashes,
    noPassword,
    replicates:
      (config.get('masterauth') ?? '') !== '' && (masteruser === '' ? 'default' : masteruser) === user,
    clients: (await readClients(connection)).filter((client) => client.user === user),
    files: await findFiles(onHost(url), info, { engine, config, user }),
  };
}

async function readSettings(connection: RedisConnection): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const name of ['masterauth', 'masteruser', 'aclfile', 'requirepass', 'dir']) {
    const reply = await connection.call('CONFIG', 'GET', name);
    if (Array.isArray(reply) && typeof reply[1] === 'string') found.set(name, reply[1]);
  }
  return found;
}

/** `ACL GETUSER`: a flat list of names and values. */
export async function readUser(
  connection: RedisConnection,
  user: string,
): Promise<{ hashes: string[] | undefined; noPassword: boolean }> {
  const reply = await connection.call('ACL', 'GETUSER', user);
  if (!Array.isArray(reply)) return { hashes: undefined, noPassword: false };
  const field = (name: string): Reply | undefined => reply[reply.indexOf(name) + 1];
  return { hashes: words(field('passwords')), noPassword: words(field('flags')).includes('nopass') };
}

const words = (value: Reply | undefined): string[] => (Array.isArray(value) ? value.map(String) : []);

export async function readClients(connection: RedisConnection): Promise<ListedClient[]> {
  return parseClientList(String(await connection.call('CLIENT', 'LIST')));
}

interface Kept {
  engine: EngineVersion;
  config: ReadonlyMap<string, string>;
  user: string;
}

async function findFiles({ host, serverFiles }: HostPart, info: Info, kept: Kept): Promise<NodeFiles> {
  const said = info.get('config_file') ?? '';
  try {
    const { pid, service, user: owner } = await host.look(info);
    const named = service?.arguments?.file;
    const path = named?.startsWith('/') === true ? named : said;
    if (path === '')
      return { kind: 'none', why: 'it runs without a configuration file', conf: [], by: undefined };
    if (pid === undefined || !hasSameFiles(pid))
      return { kind: 'unseen', why: `${path} lies on another host or in a container` };
    const by = serverFiles({ file: path, directives: service?.arguments?.directives ?? [] }, owner);
    return await findLine(path, by, kept);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    return { kind: 'unseen', why: error.message };
  }
}

/** Where the user’s line stands. */
async function findLine(path: string, by: ServerFiles, { engine, config, user }: Kept): Promise<NodeFiles> {
  const { reader, place } = await by.look();
  const files = readFiles(path, { engine, reader, alone: false });
  const [problem] = files.problems;
  if (problem !== undefined) return { kind: 'unseen', why: `${problem.path}: ${problem.why}` };
  const real = (each: string): string => place(each).real;
  const conf = files.paths.filter((each) => each !== files.aclfile?.path).map(real);
  const none = (which: string): NodeFiles => ({ kind: 'none', why: `${which} has no line for it`, conf, by });
  if ((config.get('aclfile') ?? '') !== '') {
    if (files.aclfile === undefined)
      return { kind: 'unseen', why: `the aclfile ${config.get('aclfile')} is named in no file` };
    const listed = files.aclfile.entries.some(({ values }) => values[0] === user);
    return listed
      ? { kind: 'files', users: 'aclfile', path: real(files.aclfile.path), conf, by }
      : none(files.aclfile.path);
  }
  const line = files.entries.findLast(({ name, values }) => name === 'user' && values[0] === user);
  if (line?.place !== undefined)
    return { kind: 'files', users: 'conf', path: real(line.place.file), conf, by };
  const password = files.entries.findLast(({ name, values }) => name === 'requirepass' && values[0] !== '');
  if (user === 'default' && password?.place !== undefined)
    return { kind: 'files', users: 'requirepass', path: real(password.place.file), conf, by };
  return none(path);
}
