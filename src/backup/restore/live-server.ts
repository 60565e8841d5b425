import type { Clock } from '../../domain/clock.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Info } from '../../formats/info/parse-info.ts';
import type { RedisConnection, Reply } from '../../redis/connect.ts';
import { readInfo } from '../../redis/server.ts';

const shortestPause = 20;
const longestPause = 500;
/** A server does not answer while it loads one huge value, or frees much memory at once. */
const silent = new Set(['closed', 'timeout']);

/** A server whose connections may break while it loads: the next question opens another one. */
export class LiveServer {
  readonly #open: () => Promise<RedisConnection>;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #connection: RedisConnection | undefined;

  /** The signal ends what waits, and `open` with it. */
  constructor(
    open: () => Promise<RedisConnection>,
    { clock, signal }: { clock: Clock; signal: AbortSignal },
  ) {
    this.#open = open;
    this.#clock = clock;
    this.#signal = signal;
  }

  async call(command: string, ...args: (string | number)[]): Promise<Reply> {
    return await this.#with((connection) => connection.call(command, ...args));
  }

  async info(): Promise<Info> {
    return await this.#with((connection) => readInfo(connection));
  }

  /** Asks INFO until `reached`; silence is waited out, a server that is gone is not. */
  async until(reached: (info: Info) => boolean): Promise<Info> {
    for (let pause = shortestPause; ; pause = Math.min(pause * 1.5, longestPause)) {
      const info = await this.#unlessSilent(() => this.info());
      if (info !== undefined && reached(info)) return info;
      await this.#clock.sleep(pause, this.#signal);
    }
  }

  /** Sends a command until the server has ended the load that it refuses it for. */
  async insist(command: string, ...args: string[]): Promise<void> {
    for (let pause = shortestPause; ; pause = Math.min(pause * 1.5, longestPause)) {
      if ((await this.#unlessSilent(() => this.call(command, ...args))) !== undefined) return;
      await this.#clock.sleep(pause, this.#signal);
    }
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  async #unlessSilent<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      this.#signal.throwIfAborted();
      const reason = error instanceof AgentError ? (error.reason ?? '') : '';
      if (silent.has(reason) || reason === 'loading') return undefined;
      throw error;
    }
  }

  async #with<T>(ask: (connection: RedisConnection) => Promise<T>): Promise<T> {
    this.#signal.throwIfAborted();
    this.#connection ??= await this.#open();
    try {
      return await ask(this.#connection);
    } catch (error) {
      if (error instanceof AgentError && silent.has(error.reason ?? '')) this.close();
      this.#signal.throwIfAborted();
      throw error;
    }
  }
}
