import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Buses of cluster nodes take the port 10000 above their own: the same range again. */
const range = [12_000, 22_000] as const;
const busOffset = 10_000;

/**
 * Each of vitest's workers has ports of its own: a server that a test has stopped finds its port again, whatever other files do
 * meanwhile. Within a file none comes twice.
 */
const workers = 8;
const share = (range[1] - range[0]) / workers;
const first = range[0] + (Number(process.env['VITEST_POOL_ID'] ?? 0) % workers) * share;
let last = randomInt(share);

function nextPort(): number {
  last = (last + 1) % share;
  return first + last;
}

/**
 * A loopback port that is free now. Below the range that the kernel takes client ports from, so that no outgoing
 * connection of another test takes it before it is used.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = nextPort();
    if (await canListen(port)) return port;
  }
}

/** The same for a cluster node, with the port of its bus. */
export async function freeClusterPort(): Promise<number> {
  for (;;) {
    const port = nextPort();
    if ((await canListen(port)) && (await canListen(port + busOffset))) return port;
  }
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
