import { existsSync, readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';

export interface Writer {
  /** Writes that were confirmed and such as failed, so far. */
  confirmed(): number;
  failures: string[];
  stop(): Promise<void>;
}

/**
 * An application: 20 connections, 200 writes a second; five of them are made anew twice a second. It reads its password from
 * the file whenever it connects.
 */
export async function startWriter(port: number, username: string, secretFile: string): Promise<Writer> {
  const secret = (): string => readFileSync(secretFile, 'utf8').trim();
  const open = (): Redis => {
    const client = new Redis({ port, username, password: secret(), connectionName: 'writer' });
    client.on('error', () => undefined);
    // Before it connects again.
    client.on('close', () => {
      if (existsSync(secretFile)) client.options.password = secret();
    });
    return client;
  };
  const clients = Array.from({ length: 20 }, open);
  const failures: string[] = [];
  const flying = new Set<Promise<void>>();
  let [confirmed, next] = [0, 0];
  const write = (): void => {
    const key = `app:${next++}`;
    const sent = clients[next % clients.length]
      ?.set(key, '1')
      .then(() => void confirmed++)
      .catch((error: unknown) => void failures.push(String(error)));
    if (sent === undefined) return;
    flying.add(sent);
    void sent.finally(() => flying.delete(sent));
  };
  const writing = setInterval(write, 5);
  const renewing = setInterval(() => {
    for (let at = 0; at < 5; at++) {
      const old = clients[at];
      clients[at] = open();
      void old?.quit().catch(() => undefined);
    }
  }, 500);
  const stop = async (): Promise<void> => {
    clearInterval(writing);
    clearInterval(renewing);
    await Promise.all(flying);
    for (const client of clients) client.disconnect();
  };
  onTestFinished(stop);
  await Promise.all(clients.map((client) => client.ping()));
  return { confirmed: () => confirmed, failures, stop };
}
