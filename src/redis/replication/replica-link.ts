import type { Socket } from 'node:net';
import type { Clock } from '../../domain/clock.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { awaitLater } from '../../lib/time/await-later.ts';
import { RequestParser } from './request-parser.ts';

/** What a replica is given: an RDB of exactly `bytes` bytes. */
export interface Feed {
  bytes: number;
  /** Opened when the replica asks. A chunk is valid until the next one is asked for; the signal stops it. */
  open(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface FeedOptions {
  signal: AbortSignal;
  /** Something came from the replica, or went to it. */
  onSign: () => void;
  feed: Feed;
  clock: Clock;
  replicationId: string;
  onProgress?: ((sent: number) => void) | undefined;
}

/** As often as a master with `repl-ping-replica-period 10` at least; a replica's patience is 60 s by default. */
const pingEvery = 5000;
const newlineEvery = 1000;
const ping = '*1\r\n$4\r\nPING\r\n';
/** A replica answers this as soon as it has loaded; of itself it does once a second. */
const getAck = '*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n';

/** What a replica tells about itself and a master answers +OK to; others it takes a refusal for. */
const knownOptions = new Set([
  'listening-port',
  'ip-address',
  'capa',
  'version',
  'rdb-only',
  'rdb-filter-only',
]);

/**
 * Answers until the replica asks to synchronise: true. False when it breaks off before. Everything that it may have
 * to say of itself is accepted, a password too: who it is was decided when it connected.
 */
export async function shakeHands(socket: Socket, signal: AbortSignal): Promise<boolean> {
  const parser = new RequestParser();
  return await new Promise((resolve) => {
    const settle = (asked: boolean): void => {
      socket.off('data', read).off('close', hangUp);
      signal.removeEventListener('abort', hangUp);
      if (asked) socket.pause();
      else socket.destroy();
      resolve(asked);
    };
    const hangUp = (): void => settle(false);
    const read = (chunk: Buffer): void => {
      try {
        for (const words of parser.update(chunk)) {
          const answer = answerTo(words);
          if (answer === 'sync') {
            settle(true);
            return;
          }
          socket.write(answer);
        }
      } catch {
        settle(false);
      }
    };
    socket.on('data', read).on('close', hangUp);
    signal.addEventListener('abort', hangUp, { once: true });
    socket.resume();
  });
}

function answerTo([command = '', option = '']: string[]): string {
  switch (command.toUpperCase()) {
    case 'PING':
      return '+PONG\r\n';
    case 'AUTH':
      return '+OK\r\n';
    case 'REPLCONF':
      return knownOptions.has(option.toLowerCase()) ? '+OK\r\n' : '-ERR unrecognized REPLCONF option\r\n';
    case 'PSYNC':
      return 'sync';
    default:
      return '-ERR unknown command\r\n';
  }
}

/** Sends the whole feed, and resolves when the replica has loaded it. Then it is sent a PING now and then. */
export async function feedReplica(socket: Socket, options: FeedOptions): Promise<void> {
  const { signal, feed, clock } = options;
  const acknowledged = awaitLater(untilAcknowledged(socket, options));
  const hangUp = (): void => void socket.destroy();
  signal.addEventListener('abort', hangUp);
  try {
    signal.throwIfAborted();
    await write(socket, `+FULLRESYNC ${options.replicationId} 0\r\n`);
    await sendFeed(socket, options);
    await write(socket, getAck);
    const stopPings = keepAlive(socket, ping, pingEvery, clock);
    socket.once('close', stopPings);
    await acknowledged;
  } catch (error) {
    socket.destroy();
    throw error instanceof AgentError ? error : linkLost(error, socket.bytesWritten, feed.bytes);
  } finally {
    signal.removeEventListener('abort', hangUp);
  }
}

/** REPLCONF ACK is what a replica sends when it has loaded everything; while it loads it sends empty lines. */
async function untilAcknowledged(socket: Socket, { onSign }: FeedOptions): Promise<void> {
  const parser = new RequestParser();
  await new Promise<void>((resolve, reject) => {
    socket.once('close', () => reject(new Error('the server closed the connection')));
    socket.on('data', (chunk: Buffer) => {
      onSign();
      try {
        if (parser.update(chunk).some(([, option]) => option?.toUpperCase() === 'ACK')) resolve();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.resume();
  });
}

/** Exactly the bytes announced, or an error before the last of them: an early end must never look complete. */
async function sendFeed(
  socket: Socket,
  { feed, clock, signal, onSign, onProgress }: FeedOptions,
): Promise<void> {
  const chunks = feed.open(signal)[Symbol.asyncIterator]();
  const broken = untilBroken(socket, signal);
  // A feed may be deaf to the signal, as a read from a file system that hangs is: it is not waited for then.
  const take = async (): Promise<IteratorResult<Uint8Array>> => await Promise.race([chunks.next(), broken]);
  let sent = 0;
  try {
    const stopNewlines = keepAlive(socket, '\n', newlineEvery, clock);
    let next = await take().finally(stopNewlines);
    await write(socket, `$${feed.bytes}\r\n`);
    for (; next.done !== true; next = await take()) {
      signal.throwIfAborted();
      if (sent + next.value.length > feed.bytes) throw wrongLength(feed.bytes, 'more');
      await write(socket, next.value);
      sent += next.value.length;
      onSign();
      onProgress?.(sent);
    }
  } finally {
    const left = awaitLater(Promise.resolve(chunks.return?.()));
    if (!signal.aborted && !socket.destroyed) await left;
  }
  if (sent < feed.bytes) throw wrongLength(feed.bytes, 'fewer');
}

/** Rejects when the connection is closed, or the signal aborts. */
function untilBroken(socket: Socket, signal: AbortSignal): Promise<never> {
  return awaitLater(
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      socket.once('close', () => reject(new Error('the server closed the connection')));
    }),
  );
}

/** Resolves when the kernel has taken all of it, so that the bytes may be reused and no more than these wait. */
async function write(socket: Socket, bytes: Uint8Array | string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.write(bytes, (error) => (error instanceof Error ? reject(error) : resolve()));
  });
}

/** Writes `text` every now and then; returns how to stop that. */
function keepAlive(socket: Socket, text: string, every: number, clock: Clock): () => void {
  const stop = new AbortController();
  const beat = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(every, stop.signal);
      if (!socket.destroyed) socket.write(text);
    }
  };
  beat().catch(() => {});
  return () => stop.abort();
}

function wrongLength(bytes: number, what: 'more' | 'fewer'): AgentError {
  return new AgentError('damaged', `the backup decodes to ${what} than its ${bytes} bytes`);
}

function linkLost(error: unknown, sent: number, total: number): AgentError {
  const share = Math.min(100, Math.floor((sent / total) * 100));
  return new AgentError(
    'failed',
    `the replication link broke after about ${share} % of the data: ${messageOf(error)}`,
    { reason: 'link', cause: error, hint: 'see the server’s log for why it closed it' },
  );
}
