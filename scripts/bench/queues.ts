import { Queue } from 'bullmq';
import type { QueueRef } from '../../src/domain/queue.ts';
import { systemClock } from '../../src/lib/time/system-clock.ts';
import { createPoller } from '../../src/monitor/poll.ts';
import { lookAtQueues } from '../../src/monitor/look-at-queues.ts';
import { searchQueues } from '../../src/monitor/collect/queues/discover.ts';
import { connectRedis } from '../../src/redis/connection/connect.ts';
import { startServer, type TestServer } from '../../test/support/servers/redis-server.ts';

/**
 * What watching queues costs the server, in its own time: a poll of 20 queues beside BullMQ's own getJobCounts of the same, a
 * search among a million keys, and all there is of 200 queues. node scripts/bench/queues.ts
 */
const { signal } = new AbortController();
const rounds = 30;
const batch = 10;

async function fill(server: TestServer, count: number, jobs: number): Promise<Queue[]> {
  const queues = Array.from(
    { length: count },
    (_, at) => new Queue(`queue-${at}`, { connection: { host: '127.0.0.1', port: server.port } }),
  );
  for (const queue of queues) {
    await queue.addBulk(
      Array.from({ length: jobs }, () => ({ name: 'send', data: { to: 'x'.repeat(200) } })),
    );
    // Without a worker: what one would leave.
    const key = `bull:${queue.name}:`;
    const now = Date.now();
    for (let at = 0; at < 4; at++) await server.call('LMOVE', `${key}wait`, `${key}active`, 'RIGHT', 'LEFT');
    for (let at = 0; at < 100; at++) await server.call('ZADD', `${key}completed`, now - at * 1000, `c${at}`);
    await server.call('ZADD', `${key}delayed`, (now + 60_000) * 4096, 'd1');
  }
  return queues;
}

/** Microseconds that the server has spent in commands, without those of INFO itself. */
async function spent(server: TestServer, but: RegExp): Promise<number> {
  const info = String(await server.call('INFO', 'commandstats'));
  let micros = 0;
  for (const [, name = '', usec = ''] of info.matchAll(/cmdstat_([^:]+):calls=\d+,usec=(\d+)/g))
    if (!but.test(name)) micros += Number(usec);
  return micros;
}

/** What a script calls is in its own time already. */
const inScripts = /^(?:info|llen|zcard|lrange|zrange|hmget|hget)/;

function described(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  return `${Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0)} µs (${Math.round(sorted[0] ?? 0)} µs)`;
}

const line = (what: string, value: string): void => void process.stdout.write(`${what.padEnd(66)}${value}\n`);
const ofQueues = /^(?:info|slowlog|time|config|client|cluster|latency|ping|scan|type)/;

{
  await using server = await startServer();
  const queues = await fill(server, 20, 200);
  const poller = createPoller({
    connect: (own) => connectRedis({ name: 'main', url: server.url }, { signal: own }),
    clock: systemClock,
    frugal: false,
    queues: {
      instance: 'main',
      settings: () => ({ queues: [], find_queues: 3_600_000 }),
      found: [],
      onFound: () => {},
    },
  });
  let count = 0;
  while (count < queues.length) count = (await poller.poll(signal)).queues?.length ?? 0;
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const begun = await spent(server, ofQueues);
    for (let each = 0; each < batch; each++) await poller.poll(signal);
    ours.push(((await spent(server, ofQueues)) - begun) / batch);
    const before = await spent(server, inScripts);
    for (let each = 0; each < batch; each++) for (const queue of queues) await queue.getJobCounts();
    theirs.push(((await spent(server, inScripts)) - before) / batch);
  }
  poller.close();
  for (const queue of queues) await queue.close();
  line(`poll of ${count} queues, server time, median (best)`, described(ours));
  line('BullMQ getJobCounts of the same', described(theirs));
}
{
  await using server = await startServer();
  await server.call('DEBUG', 'POPULATE', 1_000_000, 'user:session').catch(() => 'refused');
  await fill(server, 3, 10).then(async (queues) => Promise.all(queues.map(async (queue) => queue.close())));
  const connection = await connectRedis({ name: 'main', url: server.url });
  const start = await spent(server, /^(?!scan)/);
  const search = searchQueues([0], () => systemClock.monotonic());
  let found;
  while (found === undefined) ({ found } = await search.step(connection, 1000));
  const stats = /cmdstat_scan:calls=(\d+),usec=(\d+)/.exec(String(await server.call('INFO', 'commandstats')));
  const [, calls = '1', usec = '0'] = stats ?? [];
  await connection.call('CONFIG', 'SET', 'slowlog-log-slower-than', 1000);
  line(
    `search among ${Number(await server.call('DBSIZE'))} keys: ${found.length} found, ${calls} calls`,
    `${Math.round((Number(usec) - start) / 1000)} ms of server time`,
  );
  line('one call', `${(Number(usec) / Number(calls)).toFixed(0)} µs`);
  connection.close();
}
{
  await using server = await startServer();
  await fill(server, 200, 10).then(async (queues) => Promise.all(queues.map(async (queue) => queue.close())));
  const connection = await connectRedis({ name: 'main', url: server.url });
  const look = async (known: readonly QueueRef[] | undefined): Promise<QueueRef[]> => {
    const begun = performance.now();
    const { queues, found } = await lookAtQueues(connection, {
      instance: 'main',
      settings: { queues: [], find_queues: 1 },
      found: known,
      clock: systemClock,
      signal,
      onSearch: () => {},
    });
    const what = known === undefined ? 'search and read' : 'read';
    line(`${what} ${queues.length} queues, there and back`, `${Math.round(performance.now() - begun)} ms`);
    return found ?? [];
  };
  await look(await look(undefined));
  connection.close();
}
