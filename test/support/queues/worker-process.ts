import { setTimeout as delay } from 'node:timers/promises';

/** A worker of Bull or BullMQ as a process of its own, which can be stopped and killed. Its argument is a WorkerTask. */
export interface WorkerTask {
  library: 'bull' | 'bull3' | 'bullmq' | 'bullmq3' | 'bullmq4' | 'bullmq5';
  port: number;
  queue: string;
  prefix: string;
  db: number;
  /** How long a job takes, milliseconds; one called `fail` fails, one called `hang` never ends. */
  jobMs: number;
  concurrency: number;
}

interface Job {
  name: string;
  data: unknown;
}

const locks = { lockDuration: 1000, stalledInterval: 700 };

async function work(task: WorkerTask): Promise<void> {
  const process = async (job: Job): Promise<void> => {
    if (job.name === 'hang') await new Promise(() => {});
    await delay(task.jobMs);
    if (job.name === 'fail')
      throw new Error(`cannot send to user${task.port}@example.org: timeout after 5000 ms`);
  };
  const connection = { host: '127.0.0.1', port: task.port, db: task.db, maxRetriesPerRequest: null };
  if (task.library === 'bull' || task.library === 'bull3') {
    const { default: Bull } = task.library === 'bull' ? await import('bull') : await import('bull3');
    const queue = new Bull(task.queue, { redis: connection, prefix: task.prefix, settings: locks });
    await queue.process('*', task.concurrency, process);
    return;
  }
  const options = { connection, prefix: task.prefix, concurrency: task.concurrency, ...locks };
  const worker = await openWorker({ library: task.library, queue: task.queue }, process, options);
  worker.on('error', () => {});
}

async function openWorker(
  { library, queue }: { library: 'bullmq' | 'bullmq3' | 'bullmq4' | 'bullmq5'; queue: string },
  process: (job: Job) => Promise<void>,
  options: { connection: { host: string; port: number }; prefix: string; concurrency: number },
): Promise<{ on(event: 'error', listener: () => void): unknown }> {
  const open = {
    bullmq: async () => new (await import('bullmq')).Worker(queue, process, options),
    bullmq3: async () => new (await import('bullmq3')).Worker(queue, process, options),
    bullmq4: async () => new (await import('bullmq4')).Worker(queue, process, options),
    bullmq5: async () => new (await import('bullmq5')).Worker(queue, process, options),
  };
  return open[library]();
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by start-worker.ts
await work(JSON.parse(process.argv[2] ?? '{}') as WorkerTask);
