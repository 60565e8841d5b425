// Has a server follow this process, under a guard, and waits to be killed: `node guard-child.ts URL`. Prints the guard's
// number and the port.
import { connectRedis } from '../../../src/redis/connection/connect.ts';
import { startGuard } from '../../../src/redis/replication/link-guard.ts';
import { listenAsMaster } from '../../../src/redis/replication/replication-master.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';

const [url = ''] = process.argv.slice(2);
const master = await listenAsMaster({
  feed: { bytes: 0, async *open() {} },
  replicaUser: undefined,
  stallTimeout: 60_000,
  clock: systemClock,
  signal: new AbortController().signal,
});
const target = { name: 'main', url };
const guard = await startGuard({ target, ...master });
const connection = await connectRedis(target);
await connection.call('REPLICAOF', master.host, master.port);
process.stdout.write(`${JSON.stringify({ pid: guard.pid, port: master.port })}\n`);
