import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const range = [12_000, 32_000] as const;
const busOffset = 10_000;

/**
 * A loopback port that is free now. Below the range that the kernel takes client ports from, so that no outgoing
 * connection of another test takes it before it is used.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(...range);
    if (await canListen(port)) return port;
  }
}

/** The same for a cluster node, whose bus takes the port 10000 above its own. */
export async function freeClusterPort(): Promise<number> {
  const [first, end] = range;
  for (;;) {
    const port = randomInt(first, end - busOffset);
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
