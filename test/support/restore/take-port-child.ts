// Another user of the host, who wants to be a server's master: he sees on which ports somebody listens, and takes each of
// them the moment it is free. Says `watching PORT` and `got PORT`, a line each, until he is killed.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const listening = '0A';

/** Ports of 127.0.0.1 on which somebody listens, below 1024. */
function lowPorts(): number[] {
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address = '', , state]) => state === listening && address.startsWith('0100007F:'))
    .map(([, address = '']) => parseInt(address.slice(9), 16))
    .filter((port) => port < 1024);
}

async function tryToTake(port: number): Promise<boolean> {
  const server = createServer((socket) => socket.end());
  server.listen({ port, host: '127.0.0.1', exclusive: true });
  try {
    await once(server, 'listening');
    server.close();
    return true;
  } catch {
    return false;
  }
}

if (process.argv[1] === import.meta.filename) {
  process.setgroups?.([]);
  process.setgid?.(65_534);
  process.setuid?.(65_534);
  const seen = new Set<number>();
  for (;;) {
    for (const port of lowPorts())
      if (!seen.has(port)) {
        seen.add(port);
        process.stdout.write(`watching ${port}\n`);
      }
    for (const port of seen) if (await tryToTake(port)) process.stdout.write(`got ${port}\n`);
    await delay(1);
  }
}
