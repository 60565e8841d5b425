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
    await expect.poll(async () => server.call('KEYS', 'bull:mail:*:lock')).toEqual([]);
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
    await expect.poll(() => queue.getCompletedCount()).toBe(11);
    watch.forward(minute);
    expect((await watch.poll()).found).toEqual([]);
  });

  test('what ended jobs hold is estimated, told above a bound, and over once they are removed', async () => {
    const server = await startServer();
    const queue = openQueue(library, server, 'mail');
    await startWorker(server, { library, queue: 'mail', jobMs: 0 });
    const data = 'x'.repeat(4000);
    await queue.addBulk(Array.from({ length: 150 }, () => ({ name: 'work', data: { data } })));
    await expect.poll(() => queue.getCompletedCount()).toBe(150);
    const watch = watchQueues(server, [], {}, { queue_kept_bytes: { warning: 300_000 } });
    await watch.poll();
    const seen = await watch.poll();
    expect(seen.found).toEqual(['queue-kept bull:mail warning']);
    expect(seen.summaries[0]).toMatch(/^bull:mail: 150 completed jobs hold about \S+ [KM]iB$/);
    const jobs = await queue.getCompleted(0, 149);
    const sizes = await Promise.all(
      jobs.map(({ id }) => server.call('MEMORY', 'USAGE', `bull:mail:${id}`, 'SAMPLES', 0)),
    );
    const exact = sizes.reduce<number>((sum, size) => sum + Number(size), 0);
    expect(Math.abs((seen.queues[0]?.keptBytes ?? 0) - exact) / exact).toBeLessThan(0.05);
    await queue.clean(0, 1000, 'completed');
    watch.forward(6 * minute);
    expect((await watch.poll()).queues[0]?.keptBytes).toBeNull();
    expect((await watch.poll()).found).toEqual([]);
  });
});
