import type { Clock } from '../../domain/clock.ts';
import { AgentError, hasReason } from '../../domain/errors.ts';
import { awaitLater } from '../../lib/time/await-later.ts';
import type { UserId } from '../../lib/process/act-as.ts';
import { unprivileged } from '../../lib/process/unprivileged.ts';
import type { RedisConnection } from '../connection/connect.ts';
import type { Feed } from '../replication/replica-link.ts';
import { listenAsMaster } from '../replication/replication-master.ts';
import { readInfo } from '../server.ts';

/** A dump on its way into a scratch server: it takes it over as a replica of this process, while it is still being made. */
export interface ScratchFeeding extends AsyncDisposable {
  /** What makes a server take it over that is started with them. */
  readonly directives: readonly string[];
  /**
   * Hands the dump over, and resolves when the server has loaded all of it; it is a replica of nobody then. Rejects
   * with the signal's reason, with what the feed throws, or with why the server did not take it.
   */
  load(server: FedServer): Promise<void>;
}

/** The scratch server that was started with those directives. */
export interface FedServer {
  connection: RedisConnection;
  /** Throws why it has ended, if it has. */
  throwIfEnded(this: void): void;
  /** By what name it knows REPLICAOF. */
  replicaof: string;
}

export interface ScratchFeedOptions {
  feed: Feed;
  /** Of the server, where we are root; nobody when left out. */
  user: UserId | undefined;
  clock: Clock;
  signal: AbortSignal;
  /** Share of the dump that the server's side has taken, 0..1. */
  onProgress: ((share: number) => void) | undefined;
}

/** Port 1 of this host, which only root could serve: a replica of it is a replica of nobody. */
export const nobody = ['127.0.0.1', '1'] as const;

/** Milliseconds; a server gives a silent master up after as long. */
const stallTimeout = 60_000;

/** Listens for the scratch server that is started next. */
export async function prepareFeed({
  feed,
  user,
  clock,
  signal,
  onProgress,
}: ScratchFeedOptions): Promise<ScratchFeeding> {
  const over = new AbortController();
  const ready = Promise.withResolvers<void>();
  const master = await listenAsMaster({
    feed: {
      bytes: feed.bytes,
      // While a server waits within a dump it answers nobody, and it is to be seen first that it listens.
      async *open(stop) {
        await ready.promise;
        yield* feed.open(stop);
      },
    },
    replicaUser: unprivileged(user)?.uid ?? process.geteuid?.(),
    stallTimeout,
    clock,
    signal: AbortSignal.any([signal, over.signal]),
    onProgress: (sent) => onProgress?.(sent / feed.bytes),
  });
  const served = awaitLater(master.serve());
  return {
    // The checksum is left out: whoever makes the feed proves every byte of it by a better sum.
    directives: [
      ['--replicaof', master.host, String(master.port), '--repl-diskless-load', 'on-empty-db'],
      ['--rdbchecksum', 'no'],
    ].flat(),
    async load({ connection, throwIfEnded, replicaof }) {
      ready.resolve();
      await served.catch(async (error: unknown) => {
        signal.throwIfAborted();
        // Where it breaks off because it ends, that says more. It drops the link before it has ended.
        while (await isClosed(connection)) {
          throwIfEnded();
          await clock.sleep(10, signal);
        }
        throw error;
      });
      const info = await readInfo(connection);
      if (info.get('master_replid') !== master.replicationId)
        throw new AgentError('failed', 'another server has taken the scratch server’s dump', {
          reason: 'link',
        });
      await connection.call(replicaof, ...nobody);
    },
    async [Symbol.asyncDispose]() {
      over.abort(new Error('the scratch server needs it no more'));
      await master[Symbol.asyncDispose]();
    },
  };
}

/** A server closes it when it ends, and not while it is only busy. */
async function isClosed(connection: RedisConnection): Promise<boolean> {
  return await readInfo(connection).then(
    () => false,
    (error: unknown) => hasReason(error, 'closed'),
  );
}
