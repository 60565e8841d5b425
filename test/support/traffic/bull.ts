import Bull from 'bull';
import type { Login } from './traffic.ts';

/** The same for Bull: delayed, failing and repeated jobs, pausing, and the events that travel by channels. */
export async function bullTraffic({ port, username, password }: Login): Promise<void> {
  const queue = new Bull<{ bad?: boolean }>('mail', {
    redis: { host: '127.0.0.1', port, username, password },
    settings: { stalledInterval: 500 },
  });
  const troubles: Error[] = [];
  queue.on('error', (error) => void troubles.push(error));
  try {
    void queue.process(2, async (job) => {
      await job.progress(50);
      await job.log('half');
      if (job.data.bad === true) throw new Error('meant to fail');
      return job.id;
    });
    await queue.isReady();
    await (await queue.add({})).finished();
    await (await queue.add({}, { delay: 50 })).finished();
    await (await queue.add({}, { priority: 2 })).finished();
    const bad = await queue.add({ bad: true }, { attempts: 2, backoff: 10 });
    await bad.finished().catch(() => undefined);
    await bad.retry();
    await bad.finished().catch(() => undefined);
    await queue.addBulk([{ data: {} }, { data: {} }]);
    const repeated = await queue.add({}, { repeat: { every: 10_000 } });
    await queue.getRepeatableJobs();
    await queue.removeRepeatable({ every: 10_000 });
    await repeated.remove().catch(() => undefined);
    await queue.pause();
    await queue.resume();
    await queue.getJobCounts();
    await queue.getJobs(['completed', 'failed', 'delayed', 'waiting', 'active']);
    await queue.getJobLogs(bad.id);
    await queue.clean(0, 'completed');
    await queue.removeJobs('nothing*');
    await queue.pause();
    await queue.obliterate({ force: true });
  } finally {
    await queue.close();
  }
  const [first] = troubles;
  if (first !== undefined) throw first;
}
