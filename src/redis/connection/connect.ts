import type { Redis, RedisOptions } from 'ioredis';
import { AgentError, hasReason, messageOf, type Reason } from '../../domain/errors.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { commandError } from './command-error.ts';
import { connectError, greetingError } from './connect-error.ts';
import { nameOn, subjectOf, type RedisTarget } from './target.ts';
import { readTlsFiles } from './tls-files.ts';

export type { RedisTarget } from './target.ts';

export interface ConnectOptions {
  /** Bound on connecting and on each command. Milliseconds. */
  timeout?: number;
  /** The most bytes that may arrive for one question, or one pipeline of them; 32 MiB when left out. */
  maxReply?: number;
  /** Its abort ends the connection, and rejects what is waited for: nobody waits for a server that hangs. */
  signal?: AbortSignal;
}

/** Far more than CLIENT LIST of ten thousand clients, and nothing that a server could fill our memory with. */
const defaultMaxReply = 32 * 2 ** 20;

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
  { timeout = 10_000, maxReply = defaultMaxReply, signal }: ConnectOptions = {},
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
    const bound = boundReplies(client.stream, maxReply);
    await authenticate(client, target);
    return wrap(client, target, { close: disconnect, bound });
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
const usable: readonly Reason[] = ['busy', 'loading', 'misconf', 'masterdown', 'noperm'];

/** AUTH is sent here and not by the client library, so that a refusal is this call's error. */
async function authenticate(client: Redis, target: RedisTarget): Promise<void> {
  if (target.password !== undefined) {
    const user = target.username === undefined ? [] : [target.username];
    await client.call(nameOn(target, 'AUTH'), ...user, target.password.reveal()).catch((error: unknown) => {
      // The server has no password at all: the credential is superfluous, not wrong. The audit reports the open server.
      if (/without any password configured|no password is set/.test(messageOf(error))) return;
      throw greetingError(target, 'AUTH', error);
    });
  }
  await client.call(nameOn(target, 'PING')).catch((error: unknown) => {
    const failure = greetingError(target, 'PING', error);
    if (!hasReason(failure, ...usable)) throw failure;
  });
}

/** What may come over a connection until the next question. */
interface ReplyBound {
  asked(): void;
  /** How much it may be, where more has come: the connection is at its end then. */
  exceeded(): number | undefined;
}

/** Ends a connection over which more than `most` bytes have come since it was last asked. */
function boundReplies(stream: Redis['stream'], most: number): ReplyBound {
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > most) stream.destroy();
  });
  return {
    asked() {
      if (bytes <= most) bytes = 0;
    },
    exceeded: () => (bytes > most ? most : undefined),
  };
}

interface Wrapping {
  close: () => void;
  bound: ReplyBound;
}

function wrap(client: Redis, target: RedisTarget, { close, bound }: Wrapping): RedisConnection {
  const failure = (command: string, args: readonly (string | number)[], error: unknown): AgentError => {
    const most = bound.exceeded();
    return most === undefined ? commandError(target, command, args, error) : tooLong(target, command, most);
  };
  return {
    target,
    async call(command, ...args) {
      bound.asked();
      try {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- RESP2 replies have exactly these shapes
        return (await client.call(nameOn(target, command), ...args)) as Reply;
      } catch (error) {
        throw failure(command, args, error);
      }
    },
    async pipeline(commands) {
      bound.asked();
      // The batch form, pipeline(commands), knows only its own methods, in lower case.
      const batch = client.pipeline();
      for (const [command = '', ...args] of commands) batch.call(nameOn(target, String(command)), ...args);
      const results = await batch.exec();
      if (results === null) throw failure('pipeline', [], new Error('connection is closed'));
      return results.map(([error, reply], index) => {
        const [command = '', ...args] = commands[index] ?? [];
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
        return error === null ? (reply as Reply) : failure(String(command), args, error);
      });
    },
    close,
  };
}

function tooLong(target: RedisTarget, command: string, most: number): AgentError {
  const message = `${subjectOf(target)}${command.toUpperCase()} was answered with more than ${formatBytes(most)}, and no more was read`;
  return new AgentError('redis', message, {
    reason: 'too-long',
    hint: 'no server has that much to say to it: is it Redis that answers on this address?',
  });
}
