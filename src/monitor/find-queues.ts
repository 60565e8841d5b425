import type { Clock } from '../domain/clock.ts';
import type { QueueRef } from '../domain/queue.ts';
import type { QueueSettings } from '../domain/settings/queues.ts';
import type { Patterns } from './sample-patterns.ts';
import type { RedisConnection } from '../redis/connection/connect.ts';
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
  /**
   * Looks on, if it is time: for at most a hundredth of the time that has passed. `made` changes with whatever a queue may
   * have come of: while it does not, a server that had none is gone through once a day. Resolves with the commands sent.
   */
  look(connection: RedisConnection, databases: readonly number[], made: string | undefined): Promise<number>;
  /** What the server holds may be other keys. */
  forget(): void;
}

/** Of one step, milliseconds. */
const longest = 150;
/** Times the usual pause, where nothing that makes queues was called. */
const rarely = 24;
/** What was called is read once a minute: too late for those who search more often than this. */
const patient = 10 * 60_000;

export function createQueueFinder(options: QueueOptions | undefined, clock: Clock): QueueFinder {
  let found = options?.found ?? [];
  let search: QueueSearch | undefined;
  let done: number | undefined;
  let stepped: number | undefined;
  let madeBefore: string | undefined;
  return {
    forget() {
      madeBefore = undefined;
    },
    refs: () =>
      options === undefined
        ? []
        : chooseQueues(options.instance, options.settings().queues, found, mostQueues),
    async look(connection, databases, made) {
      const every = options?.settings().find_queues ?? null;
      const now = clock.monotonic();
      if (every === null) return 0;
      const nothingMade = made !== undefined && made === madeBefore && every >= patient;
      const idle = search === undefined && found.length === 0 && nothingMade;
      if (done !== undefined && now - done < (idle ? rarely * every : every)) return 0;
      // Whatever is made from here on may lie where the search has been.
      if (search === undefined) madeBefore = made;
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
        madeBefore = undefined;
        done = now;
        throw error;
      }
    },
  };
}
