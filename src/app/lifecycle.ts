import type { Clock } from '../domain/clock.ts';
import { messageOf } from '../domain/errors.ts';
import type { Log } from '../domain/log.ts';

interface Step {
  name: string;
  stop: () => void | Promise<void>;
  /** Milliseconds that it may take before the next one goes on without it. */
  deadline: number;
}

/** What was started, to be stopped in the opposite order, each step by name and with a deadline. */
export class Lifecycle {
  readonly #steps: Step[] = [];
  readonly #clock: Clock;
  readonly #log: Log;

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Registers how to stop what was just started. */
  add(name: string, stop: Step['stop'], deadline = 5000): void {
    this.#steps.push({ name, stop, deadline });
  }

  /** Stops everything, newest first. A step that fails or hangs is logged and does not keep the others from running. */
  async stop(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop())
      await this.#stopOne(step);
  }

  async #stopOne({ name, stop, deadline }: Step): Promise<void> {
    const expired = new AbortController();
    const timeout = this.#clock.sleep(deadline, expired.signal).then(
      () => 'timeout' as const,
      () => 'stopped' as const,
    );
    try {
      const outcome = await Promise.race([Promise.resolve(stop()).then(() => 'stopped' as const), timeout]);
      if (outcome === 'timeout') this.#log.warn({ step: name, deadline }, 'did not stop in time');
    } catch (error) {
      this.#log.warn({ step: name, cause: messageOf(error) }, 'did not stop cleanly');
    } finally {
      expired.abort();
    }
  }
}
