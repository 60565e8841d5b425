import type { Redis } from 'ioredis';
import { AgentError } from '../../domain/errors.ts';
import { commandError } from './command-error.ts';
import { connectError } from './connect-error.ts';
import { endpoint } from './connect.ts';
import type { RedisTarget } from './target.ts';

/** A connection that hears one channel. */
export interface Listener {
  /** The next message; rejects after `timeout`. Ask before it is published. */
  next(): Promise<string>;
  close(): void;
}

/** Subscribes to a channel on a connection of its own; rejects with an AgentError `redis`. Milliseconds. */
export async function listenTo(target: RedisTarget, channel: string, timeout = 10_000): Promise<Listener> {
  const { Redis: Client } = await import('./client.ts');
  const client: Redis = new Client({
    ...endpoint(target),
    ...(target.username === undefined ? {} : { username: target.username }),
    ...(target.password === undefined ? {} : { password: target.password.reveal() }),
    lazyConnect: true,
    protocol: 2,
    connectTimeout: timeout,
    commandTimeout: timeout,
    retryStrategy: () => null,
    enableReadyCheck: false,
    disableClientInfo: true,
  });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    client.disconnect();
    throw connectError(target, error);
  }
  try {
    await client.subscribe(channel);
  } catch (error) {
    client.disconnect();
    throw commandError(target, 'SUBSCRIBE', [], error);
  }
  return {
    next: () =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          client.off('message', heard);
          reject(
            new AgentError('redis', 'a published message did not arrive in time', { reason: 'timeout' }),
          );
        }, timeout);
        const heard = (_channel: string, message: string): void => {
          clearTimeout(late);
          resolve(message);
        };
        client.once('message', heard);
      }),
    close: () => client.disconnect(),
  };
}
