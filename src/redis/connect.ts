import type { Redis, RedisOptions } from 'ioredis';
import { AgentError, messageOf } from '../domain/errors.ts';
import { commandError } from './command-error.ts';
import { connectError, greetingError } from './connect-error.ts';
import type { RedisTarget } from './target.ts';
import { readTlsFiles } from './tls-files.ts';

export type { RedisTarget } from './target.ts';

export interface ConnectOptions {
  /** Bound on connecting and on each command. Milliseconds. */
  timeout?: number;
  /** The most bytes that may arrive until everything asked for is answered: then the connection is given up. */
  maxReply?: number;
  /** Its abort ends the connection, and rejects what is waited for: nobody waits for a server that hangs. */
  signal?: AbortSignal;
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

/** Opens a connection and authenticates; rejects with an AgentError `redis`, or with the signal's reason. */
export async function connectRedis(
  target: RedisTarget,
  { timeout = 10_000, maxReply, signal }: ConnectOptions = {},
): Promise<RedisConnection> {
  const { Redis } = await import('./client.ts');
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
    // A server that hangs does not close its side either.
    disconnectTimeout: 100,
  });
  // A TLS alert arrives after the handshake (TLS 1.3: no client certificate), as this event alone.
  let streamError: unknown;
  client.on('error', (error) => {
    streamError ??= error;
  });
  // Once: on a connection that is closed the library would only start a timer that keeps the process for a while.
  let open = true;
  const disconnect = (): void => {
    signal?.removeEventListener('abort', disconnect);
    if (open && client.status !== 'end') client.disconnect();
    open = false;
  };
  try {
    signal?.throwIfAborted();
    signal?.addEventListener('abort', disconnect);
    await client.connect();
    await authenticate(client, target);
    if (maxReply === undefined) return wrap(client, target, disconnect);
    const bounded = boundReplies(client.stream, maxReply);
    return wrap(client, target, disconnect, bounded);
  } catch (error) {
    disconnect();
    signal?.throwIfAborted();
    // What the server said comes first; that the connection ended is the least one can say.
    const said = error instanceof AgentError && error.reason !== 'closed';
    throw said ? error : connectError(target, streamError ?? error);
  }
}

type Endpoint = Pick<RedisOptions, 'host' | 'port' | 'path' | 'tls'>;

/** Where to connect, as node:net, node:tls and the client library take it. Throws an AgentError when a TLS file is bad. */
export function endpoint(target: RedisTarget): Endpoint {
  const url = new URL(target.url);
  if (url.protocol === 'unix:') return { path: decodeURIComponent(url.pathname) };
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const base: Endpoint = { host, port: Number(url.port || 6379) };
  if (url.protocol !== 'rediss:') return base;
  return { ...base, tls: readTlsFiles(target) };
}

/** Error replies to the first PING of a server that still answers what a backup or a status needs: the jobs decide. */
const usable = ['busy', 'loading', 'misconf', 'masterdown', 'noperm'];

/** AUTH is sent here and not by the client library, so that a refusal is this call's error. */
async function authenticate(client: Redis, target: RedisTarget): Promise<void> {
  if (target.password !== undefined) {
    const user = target.username === undefined ? [] : [target.username];
    await client.call('AUTH', ...user, target.password.reveal()).catch((error: unknown) => {
      // The server has no password at all: the credential is superfluous, not wrong. The audit reports the open server.
      if (/without any password configured|no password is set/.test(messageOf(error))) return;
      throw greetingError(target, 'AUTH', error);
    });
  }
  await client.call('PING').catch((error: unknown) => {
    const failure = greetingError(target, 'PING', error);
    if (!usable.includes(failure.reason ?? '')) throw failure;
  });
}

/** Ends a connection over which more than `most` bytes have come since it was last asked. */
function boundReplies(stream: Redis['stream'], most: number): () => void {
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > most) stream.destroy();
  });
  return () => {
    bytes = 0;
  };
}

function wrap(
  client: Redis,
  target: RedisTarget,
  close: () => void,
  onAsk: () => void = () => {},
): RedisConnection {
  return {
    target,
    async call(command, ...args) {
      onAsk();
      try {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- RESP2 replies have exactly these shapes
        return (await client.call(command, ...args)) as Reply;
      } catch (error) {
        throw commandError(target, command, args, error);
      }
    },
    async pipeline(commands) {
      onAsk();
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
    close,
  };
}
