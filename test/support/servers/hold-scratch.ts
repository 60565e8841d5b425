/** Starts a scratch server, prints its process id and stays: `hold-scratch.ts DIRECTORY SERVER`, to be killed. */
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { startScratchServer } from '../../../src/redis/scratch/scratch-server.ts';

const [directory = '', path = ''] = process.argv.slice(2);
const { signal } = new AbortController();
const server = await startScratchServer({
  program: { path, argv0: 'redis-server' },
  directory,
  clock: systemClock,
  signal,
});
console.log(server.pid);
