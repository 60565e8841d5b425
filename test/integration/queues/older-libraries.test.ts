import Bull3 from 'bull3';
import { Queue as Queue3 } from 'bullmq3';
import { Queue as Queue4 } from 'bullmq4';
import { expect, onTestFinished, test } from 'vitest';
import { startWorker } from '../../support/queues/start-worker.ts';
import { watchQueues } from '../../support/queues/watch-queues.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

/** What is used of each of them here. */
interface OldQueue {
  add(name: string, data: object, options?: { delay?: number; priority?: number }): Promise<unknown>;
  pause(): Promise<unknown>;
  resume(): Promise<unknown>;
  close(): Promise<unknown>;
  getCompletedCount(): Promise<number>;
  getActiveCount(): Promise<number>;
}

const libraries = ['bullmq4', 'bullmq3', 'bull3'] as const;

function open(library: (typeof libraries)[number], { port }: TestServer): OldQueue {
  const connection = { host: '127.0.0.1', port };
  const opened: Record<typeof library, () => OldQueue> = {
    bullmq4: () => new Queue4('mail', { connection }),
    bullmq3: () => new Queue3('mail', { connection }),
    bull3: () => new Bull3('mail', { redis: connection }),
  };
  const queue = opened[library]();
  onTestFinished(async () => void (await queue.close()));
  return queue;
}

test.for(libraries)('%s: what is in it is counted, and a worker that is stopped is told', async (library) => {
  const server = await startServer();
  const queue = open(library, server);
  for (let each = 0; each < 4; each += 1) await queue.add('work', {});
  await queue.add('work', {}, { delay: 3_600_000 });
  await queue.add('work', {}, { priority: 2 });
  const watch = watchQueues(server);
  await watch.poll();
  const [reading] = (await watch.poll()).queues;
  expect(reading).toMatchObject({
    label: 'bull:mail',
    ref: { kind: library === 'bull3' ? 'bull' : 'bullmq' },
    delayed: 1,
    active: 0,
    paused: false,
    // Bull 3 gives a worker's name to every client of a queue, also to one that only adds.
    workers: 0,
  });
  // Older ones keep jobs with a priority in the list of those that wait.
  expect((reading?.waiting ?? 0) + (reading?.prioritized ?? 0)).toBe(5);
  await queue.pause();
  expect((await watch.poll()).queues[0]).toMatchObject({ paused: true });
  await queue.resume();

  const worker = await startWorker(server, { library, queue: 'mail', jobMs: 100 });
  await expect.poll(() => queue.getCompletedCount()).toBe(5);
  for (let each = 0; each < 10; each += 1) await queue.add('work', {});
  await expect.poll(() => queue.getActiveCount()).toBe(1);
  watch.forward(60_000);
  expect((await watch.poll()).queues[0]).toMatchObject({ workers: 1 });
  worker.signal('SIGSTOP');
  await expect.poll(async () => server.call('KEYS', 'bull:mail:*:lock')).toEqual([]);
  await watch.poll();
  watch.forward(6 * 60_000);
  const stuck = await watch.poll();
  expect(stuck.found).toContain('queue-stuck bull:mail critical');
  expect(stuck.summaries.join()).toMatch(/0 finished in 6m \d\ds, \d workers? connected/);
  worker.signal('SIGCONT');
  await expect.poll(() => queue.getCompletedCount()).toBeGreaterThanOrEqual(14);
  watch.forward(60_000);
  expect((await watch.poll()).found).not.toContain('queue-stuck bull:mail critical');
});
