/**
 * outsider.ts: another user of the host, who looks while the agent works. He sees who listens on a new port of the loopback
 * and asks there for a copy of the data, as a replica would; takes ports of root's the moment they are free; and looks
 * for a way into scratch servers. A line each of what he saw (`port`, `scratch`) and of what he got (`heard`, `got`,
 * `entered`), until he is killed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

const listening = '0A';
const say = (text: string): void => void process.stdout.write(`${text}\n`);

function loopbackPorts(): number[] {
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address = '', , state]) => state === listening && address.startsWith('0100007F:'))
    .map(([, address = '']) => parseInt(address.slice(9), 16));
}

/** Whatever is said to somebody who asks as a replica does. */
function listen(port: number): void {
  const socket = connect({ port, host: '127.0.0.1' });
  let heard = 0;
  socket.on('data', (chunk: Buffer) => (heard += chunk.length));
  socket.on('error', () => {});
  socket.on('close', () => say(`${heard === 0 ? 'hung up on at' : 'heard'} ${port}: ${heard} bytes`));
  socket.write('PING\r\nREPLCONF listening-port 1\r\nPSYNC ? -1\r\n');
}

async function takes(port: number): Promise<boolean> {
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

function scratchServers(): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return /^\.\/(redis|valkey)-server|unixsocket/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
    } catch {
      return false;
    }
  });
}

function enter(pid: string): void {
  say(`scratch ${pid}`);
  const folder = `/proc/${pid}/cwd`;
  try {
    say(`entered ${pid}: ${readdirSync(folder).join(' ')}`);
  } catch {
    connect(`${folder}/s`)
      .on('connect', () => say(`entered ${pid}`))
      .on('error', () => {});
  }
}

const before = new Set(loopbackPorts());
const [ports, scratch] = [new Set<number>(), new Set<string>()];
say('looks');
for (;;) {
  for (const port of loopbackPorts())
    if (!before.has(port) && !ports.has(port)) {
      ports.add(port);
      say(`port ${port}`);
      listen(port);
    }
  for (const pid of scratchServers())
    if (!scratch.has(pid)) {
      scratch.add(pid);
      enter(pid);
    }
  for (const port of ports) if (port < 1024 && (await takes(port))) say(`got ${port}`);
  await delay(1);
}
