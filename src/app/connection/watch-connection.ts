import type { Clock } from '../../domain/clock.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Progress } from '../../domain/progress.ts';
import { connectRedis, type RedisConnection } from '../../redis/connection/connect.ts';
import type { RedisTarget } from '../../redis/connection/target.ts';

/** How long PING took, again and again. Milliseconds. */
export interface WatchedConnection {
  seconds: number;
  count: number;
  p50: number | null;
  p95: number | null;
  max: number | null;
  /** Ascending; what lies in each is above the edge before it. */
  buckets: { up_to: number; count: number }[];
  /** Times that the connection failed, by what was said. */
  failures: { problem: string; count: number }[];
}

const pause = 100;

/** Sends a PING ten times a second for `span` milliseconds over one connection, and a new one after each failure. */
export async function watchConnection(
  target: RedisTarget,
  span: number,
  { clock, signal, progress }: { clock: Clock; signal: AbortSignal; progress: Progress },
): Promise<WatchedConnection> {
  const times: number[] = [];
  const failures = new Map<string, number>();
  const begun = clock.monotonic();
  let connection: RedisConnection | undefined;
  try {
    for (let now = begun; now - begun < span; now = clock.monotonic()) {
      const left = Math.ceil((span - (now - begun)) / 1000);
      progress.report({ phase: `watching, ${times.length} answers, ${left} s to go` });
      try {
        connection ??= await connectRedis(target, { signal });
        const start = clock.monotonic();
        await connection.call('PING');
        times.push(clock.monotonic() - start);
      } catch (error) {
        if (signal.aborted || !(error instanceof AgentError)) throw error;
        failures.set(error.message, (failures.get(error.message) ?? 0) + 1);
        connection?.close();
        connection = undefined;
      }
      await clock.sleep(pause, signal);
    }
  } finally {
    connection?.close();
  }
  return describe(times, failures, (clock.monotonic() - begun) / 1000);
}

function describe(
  times: readonly number[],
  failures: ReadonlyMap<string, number>,
  seconds: number,
): WatchedConnection {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number | null => {
    const time = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
    return time === undefined ? null : Math.round(time * 1000) / 1000;
  };
  const counts = new Map<number, number>();
  for (const time of times) {
    // Each edge is twice the one before, from an eighth of a millisecond.
    const edge = 2 ** Math.max(-3, Math.ceil(Math.log2(time)));
    counts.set(edge, (counts.get(edge) ?? 0) + 1);
  }
  return {
    seconds: Math.round(seconds * 10) / 10,
    count: times.length,
    p50: at(0.5),
    p95: at(0.95),
    max: at(1),
    buckets: [...counts].toSorted(([a], [b]) => a - b).map(([edge, count]) => ({ up_to: edge, count })),
    failures: [...failures].map(([problem, count]) => ({ problem, count })),
  };
}
