import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { Login } from './traffic.ts';

/** What the two usual clients send to connect, and then the commands that were asked for. */
type Words = readonly [string, ...string[]];

/** By ioredis, as it connects unless told otherwise. */
export async function byIoredis(
  { port, username, password }: Login,
  commands: readonly Words[],
): Promise<void> {
  const client = new Redis({
    port,
    username,
    password,
    db: 0,
    connectionName: 'app',
    lazyConnect: true,
    retryStrategy: () => null,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    for (const [command, ...args] of commands) await client.call(command, ...args);
    await client.quit();
  } finally {
    client.disconnect();
  }
}

/** By node-redis. */
export async function byNodeRedis(
  { port, username, password }: Login,
  commands: readonly Words[],
): Promise<void> {
  const client = createClient({
    url: `redis://127.0.0.1:${port}`,
    username,
    password,
    name: 'app',
    socket: { reconnectStrategy: false },
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    for (const words of commands) await client.sendCommand([...words]);
  } finally {
    client.destroy();
  }
}
