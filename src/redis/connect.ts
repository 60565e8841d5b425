import { readFileSync } from 'node:fs';
import type { Redis, RedisOptions } from 'ioredis';
import { AgentError, messageOf, systemCode } from '../domain/errors.ts';
import type { Secret } from '../domain/secret.ts';
import type { TlsSettings } from '../domain/settings.ts';

/** Where and as whom to connect. */
export interface RedisTarget {
  /** The instance's name, for messages. */
  name: string;
  /** redis://, rediss:// or unix:// without a password. */
  url: string;
  username?: string | undefined;
  password?: Secret | undefined;
  tls?: TlsSettings | undefined;
}

export interface ConnectOptions {
  /** Bound on connecting and on each command. Milliseconds. */
  timeout?: number;
}

/** A reply of the server: an error reply is thrown, never returned. */
export type Reply = string | number | null | Reply[];

/**
 * One authenticated connection. It does not reconnect by itself: whoever needs it for long opens a new one, so a
 * server restart is always seen and never papered over.
 */
export interface RedisConnection {
  readonly target: RedisTarget;
  /** Sends one command. Rejects with an AgentError `redis` that names the instance and the cause. */
  call(command: string, ...args: (string | number)[]): Promise<Reply>;
  /** Sends commands in one write, so that nothing else runs between them; a reply or error each. */
  pipeline(commands: (string | number)[][]): Promise<(Reply | AgentError)[]>;
  close(): void;
}

