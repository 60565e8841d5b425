import type { Clock } from '../domain/clock.ts';
import { queueLabel, type QueueReading } from '../domain/queue.ts';
import type { RedisConnection } from '../redis/connection/connect.ts';
import { bullKey } from './collect/queues/bull.ts';
import { readKept } from './look-at-jobs.ts';

/** Looks now and then at what the ended jobs of queues hold, one queue in a poll. */
export interface KeptSampler {
  /** Resolves with how many commands were sent; rejects where it may not be asked. */
  look(connection: RedisConnection, queues: readonly QueueReading[]): Promise<number>;
  /** Bytes; undefined: not known. */
  of(label: string): number | undefined;
}

/** Between two looks at the same queue, milliseconds. */
const every = 10 * 60_000;
/** What fewer jobs hold is not asked. */
const fewest = 100;
/** Of each of two sets: both ends, and the size of six jobs. */
const cost = 16;

export function createKeptSampler(clock: Clock): KeptSampler {
  const seen = new Map<string, { at: number; bytes: number | undefined }>();
  return {
    async look(connection, queues) {
      const now = clock.monotonic();
      const labels = new Set(queues.map(({ label }) => label));
      for (const label of seen.keys()) if (!labels.has(label)) seen.delete(label);
      const due = queues.find(({ label, ref, completed, failed }) => {
        const bull = ref.kind === 'bull' || ref.kind === 'bullmq';
        if (!bull) return false;
        if (completed + failed < fewest) seen.delete(label);
        else return now - (seen.get(label)?.at ?? -Infinity) >= every;
        return false;
      });
      if (due === undefined) return 0;
      // May it be asked at all? One refusal is enough: the server logs each.
      await connection.call('MEMORY', 'USAGE', bullKey(due.ref, 'meta'));
      const held = await readKept(connection, due.ref, due);
      const known = held.completed !== null || held.failed !== null;
      const bytes = known ? (held.completed ?? 0) + (held.failed ?? 0) : undefined;
      seen.set(queueLabel(due.ref), { at: now, bytes });
      return cost;
    },
    of: (label) => seen.get(label)?.bytes,
  };
}
