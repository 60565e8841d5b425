import { FlowProducer, Queue, QueueEvents, Worker, type ConnectionOptions } from 'bullmq';
import type { Login } from './traffic.ts';

/** How BullMQ connects as that user. */
function bullmqConnection({ port, username, password }: Login): ConnectionOptions {
  return { host: '127.0.0.1', port, username, password, maxRetriesPerRequest: null };
}

/** All that BullMQ does for an application: jobs of every kind, flows, schedulers, events, what a dashboard asks. */
export async function bullmqTraffic(login: Login): Promise<void> {
  const connection = bullmqConnection(login);
  const queue = new Queue('mail', { connection });
  const events = new QueueEvents('mail', { connection });
  const flows = new FlowProducer({ connection });
  const worker = new Worker(
    'mail',
    async (job) => {
      await job.updateProgress(50);
      await job.log('half');
      await job.updateData({ ...job.data, seen: true });
      await job.extendLock(job.token ?? '', 30_000);
      if (job.name === 'bad') throw new Error('meant to fail');
      return job.id;
    },
    { connection, concurrency: 2, limiter: { max: 1000, duration: 1000 }, stalledInterval: 500 },
  );
  const troubles: Error[] = [];
  const note = (error: Error): void => void troubles.push(error);
  queue.on('error', note);
  events.on('error', note);
  flows.on('error', note);
  worker.on('error', note);
  try {
    await Promise.all([queue.waitUntilReady(), events.waitUntilReady(), worker.waitUntilReady()]);
    const plain = await queue.add('plain', { a: 1 }, { removeOnComplete: { age: 60, count: 10 } });
    await plain.waitUntilFinished(events);
    const late = await queue.add('late', {}, { delay: 50, priority: 3 });
    const urgent = await queue.add('urgent', {}, { priority: 1, lifo: true });
    await Promise.all([late.waitUntilFinished(events), urgent.waitUntilFinished(events)]);
    const bad = await queue.add('bad', {}, { attempts: 2, backoff: { type: 'fixed', delay: 20 } });
    await bad.waitUntilFinished(events).catch(() => undefined);
    await bad.remove();
    const bulk = await queue.addBulk([
      { name: 'one', data: {} },
      { name: 'two', data: {}, opts: { deduplication: { id: 'same', ttl: 1000 } } },
    ]);
    await Promise.all(bulk.map((job) => job.waitUntilFinished(events)));
    const flow = await flows.add({
      name: 'parent',
      queueName: 'mail',
      children: [{ name: 'child', queueName: 'mail', data: {} }],
    });
    await flow.job.waitUntilFinished(events);
    await flow.job.getChildrenValues();
    await flow.job.getDependencies();
    await queue.upsertJobScheduler('often', { every: 1000 }, { name: 'tick', data: {} });
    await queue.getJobSchedulers();
    await queue.removeJobScheduler('often');
    await queue.pause();
    const waiting = await queue.add('waits', {});
    await queue.getJobCounts();
    await waiting.changePriority({ priority: 7 });
    await queue.resume();
    await waiting.waitUntilFinished(events);
    await queue.add('far', {}, { delay: 1_000_000, jobId: 'far' });
    await (await queue.getJob('far'))?.changeDelay(2_000_000);
    await (await queue.getJob('far'))?.promote();
    for (const state of ['waiting', 'active', 'completed', 'failed', 'delayed', 'prioritized'] as const)
      await queue.getJobs([state], 0, 10);
    await queue.getJobLogs(plain.id ?? '');
    await queue.getMetrics('completed');
    await queue.retryJobs({ state: 'failed' });
    await queue.clean(0, 100, 'completed');
    await queue.trimEvents(10);
    await queue.drain(true);
    await queue.setGlobalConcurrency(5);
    await worker.close();
    await queue.obliterate({ force: true });
  } finally {
    await Promise.all([worker.close(), events.close(), flows.close(), queue.close()]);
  }
  const [first] = troubles;
  if (first !== undefined) throw first;
}
