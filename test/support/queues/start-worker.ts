import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { workerName, workersIn } from '../../../src/monitor/collect/queues/workers.ts';
import { hasEnded, outputOf, spawnOwned } from '../servers/owned-process.ts';
import type { TestServer } from '../servers/redis-server.ts';
import type { WorkerTask } from './worker-process.ts';

const script = join(import.meta.dirname, 'worker-process.ts');

export interface RunningWorker {
  /** Sends a signal to the process. */
  signal(name: NodeJS.Signals): void;
  /** Kills it and waits for its end. */
  kill(): Promise<void>;
}

/** Starts it, and waits until the server knows it; it ends with the test. */
export async function startWorker(
  server: TestServer,
  options: Partial<WorkerTask> & Pick<WorkerTask, 'library' | 'queue'>,
): Promise<RunningWorker> {
  const task = { port: server.port, prefix: 'bull', db: 0, jobMs: 20, concurrency: 1, ...options };
  const count = async (): Promise<number> => {
    const workers = workersIn(String(await server.call('CLIENT', 'LIST')));
    return workers.filter(({ queue }) => queue === workerName(task.prefix, task.queue)).length;
  };
  const before = await count();
  const child = spawnOwned(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script, JSON.stringify(task)],
    process.cwd(),
  );
  const output = outputOf(child);
  const kill = async (): Promise<void> => {
    if (hasEnded(child)) return;
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(kill);
  await expect.poll(async () => (hasEnded(child) ? output() : (await count()) > before)).toBe(true);
  return { signal: (name) => void child.kill(name), kill };
}
