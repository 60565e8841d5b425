import type { Clock } from '../../../src/domain/clock.ts';

/** Long enough for what waits for no clock and no other process. */
async function letGoOn(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A clock that stands still until a test moves it; sleepers wake in order. */
export class ManualClock implements Clock {
  #now: number;
  /** What it was set forward or back by. */
  #set = 0;
  #sleepers: { at: number; wake: () => void }[] = [];

  constructor(now = Date.parse('2026-11-21T12:00:00Z')) {
    this.#now = now;
  }

  now(): number {
    return this.#now + this.#set;
  }

  monotonic(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#sleepers.push({ at: this.#now + ms, wake: resolve });
    });
  }

  /** Sets the clock on the wall: it says another time from here on, and nobody sleeps shorter or longer. */
  set(ms: number): void {
    this.#set += ms;
  }

  /** Lets that time go by, from one sleeper's moment to the next, and everything that is ready go on between. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await letGoOn();
      const next = Math.min(...this.#sleepers.map(({ at }) => at));
      if (next > end) break;
      this.advance(next - this.#now);
    }
    this.advance(end - this.#now);
    await letGoOn();
  }

  advance(ms: number): void {
    this.#now += ms;
    const due = this.#sleepers.filter(({ at }) => at <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#now);
    for (const { wake } of due.toSorted((a, b) => a.at - b.at)) wake();
  }
}
