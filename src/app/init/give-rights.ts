import { AgentError, hasReason } from '../../domain/errors.ts';
import type { InstanceSettings, Settings } from '../../domain/settings.ts';
import type { Engine } from '../../domain/backup.ts';
import type { Admin } from '../../jobs/harden/inspect-server.ts';
import { connectRedis, type RedisConnection } from '../../redis/connection/connect.ts';
import { findServerProcess } from '../../redis/process/server-process.ts';
import { engineOf, readConfig, readInfo } from '../../redis/server.ts';
import { tryRights } from '../../monitor/rights.ts';
import type { App } from '../build-app.ts';
import { agentRights, type PurposeRights } from './agent-rights.ts';
import { keepUser, type Kept } from './agent-user.ts';
import { unlessDenied } from './unless-denied.ts';
import { missingOf } from './missing-rights.ts';
import { otherNodes } from './other-nodes.ts';
import type { Persistence } from './report.ts';

/** What the agent’s user on one server may not do, and what was done about it. */
export interface RightsReport {
  instance: string;
  url: string;
  engine: Engine | null;
  version: string | null;
  user: string;
  /** How it was found out: in the server’s list of users, or by trying, which tells less of keys. */
  seen: 'users' | 'tried';
  missing: PurposeRights[];
  /** What gives all of it; null: nothing is missing. */
  command: string | null;
  outcome: 'complete' | 'given' | 'planned' | 'by-hand';
  /** Why by hand. */
  why?: string;
  /** Nodes of the same data that are no instances here: each has users of its own. */
  other_nodes: string[];
  /** How it outlives a restart, once it is given. */
  persistence?: Persistence;
}

export interface RightsOptions {
  admin: Admin | undefined;
  dryRun: boolean;
  signal: AbortSignal;
}

/**
 * Gives the user that the configuration names what it lacks, and takes nothing from it. Rejects with an AgentError
 * `redis` where the server or the user cannot be reached.
 */
export async function giveRights(
  app: App,
  instance: InstanceSettings,
  options: RightsOptions,
): Promise<RightsReport> {
  const own = await app.connect(instance, options.signal);
  let admin: RedisConnection | undefined;
  try {
    admin = await connectAdmin(instance, options);
    return await give({ own, admin, instance, settings: app.settings, dryRun: options.dryRun });
  } finally {
    own.close();
    admin?.close();
  }
}

interface RightsRequest {
  own: RedisConnection;
  admin: RedisConnection | undefined;
  instance: InstanceSettings;
  settings: Settings;
  dryRun: boolean;
}

async function give(request: RightsRequest): Promise<RightsReport> {
  const { own, admin, instance, dryRun } = request;
  const asker = admin ?? own;
  const info = await unlessDenied(() => readInfo(asker));
  const { engine, version } = info?.has('redis_version') === true ? engineOf(info) : {};
  const user = instance.username ?? 'default';
  const lacks = (): Promise<Lack> => findMissing(request, { engine, version, user });
  const { seen, missing, users } = await lacks();
  const rights = [...new Set(missing.flatMap((group) => group.rights))];
  const common = {
    instance: instance.name,
    url: instance.url,
    engine: engine ?? null,
    version: version ?? null,
    user,
    seen,
    missing,
    other_nodes: otherNodes(
      info,
      request.settings.instances.map(({ url }) => url),
    ),
    command: rights.length === 0 ? null : ['ACL SETUSER', user, ...rights].join(' '),
  };
  if (rights.length === 0) return { ...common, outcome: 'complete' };
  if (dryRun) return { ...common, outcome: 'planned' };
  const denied = await grant(asker, user, rights, admin === undefined);
  if (denied !== undefined) return { ...common, outcome: 'by-hand', why: denied };
  const left = (await lacks()).missing.flatMap((group) => group.rights);
  if (left.length > 0)
    throw new AgentError('redis', `${instance.name}: ${user} still may not ${left.join(' ')}`, {
      hint: 'the server took the command and did not give the right: see ACL GETUSER',
    });
  const server: Kept = {
    users,
    local: info !== undefined && (await findServerProcess(info, instance.url)) !== undefined,
    configFile: info?.get('config_file'),
    aclFile: await unlessDenied(() => readConfig(asker, 'aclfile')),
  };
  return { ...common, outcome: 'given', persistence: await keepUser(server, asker, rights.join(' ')) };
}

/** Resolves with why it may not. */
async function grant(
  connection: RedisConnection,
  user: string,
  rights: readonly string[],
  nobodyNamed: boolean,
): Promise<string | undefined> {
  try {
    await connection.call('ACL', 'SETUSER', user, ...rights);
    return undefined;
  } catch (error) {
    if (!hasReason(error, 'noperm')) throw error;
    return nobodyNamed
      ? 'nobody was named who may: --username NAME and --password-file FILE, or $REDIS_AGENT_ADMIN_PASSWORD'
      : 'that user may not run ACL SETUSER';
  }
}

interface Lack {
  seen: RightsReport['seen'];
  missing: PurposeRights[];
  users: string[] | undefined;
}

async function findMissing(
  { own, admin, instance, settings }: RightsRequest,
  { engine, version, user }: { engine: Engine | undefined; version: string | undefined; user: string },
): Promise<Lack> {
  const wanted = agentRights(version, { instance: instance.name, monitor: settings.monitor });
  const reply = await unlessDenied(() => (admin ?? own).call('ACL', 'LIST'));
  const users = Array.isArray(reply) ? reply.map(String) : undefined;
  const line = users?.find((each) => each.startsWith(`user ${user} `));
  if (line !== undefined && engine !== undefined && version !== undefined)
    return { seen: 'users', missing: missingOf(line, wanted, { engine, version, docker: false }), users };
  const rights = wanted.flatMap((group) => group.rights);
  const { missing: refused } = await tryRights(own, version, [...new Set(rights)]);
  const missing = wanted
    .map((group) => ({ ...group, rights: group.rights.filter((right) => refused.includes(right)) }))
    .filter((group) => group.rights.length > 0);
  return { seen: 'tried', missing, users };
}

/** As the one who is named; as nobody, where the server obeys everybody; else undefined. */
async function connectAdmin(
  { name, url, tls, renamed, password }: InstanceSettings,
  { admin, signal }: RightsOptions,
): Promise<RedisConnection | undefined> {
  const target = { name, url, tls, renamed };
  if (admin?.password !== undefined)
    return await connectRedis({ ...target, username: admin.username, password: admin.password }, { signal });
  if (password === undefined) return undefined;
  try {
    return await connectRedis(target, { signal });
  } catch (error) {
    if (hasReason(error, 'noauth', 'wrongpass')) return undefined;
    throw error;
  }
}
