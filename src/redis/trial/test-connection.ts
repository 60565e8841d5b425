import { randomBytes } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Progress } from '../../domain/progress.ts';
import { connectRedis, type RedisConnection } from '../connection/connect.ts';
import { listenTo } from '../connection/listen.ts';
import type { RedisTarget } from '../connection/target.ts';
import { latencyOf, type ConnectionReport, type ConnectionStep } from './report.ts';
import { steps, type StepContext } from './steps.ts';

/** Everything that is written begins with this; a user needs no right beyond it. */
const prefix = 'redis-agent:check:';

export interface TestOptions {
  rounds: number;
  valueBytes: number;
  /** Which database, where it is not the first. */
  database: number | undefined;
}

/** Does with a server what applications do, on keys of its own that expire, and times it. Throws nothing but an abort. */
export async function testConnection(
  target: RedisTarget,
  { rounds, valueBytes, database }: TestOptions,
  { clock, signal, progress }: { clock: Clock; signal: AbortSignal; progress: Progress },
): Promise<ConnectionReport> {
  const done: ConnectionStep[] = [];
  const timed = async (name: string, work: (time: StepContext['time']) => Promise<void>): Promise<void> => {
    signal.throwIfAborted();
    progress.report({ phase: name });
    const times: number[] = [];
    let operations = 0;
    const time: StepContext['time'] = async (one, count = 1) => {
      signal.throwIfAborted();
      const start = clock.monotonic();
      await one();
      times.push(clock.monotonic() - start);
      operations += count;
    };
    const step = await outcome(name, signal, () => work(time));
    done.push({
      ...step,
      latency: times.length === 0 || step.verdict === 'failed' ? null : latencyOf(times, operations),
    });
  };
  const own = `${prefix}${randomBytes(6).toString('hex')}:`;
  let connection: RedisConnection | undefined;
  try {
    await timed('connect', async (time) => {
      // The first one also loads the client.
      connection = await connectRedis(target, { signal });
      for (let round = 0; round < Math.min(5, rounds); round++) {
        connection?.close();
        await time(async () => {
          connection = await connectRedis(target, { signal });
        });
      }
      if (database !== undefined) await connection?.call('SELECT', database);
    });
    for (const step of steps) {
      const open = connection;
      const before = done.find(({ name }) => name === (step.needs ?? 'connect'));
      if (open === undefined || done[0]?.verdict === 'failed' || before?.verdict !== 'ok') {
        done.push({ name: step.name, verdict: 'skipped', problem: null, hint: null, latency: null });
        continue;
      }
      const context = {
        connection: open,
        listen: (channel: string) => listenTo(target, channel),
        prefix: own,
        rounds,
        value: 'x'.repeat(valueBytes),
      };
      await timed(step.name, (time) => step.run({ ...context, time }));
    }
    // They expire; this only is tidier. What may not be deleted stays for a minute.
    const names = [
      'value',
      'session',
      'limit',
      'queue',
      ...Array.from({ length: 5 }, (_, at) => `bulk:${at}`),
    ];
    const left = names.map((name) => ['DEL', `${own}${name}`]);
    if (connection !== undefined && done[0]?.verdict === 'ok')
      await connection.pipeline(left).catch(() => {});
  } finally {
    connection?.close();
  }
  return {
    schema: 1,
    server: target.url,
    at: new Date(clock.now()).toISOString(),
    value_bytes: valueBytes,
    rounds,
    steps: done,
  };
}

async function outcome(
  name: string,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<Omit<ConnectionStep, 'latency'>> {
  try {
    await work();
    return { name, verdict: 'ok', problem: null, hint: null };
  } catch (error) {
    if (signal.aborted || !(error instanceof AgentError)) throw error;
    return { name, verdict: 'failed', problem: error.message, hint: error.hint ?? null };
  }
}
