// Throws changed dumps at the RDB reader and the decoders: scripts/node scripts/fuzz/rdb.ts [--minutes N] [--seed N]
// Keeps inputs that reach new code in test/seeds/rdb, and those that go wrong in its crashes/. One core; run it with
// `nice`. An input that does not end is killed with its thread, kept, and the run goes on.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { FuzzOrder, FuzzReport } from './rdb-worker.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' } },
});
const seeds = join(import.meta.dirname, '../../test/seeds/rdb');
mkdirSync(join(seeds, 'crashes'), { recursive: true });

const largestInput = 128 * 1024;
const stuckAfter = 10_000;
const until = Date.now() + Number(values.minutes) * 60_000;
let seed = Number(values.seed);
let bad = 0;
while (Date.now() < until) {
  bad += await runThread(seed);
  seed += 1000;
}
process.exit(bad === 0 ? 0 : 1);

/** Until the time is over or an input hangs. How many went wrong. */
async function runThread(threadSeed: number): Promise<number> {
  const now = new SharedArrayBuffer(8 + largestInput);
  const order: FuzzOrder = { seed: threadSeed, until, seeds, now };
  const worker = new Worker(new URL('rdb-worker.ts', import.meta.url), { workerData: order });
  const [counter, bytes] = [new Int32Array(now, 0, 2), new Uint8Array(now, 8)];
  let last: FuzzReport | undefined;
  worker.on('message', (report: FuzzReport) => {
    last = report;
    console.log(JSON.stringify({ at: new Date().toISOString(), seed: threadSeed, ...report }));
  });
  const ended = new Promise<'ended'>((resolve, reject) => {
    worker.on('exit', () => resolve('ended')).on('error', reject);
  });
  for (let seen = 0; ;) {
    const turn = await Promise.race([
      ended,
      new Promise<'turn'>((resolve) => setTimeout(resolve, stuckAfter, 'turn')),
    ]);
    if (turn === 'ended') return last?.crashes.length ?? 0;
    const count = Atomics.load(counter, 0);
    if (count === seen && count > 0) {
      const name = `run${threadSeed}-hangs${count}.rdb`;
      writeFileSync(join(seeds, 'crashes', name), bytes.slice(0, Atomics.load(counter, 1)));
      console.log(JSON.stringify({ hangs: name }));
      await worker.terminate();
      return (last?.crashes.length ?? 0) + 1;
    }
    seen = count;
  }
}
