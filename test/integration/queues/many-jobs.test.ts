import { Queue } from 'bullmq';
import { Queue as Queue5 } from 'bullmq5';
import { expect, onTestFinished, test } from 'vitest';
import { everything } from '../../support/house/tier.ts';
import { startWorker } from '../../support/queues/start-worker.ts';
import { watchQueues } from '../../support/queues/watch-queues.ts';
import { startServer } from '../../support/servers/redis-server.ts';

const jobs = everything ? 20_000 : 2000;
const libraries: readonly ('bullmq' | 'bullmq5')[] = everything ? ['bullmq', 'bullmq5'] : ['bullmq'];

test.for(libraries)(
  `%s: ${jobs} jobs through two real workers are nothing to tell, and are counted`,
  { timeout: 120_000 },
  async (library) => {
    const server = await startServer();
    const connection = { host: '127.0.0.1', port: server.port };
    const queue =
      library === 'bullmq' ? new Queue('bulk', { connection }) : new Queue5('bulk', { connection });
    onTestFinished(async () => queue.close());
    const options = { removeOnComplete: { count: 100 } };
    for (let part = 0; part < jobs / 1000; part++)
      await queue.addBulk(
        Array.from({ length: 1000 }, (_, at) => ({ name: 'send', data: { part, at }, opts: options })),
      );
    for (let each = 0; each < 2; each++)
      await startWorker(server, { library, queue: 'bulk', jobMs: 0, concurrency: 50 });
    const watch = watchQueues(server);
    const told: string[] = [];
    const waiting: number[] = [];
    for (;;) {
      const { found, queues } = await watch.poll();
      told.push(...found);
      const [seen] = queues;
      if (seen !== undefined) waiting.push(seen.waiting + seen.active);
      if (seen !== undefined && seen.due === 0 && seen.active === 0) break;
      // A poll of the daemon’s, in much less than its quarter of a minute.
      watch.forward(1000);
    }
    expect(told).toEqual([]);
    const { queues } = await watch.poll();
    expect(queues).toMatchObject([{ label: 'bull:bulk', waiting: 0, active: 0, failed: 0, workers: 2 }]);
    expect(await queue.getJobCounts('wait', 'active', 'failed', 'delayed')).toEqual({
      wait: 0,
      active: 0,
      failed: 0,
      delayed: 0,
    });
    // Jobs are removed at once but for a hundred: what was added and does not wait any more was finished.
    const seenAtFirst = waiting[0] ?? 0;
    expect(queues[0]?.completedTotal).toBeGreaterThanOrEqual(Math.min(seenAtFirst, 100));
    expect(queues[0]?.completedTotal).toBeLessThanOrEqual(jobs);
  },
);
