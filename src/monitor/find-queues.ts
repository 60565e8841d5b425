import type { Clock } from '../domain/clock.ts';
import type { QueueRef } from '../domain/queue.ts';
import type { QueueSettings } from '../domain/settings/queues.ts';
import type { Patterns } from './sample-patterns.ts';
import type { RedisConnection } from '../redis/connect.ts';
import { mostQueues } from './collect/queues.ts';
import { chooseQueues } from './collect/queues/choose.ts';
import { searchQueues, type QueueSearch } from './collect/queues/discover.ts';

export interface QueueOptions {
  instance: string;
  /** As configured now: they change with a reload. */
  settings(): { queues: readonly QueueSettings[]; find_queues: number | null; patterns?: Patterns };
  /** Those that were found before this process. */
  found: readonly QueueRef[];
  onFound(found: readonly QueueRef[]): void;
}

/** Knows the queues of one server, and goes on looking for more. */
export interface QueueFinder {
  refs(): QueueRef[];
  /** Looks on, if it is time: for at most a hundredth of the time that has passed. Resolves with the commands sent. */
  look(connection: RedisConnection, databases: readonly number[]): Promise<number>;
}

/** Of one step, milliseconds. */
const longest = 150;

export function createQueueFinder(options: QueueOptions | undefined, clock: Clock): QueueFinder {
  let found = options?.found ?? [];
  let search: QueueSearch | undefined;
  let done: number | undefined;
  let stepped: number | undefined;
  return {
    refs: () =>
      options === undefined
        ? []
        : chooseQueues(options.instance, options.settings().queues, found, mostQueues),
    async look(connection, databases) {
      const every = options?.settings().find_queues ?? null;
      const now = clock.monotonic();
      if (every === null || (done !== undefined && now - done < every)) return 0;
      const budget = stepped === undefined ? longest : Math.min(longest, (now - stepped) / 100);
      stepped = now;
      search ??= searchQueues(databases, () => clock.monotonic());
      try {
        const { sent, found: all } = await search.step(connection, budget);
        if (all === undefined) return sent;
        found = all;
        options?.onFound(all);
        search = undefined;
        done = now;
        return sent;
      } catch (error) {
        search = undefined;
        done = now;
        throw error;
      }
    },
  };
}
