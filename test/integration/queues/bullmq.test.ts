import { Queue as Queue6 } from 'bullmq';
import { Queue as Queue5 } from 'bullmq5';
import { describe, expect, onTestFinished, test } from 'vitest';
import { defaultBuild, startServer, type TestServer } from '../../support/servers/redis-server.ts';
import { startWorker } from '../../support/queues/start-worker.ts';
import { watchQueues } from '../../support/queues/watch-queues.ts';

const minute = 60_000;

function openQueue(library: 'bullmq' | 'bullmq5', server: TestServer, name: string): Queue6 {
  const options = { connection: { host: '127.0.0.1', port: server.port } };
  const queue =
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- alike in all that is used here
    library === 'bullmq' ? new Queue6(name, options) : (new Queue5(name, options) as unknown as Queue6);
  onTestFinished(async () => queue.close());
  return queue;
}

describe.for(['bullmq', 'bullmq5'] as const)(`%s, ${defaultBuild().name}`, (library) => {
  test('a worker that is stopped with ten jobs: stuck although it is connected, and over once it goes on', async () => {
    const server = await startServer();
    const queue = openQueue(library, server, 'mail');
    const worker = await startWorker(server, { library, queue: 'mail', jobMs: 100 });
    await queue.add('work', { to: 'somebody' });
    await expect.poll(() => queue.getCompletedCount()).toBe(1);
    await queue.addBulk(Array.from({ length: 10 }, () => ({ name: 'work', data: {} })));
    await expect.poll(() => queue.getActiveCount()).toBe(1);
    worker.signal('SIGSTOP');
    await expect.poll(async () => server.call('KEYS', 'bull:mail:*:lock'), { timeout: 10_000 }).toEqual([]);
    const watch = watchQueues(server);
    await watch.poll();
    watch.forward(6 * minute);
    const stuck = await watch.poll();
    expect(stuck.found).toEqual(['queue-stuck bull:mail critical']);
    const due = 10 - ((await queue.getCompletedCount()) - 1);
    expect(stuck.summaries[0]).toMatch(
      new RegExp(`^bull:mail: ${due} due, 0 finished in 6m \\d\\ds, 1 worker connected$`),
    );
    worker.signal('SIGCONT');
    await expect.poll(() => queue.getCompletedCount(), { timeout: 20_000 }).toBe(11);
    watch.forward(minute);
    expect((await watch.poll()).found).toEqual([]);
  });
});
