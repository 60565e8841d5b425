import type { Engine } from '../../domain/backup.ts';
import { AgentError, hasReason, type Reason } from '../../domain/errors.ts';
import { connectRedis, type RedisConnection } from '../../redis/connection/connect.ts';
import type { FoundServer, ServerAddress } from '../../redis/process/find-servers.ts';
import { findServerProcess } from '../../redis/process/server-process.ts';
import { engineOf, readConfig, readInfo } from '../../redis/server.ts';
import { flagWords, type TargetWords } from '../../redis/connection/target.ts';
import type { InitOptions } from './report.ts';
import { unlessDenied } from './unless-denied.ts';
import { guessRole, lookAtUse, type GuessedRole } from './role.ts';

/** A server as it was before anything is done to it. Whoever inspects closes the connection. */
export interface Inspected {
  url: string;
  found: FoundServer | undefined;
  /** As somebody who may ask; undefined when the server wants a credential that nobody gave (--no-acl). */
  connection: RedisConnection | undefined;
  engine: Engine | undefined;
  version: string | undefined;
  runId: string | undefined;
  /** Does it run on this host, so that its paths are ours? */
  local: boolean;
  /** Empty: none. Undefined: not to be seen. */
  configFile: string | undefined;
  aclFile: string | undefined;
  /** `user NAME on …` for each user; undefined when we may not ask. */
  users: string[] | undefined;
  /** Why `users` cannot be seen. */
  denied: string | undefined;
  open: boolean;
  /** What it seems to be used for. */
  role: GuessedRole | undefined;
}

/** Milliseconds for a connection and for each command: these servers are near. */
const timeout = 5000;

/** How plain TCP fails on a TLS port. */
const perhapsTls: readonly Reason[] = ['closed', 'timeout', 'not-redis'];
/** What a server says that is there and wants another credential. */
const refusals: readonly Reason[] = ['noauth', 'wrongpass'];

/** For somebody who has no configuration yet, and whose servers have no names. */
const words: TargetWords = {
  ...flagWords('--url'),
  subject: () => '',
  ca: '--tls-ca',
  cert: '--tls-cert',
  key: '--tls-key',
  tls: '--tls-ca, --tls-cert and --tls-key',
  credentials: '--username and --password-file',
  giveCredentials:
    'say who may create users: --username NAME (unless it is default) and --password-file FILE, or the password in $REDIS_AGENT_ADMIN_PASSWORD; or --no-acl, and create the agent’s user yourself',
};

/** Connects by the first address that works, and asks what init has to know. Changes nothing. */
export async function inspectServer(where: FoundServer | string, options: InitOptions): Promise<Inspected> {
  const found = typeof where === 'string' ? undefined : where;
  const { url, connection } = await reach(
    typeof where === 'string' ? [{ url: where }] : where.addresses.flatMap(candidates),
    options,
  );
  try {
    return { url, found, connection, ...(await ask(url, connection, options)) };
  } catch (error) {
    connection?.close();
    throw error;
  }
}

interface Candidate {
  url: string;
  /** Only worth a try where plain TCP failed the way it does on a TLS port. */
  guess?: boolean;
}

/** An address as the configuration writes it. */
function candidates(address: ServerAddress): Candidate[] {
  if ('socket' in address)
    return [{ url: `unix://${address.socket.split('/').map(encodeURIComponent).join('/')}` }];
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return [
    { url: `redis://${host}:${address.port}` },
    { url: `rediss://${host}:${address.port}`, guess: true },
  ];
}

async function reach(
  urls: Candidate[],
  options: InitOptions,
): Promise<{ url: string; connection: RedisConnection | undefined }> {
  let failure: AgentError | undefined;
  for (const { url, guess } of urls) {
    options.signal.throwIfAborted();
    if (guess === true && !hasReason(failure, ...perhapsTls)) continue;
    try {
      return { url, connection: await connectAsAdmin(url, options) };
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      const refused = hasReason(error, ...refusals);
      if (refused && !options.createUser) return { url, connection: undefined };
      if (refused) throw error;
      // That it is no TLS either says less than how plain TCP failed.
      if (failure === undefined || error.reason === 'tls') failure = error;
    }
  }
  throw failure ?? new AgentError('failed', 'there is a server without any address');
}

async function connectAsAdmin(url: string, options: InitOptions): Promise<RedisConnection> {
  const { admin, tls } = options;
  const target = { name: url, url, words, ...(url.startsWith('rediss:') ? { tls } : {}) };
  if (admin.password === undefined) return await connectRedis(target, { timeout });
  try {
    return await connectRedis({ ...target, ...admin }, { timeout });
  } catch (error) {
    // Of several servers one may not know this user, and be open to everybody.
    const open = hasReason(error, 'wrongpass') ? connectRedis(target, { timeout }) : undefined;
    const connection = await open?.catch(() => undefined);
    if (connection === undefined) throw error;
    return connection;
  }
}

async function ask(
  url: string,
  connection: RedisConnection | undefined,
  { createUser, admin }: InitOptions,
): Promise<Omit<Inspected, 'url' | 'found' | 'connection'>> {
  const info = connection && (await unlessDenied(() => readInfo(connection)));
  const { engine, version } = info?.has('redis_version') === true ? engineOf(info) : {};
  if (engine === 'redis' && Number.parseInt(version ?? '', 10) < 6)
    throw new AgentError('redis', `${url}: Redis ${version ?? ''} has no ACL users`, {
      reason: 'version',
      hint: 'redis-agent works with Redis 6.0 or newer, and with Valkey: upgrade the server',
    });
  const asked = createUser ? connection : undefined;
  let denied: string | undefined;
  const reply =
    asked &&
    (await unlessDenied(
      () => asked.call('ACL', 'LIST'),
      (why) => (denied = why),
    ));
  const users = Array.isArray(reply) ? reply.map(String) : undefined;
  return {
    engine,
    version,
    runId: info?.get('run_id'),
    local: info !== undefined && (await findServerProcess(info, url)) !== undefined,
    configFile: info?.get('config_file'),
    aclFile: connection && (await unlessDenied(() => readConfig(connection, 'aclfile'))),
    users,
    denied,
    role: connection && guessRole(await lookAtUse(connection)),
    open:
      users?.some((line) => /^user default on .*\bnopass\b/.test(line)) ??
      (connection !== undefined && admin.password === undefined),
  };
}