/** Opens a connection and authenticates; rejects with an AgentError `redis`. */
export async function connectRedis(
  target: RedisTarget,
  options: ConnectOptions = {},
): Promise<RedisConnection> {
  const timeout = options.timeout ?? 10_000;
  const { Redis } = await import('ioredis');
  const client = new Redis({
    ...endpoint(target),
    lazyConnect: true,
    protocol: 2,
    connectTimeout: timeout,
    commandTimeout: timeout,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // CLIENT SETINFO is unknown before 7.2 and would count as an error in the server's statistics.
    disableClientInfo: true,
  });
  let lastError: unknown;
  client.on('error', (error) => {
    lastError = error;
  });
  try {
    await client.connect();
  } catch (error) {
    client.disconnect();
    throw connectError(
      target,
      systemCode(error) !== undefined || lastError === undefined ? error : lastError,
    );
  }
  const connection = wrap(client, target);
  try {
    await authenticate(connection, target);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

type Endpoint = Pick<RedisOptions, 'host' | 'port' | 'path' | 'tls'>;

function endpoint(target: RedisTarget): Endpoint {
  const url = new URL(target.url);
  if (url.protocol === 'unix:') return { path: decodeURIComponent(url.pathname) };
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const base: Endpoint = { host, port: Number(url.port || 6379) };
  if (url.protocol !== 'rediss:') return base;
  const { ca, cert, key, server_name: serverName } = target.tls ?? {};
  return {
    ...base,
    tls: {
      ...(ca === undefined ? {} : { ca: readPem(target, ca) }),
      ...(cert === undefined ? {} : { cert: readPem(target, cert) }),
      ...(key === undefined ? {} : { key: readPem(target, key) }),
      ...(serverName === undefined ? {} : { servername: serverName }),
    },
  };
}

function readPem(target: RedisTarget, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new AgentError(
      'redis',
      `instance ${target.name}: cannot read the TLS file ${path}: ${messageOf(cause)}`,
      {
        cause,
        hint: 'check tls.ca, tls.cert and tls.key of this instance',
      },
    );
  }
}

/** AUTH is sent here and not by the client library, so that a refusal is this call's error. */
async function authenticate(connection: RedisConnection, target: RedisTarget): Promise<void> {
  if (target.password !== undefined) {
    const user = target.username === undefined ? [] : [target.username];
    try {
      await connection.call('AUTH', ...user, target.password.reveal());
    } catch (error) {
      // The server has no password at all: the credential is superfluous, not wrong. The audit reports the open server.
      if (!/without any password configured|no password is set/.test(messageOf(error))) throw error;
    }
  }
  await connection.call('PING').catch((error: unknown) => {
    // These classes still answer what a backup or a status needs; the jobs decide.
    if (
      error instanceof AgentError &&
      ['busy', 'loading', 'misconf', 'masterdown', 'noperm'].includes(error.reason ?? '')
    )
      return;
    throw error;
  });
}

function wrap(client: Redis, target: RedisTarget): RedisConnection {
  return {
    target,
    async call(command, ...args) {
      try {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- RESP2 replies have exactly these shapes
        return (await client.call(command, ...args)) as Reply;
      } catch (error) {
        throw commandError(target, command, args, error);
      }
    },
    async pipeline(commands) {
      // The batch form, pipeline(commands), knows only its own methods, in lower case.
      const batch = client.pipeline();
      for (const [command = '', ...args] of commands) batch.call(String(command), ...args);
      const results = await batch.exec();
      if (results === null) throw commandError(target, 'pipeline', [], new Error('connection is closed'));
      return results.map(([error, reply], index) => {
        const [command = '', ...args] = commands[index] ?? [];
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
        return error === null ? (reply as Reply) : commandError(target, String(command), args, error);
      });
    },
    close() {
      client.disconnect();
    },
  };
}

function connectError(target: RedisTarget, cause: unknown): AgentError {
  if (cause instanceof AgentError) return cause;
  const where = `instance ${target.name}: cannot connect to ${target.url}`;
  const code = systemCode(cause);
  const text = messageOf(cause);
  const fail = (reason: string, why: string, hint: string): AgentError =>
    new AgentError('redis', `${where}: ${why}`, { cause, reason, hint });
  if (code === 'ECONNREFUSED')
    return fail('refused', 'connection refused', 'is the server running, and is this its address and port?');
  if (code === 'ENOENT')
    return fail('refused', 'no such socket', 'check the path and the unixsocket directive of redis.conf');
  if (code === 'EACCES')
    return fail(
      'denied',
      'permission denied on the socket',
      'add this user to the group that owns the socket',
    );
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return fail('unknown-host', 'the host name does not resolve', 'check url');
  if (code === 'ETIMEDOUT' || /timed? ?out/i.test(text))
    return fail('timeout', 'timed out', 'is a firewall in the way, or the host down?');
  if (
    code?.startsWith('ERR_SSL') === true ||
    code?.startsWith('ERR_TLS') === true ||
    /certificate|self.signed/i.test(text)
  )
    return fail(
      'tls',
      `TLS failed: ${text}`,
      'check tls.ca, tls.cert, tls.key and tls.server_name, and that this is the TLS port',
    );
  if (target.url.startsWith('rediss:') && /closed|ECONNRESET|hang up/i.test(`${text} ${code}`))
    return fail(
      'tls',
      `TLS failed: the server closed the connection`,
      'is this the TLS port (tls-port), and does the server want a client certificate (tls.cert, tls.key)?',
    );
  return fail('unavailable', text, 'check url, and the server’s log');
}

const replyReasons: [RegExp, string, string][] = [
  [/^WRONGPASS|invalid (username-)?password/, 'wrongpass', 'check username and password of this instance'],
  [/^NOAUTH/, 'noauth', 'the server wants a password: set username and password of this instance'],
  [/^LOADING/, 'loading', 'the server is still loading its data: try again when it is done'],
  [/^BUSY/, 'busy', 'a script is blocking the server: see SCRIPT KILL'],
  [/^MISCONF/, 'misconf', 'the last save failed and writes are blocked: see the server’s log'],
  [/^MASTERDOWN/, 'masterdown', 'this replica has lost its master'],
  [
    /max number of clients/,
    'maxclients',
    'the server has no connection left: raise maxclients or find the leak',
  ],
  [/Command timed out/, 'timeout', 'the server does not answer in time'],
  [
    /[Cc]onnection is closed|isn't writeable|ECONNRESET|EPIPE/,
    'closed',
    'the server closed the connection: did it restart?',
  ],
];

function commandError(
  target: RedisTarget,
  command: string,
  args: (string | number)[],
  cause: unknown,
): AgentError {
  if (cause instanceof AgentError) return cause;
  const text = messageOf(cause);
  // AUTH's arguments are a secret, and only these commands' second word is a subcommand.
  const subcommand = /^(config|acl|client|script|memory|latency|slowlog)$/i.test(command)
    ? String(args[0] ?? '')
    : '';
  const name = [command, subcommand].filter(Boolean).join(' ').toUpperCase();
  if (text.startsWith('NOPERM')) {
    const rule = `+${[command, subcommand].filter(Boolean).join('|').toLowerCase()}`;
    const user = target.username ?? 'default';
    return new AgentError('redis', `instance ${target.name}: user ${user} may not run ${name}`, {
      cause,
      reason: 'noperm',
      hint: `grant it: ACL SETUSER ${user} ${rule}`,
    });
  }
  const [, reason = 'reply', hint] = replyReasons.find(([pattern]) => pattern.test(text)) ?? [];
  return new AgentError('redis', `instance ${target.name}: ${name}: ${text}`, {
    cause,
    reason,
    ...(hint === undefined ? {} : { hint }),
  });
}
