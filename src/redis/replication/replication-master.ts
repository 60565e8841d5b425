import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../domain/clock.ts';
import { AgentError } from '../../domain/errors.ts';
import { peerUser } from '../connection/peer-user.ts';
import { feedReplica, shakeHands, type Feed } from './replica-link.ts';

export interface MasterOptions {
  feed: Feed;
  /** Only processes of this user are served; undefined where the server's is not known. */
  replicaUser: number | undefined;
  /** Longest time without any sign of life or progress, milliseconds. */
  stallTimeout: number;
  /** Listens already, on this host's loopback address; on a free port when left out. Closed with the master. */
  listener?: Server | undefined;
  clock: Clock;
  signal: AbortSignal;
  /** Bytes that the server's side of the connection has taken. */
  onProgress?: (sent: number) => void;
}

/** A replication master that has one data set for one replica. */
export interface ReplicationMaster extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Of the listening socket, for a process that holds it, too. */
  readonly descriptor: number | undefined;
  /** What the replica calls its data's history once it has loaded all of it: proof of where its data came from. */
  readonly replicationId: string;
  /**
   * Serves the first replica that connects from now on, so call it right before REPLICAOF. Resolves when that replica
   * has loaded everything and says so; it is kept alive until the master is disposed. Rejects with the signal's
   * reason, with what the feed throws, or with an AgentError `failed`: reason `link` when the connection broke,
   * `stalled` when nothing moved for too long. The connection is closed then, before the last byte was sent: a
   * replica keeps its old data.
   */
  serve(): Promise<void>;
}

/** Who connects before there is a master is hung up on. */
export async function listenHere(host: string, port: number): Promise<Server> {
  const server = createServer({ pauseOnConnect: true, noDelay: true });
  server.on('connection', (socket) => socket.destroy());
  server.listen({ host, port, backlog: 16 });
  await once(server, 'listening');
  return server;
}

/** Node has no name of its own for it. */
function descriptorOf(server: Server): number | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked at below
  const { _handle: handle } = server as unknown as { _handle?: { fd?: unknown } | null };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}

/** Listens on a free loopback port. What connects before `serve`, besides the replica or as another user is hung up on. */
export async function listenAsMaster(options: MasterOptions): Promise<ReplicationMaster> {
  const host = '127.0.0.1';
  const server = options.listener ?? (await listenHere(host, 0));
  const master = new LoopbackMaster(server, options);
  server.removeAllListeners('connection').on('connection', (socket) => void master.meet(socket));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    host,
    port,
    descriptor: descriptorOf(server),
    replicationId: master.replicationId,
    serve: () => master.serve(),
    async [Symbol.asyncDispose]() {
      await master.close();
    },
  };
}

class LoopbackMaster {
  readonly replicationId = randomBytes(20).toString('hex');
  readonly #server: Server;
  readonly #options: MasterOptions;
  readonly #stop = new AbortController();
  /** Who takes the next connection; undefined: nobody may connect now. */
  #awaited: ((socket: Socket) => void) | undefined;
  #replica: Socket | undefined;
  #lastSign = 0;
  /** Has it asked for the data? */
  #fed = false;

  constructor(server: Server, options: MasterOptions) {
    this.#server = server;
    this.#options = options;
  }

  async meet(socket: Socket): Promise<void> {
    socket.on('error', () => socket.destroy());
    const take = this.#awaited;
    if (take === undefined || !(await this.#isReplica(socket)) || this.#awaited !== take) {
      socket.destroy();
      return;
    }
    this.#awaited = undefined;
    this.#replica = socket;
    take(socket);
  }

  async #isReplica({ localPort: ours, remotePort: theirs }: Socket): Promise<boolean> {
    const { replicaUser } = this.#options;
    if (replicaUser === undefined || ours === undefined || theirs === undefined) return true;
    // Who cannot be seen is nobody that we know.
    return (await peerUser({ ours, theirs })) === replicaUser;
  }

  async serve(): Promise<void> {
    const { signal, clock } = this.#options;
    signal.throwIfAborted();
    const abort = (): void => this.#stop.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    this.#lastSign = clock.monotonic();
    const watching = this.#watch();
    try {
      await this.#serveOne();
    } catch (error) {
      this.#replica?.destroy();
      // Whatever broke then, it broke because it was stopped.
      this.#stop.signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#stop.abort();
      await watching;
    }
  }

  async #serveOne(): Promise<void> {
    const { feed, clock, onProgress } = this.#options;
    const { signal } = this.#stop;
    const onSign = (): void => {
      this.#lastSign = clock.monotonic();
    };
    for (;;) {
      const socket = await this.#next();
      // A server that breaks off before it has asked for anything comes again by itself; that is no sign of progress.
      if (!(await shakeHands(socket, signal))) continue;
      this.#fed = true;
      onSign();
      await feedReplica(socket, {
        signal,
        onSign,
        feed,
        clock,
        replicationId: this.replicationId,
        onProgress,
      });
      return;
    }
  }

  async #next(): Promise<Socket> {
    const { signal } = this.#stop;
    signal.throwIfAborted();
    return await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#awaited = resolve;
    });
  }

  async #watch(): Promise<void> {
    const { clock, stallTimeout } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const left = stallTimeout - (clock.monotonic() - this.#lastSign);
      if (left <= 0) this.#stop.abort(this.#stalled());
      else await clock.sleep(left, signal).catch(() => {});
    }
  }

  #stalled(): AgentError {
    const seconds = Math.round(this.#options.stallTimeout / 1000);
    if (this.#fed)
      return new AgentError('failed', `the replication link has not moved for ${seconds} s`, {
        reason: 'stalled',
        hint: 'see the server’s log: is it stopped, swapping or out of disk?',
      });
    if (this.#replica !== undefined)
      return new AgentError(
        'failed',
        `the server connects to the agent, and has not asked for the data in ${seconds} s`,
        { reason: 'stalled', hint: 'see the server’s log for what it waits for; or use --method files' },
      );
    return new AgentError('failed', `the server has not connected to the agent for ${seconds} s`, {
      reason: 'unreached',
      hint: 'does it run in a container or network of its own? Then use --method files',
    });
  }

  async close(): Promise<void> {
    this.#awaited = undefined;
    this.#replica?.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
