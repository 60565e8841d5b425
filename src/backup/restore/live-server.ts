import type { Clock } from '../../domain/clock.ts';
import { AgentError, hasReason, type Reason } from '../../domain/errors.ts';
import type { Info } from '../../formats/info/parse-info.ts';
import type { RedisConnection, Reply } from '../../redis/connection/connect.ts';
import { readInfo } from '../../redis/server.ts';
import { formatDuration } from '../../lib/time/duration.ts';

const shortestPause = 20;
const longestPause = 500;
/** Two minutes: longer than one value takes to be loaded, or one data set to be freed. */
const defaultPatience = 120_000;
/** A server does not answer while it loads one huge value, or frees much memory at once. */
const silent: readonly Reason[] = ['closed', 'timeout'];

export interface LiveServerOptions {
  clock: Clock;
  /** Ends what waits, and `open` with it. */
  signal: AbortSignal;
  /** Longest time in which nothing moves, milliseconds. Two minutes when left out. */
  patience?: number | undefined;
}

/**
 * A server whose connections may break while it loads: the next question opens another one. One that is silent or does
 * not get on for too long is given up, with an AgentError `failed` (reason `stalled`): nobody waits for ever.
 */
export class LiveServer {
  readonly #open: () => Promise<RedisConnection>;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #patience: number;
  #connection: RedisConnection | undefined;

  constructor(
    open: () => Promise<RedisConnection>,
    { clock, signal, patience = defaultPatience }: LiveServerOptions,
  ) {
    this.#open = open;
    this.#clock = clock;
    this.#signal = signal;
    this.#patience = patience;
  }

  async call(command: string, ...args: (string | number)[]): Promise<Reply> {
    return await this.#with((connection) => connection.call(command, ...args));
  }

  async info(): Promise<Info> {
    return await this.#with((connection) => readInfo(connection));
  }

  /** Asks INFO until `reached`; silence is waited out, a server that is gone is not. */
  async until(reached: (info: Info) => boolean): Promise<Info> {
    let loaded: string | undefined;
    return await this.#again('answered', async (sign) => {
      const info = await this.#unlessSilent(() => this.info(), 'silent');
      if (info === 'silent') return undefined;
      if (reached(info)) return info;
      // While it loads, only what it has loaded shows that it gets on.
      const bytes = info.get('loading') === '1' ? info.get('loading_loaded_bytes') : undefined;
      if (bytes === undefined || bytes !== loaded) sign();
      loaded = bytes;
      return undefined;
    });
  }

  /** Sends a command until the server has ended the load that it refuses it for. */
  async insist(command: string, ...args: string[]): Promise<void> {
    await this.#again(`taken ${command}`, async () => {
      const reply = await this.#unlessSilent(() => this.call(command, ...args), 'silent');
      return reply === 'silent' ? undefined : true;
    });
  }

  /** Tries until there is something; `sign` says that the server gets on. */
  async #again<T>(what: string, attempt: (sign: () => void) => Promise<T | undefined>): Promise<T> {
    let last = this.#clock.monotonic();
    const sign = (): void => {
      last = this.#clock.monotonic();
    };
    for (let pause = shortestPause; ; pause = Math.min(pause * 1.5, longestPause)) {
      const got = await attempt(sign);
      if (got !== undefined) return got;
      if (this.#clock.monotonic() - last > this.#patience) throw this.#stalled(what);
      await this.#clock.sleep(pause, this.#signal);
    }
  }

  #stalled(what: string): AgentError {
    return new AgentError('failed', `the server has not ${what} for ${formatDuration(this.#patience)}`, {
      reason: 'stalled',
      hint: 'see the server’s log: is it stopped, swapping or out of disk?',
    });
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  async #unlessSilent<T>(ask: () => Promise<T>, silence: 'silent'): Promise<T | 'silent'> {
    try {
      return await ask();
    } catch (error) {
      this.#signal.throwIfAborted();
      if (hasReason(error, ...silent, 'loading')) return silence;
      throw error;
    }
  }

  async #with<T>(ask: (connection: RedisConnection) => Promise<T>): Promise<T> {
    this.#signal.throwIfAborted();
    this.#connection ??= await this.#open();
    try {
      return await ask(this.#connection);
    } catch (error) {
      if (hasReason(error, ...silent)) this.close();
      this.#signal.throwIfAborted();
      throw error;
    }
  }
}
