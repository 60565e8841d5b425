/**
 * Makes a realistic dump.rdb of a given size, once: `scripts/node scripts/bench/make-dump.ts 1gb` prints its path;
 * `small` makes one of 10 M small keys.
 * The file stays in ${XDG_CACHE_HOME:-~/.cache}/redis-agent/bench, where all benches look for it.
 */
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startServer, type TestServer } from '../../test/support/servers/redis-server.ts';
import { commandMaker, smallCommandMaker } from './sample-data.ts';

/** Where benches keep what is dear to make. */
export function benchCache(): string {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const folder = join(cache, 'redis-agent', 'bench');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** The path of a dump of at least `bytes` bytes and at most some percent more; made when it is not there yet. */
export async function benchDump(bytes: number): Promise<string> {
  const path = join(benchCache(), `dump-${bytes}.rdb`);
  if (existsSync(path) && statSync(path).size >= bytes) return path;
  await using server = await startServer({ config: { save: '' } });
  const filler = new Filler(server);
  await filler.fill(20_000);
  for (let size = await save(server); size < bytes; size = await save(server)) {
    // Extrapolates from what is there, a little beyond the goal; first by a probe of a tenth.
    const goal = size < bytes / 20 ? bytes / 10 : bytes * 1.01;
    await filler.fill(Math.ceil((filler.commands * (goal - size)) / size) + 100);
  }
  keep(server, path);
  return path;
}

/** How many keys `smallDump` has. */
export const smallKeys = 10_000_000;

/** The path of a dump of 10 M small strings, some 390 MB; made when it is not there yet. */
export async function smallDump(): Promise<string> {
  const path = join(benchCache(), `dump-small-${smallKeys}.rdb`);
  if (existsSync(path)) return path;
  await using server = await startServer({ config: { save: '' } });
  await new Filler(server, smallCommandMaker(1)).fill(smallKeys);
  await save(server);
  keep(server, path);
  return path;
}

/** Copies the server's dump to where it appears whole or not at all. */
function keep(server: TestServer, path: string): void {
  copyFileSync(server.dumpPath, `${path}.tmp`);
  renameSync(`${path}.tmp`, path);
}

/** Fills a server as fast as it takes commands. `seed` and count decide the data. */
export class Filler {
  readonly #server: TestServer;
  readonly #next: () => string[];
  commands = 0;

  constructor(server: TestServer, next = commandMaker(1)) {
    this.#server = server;
    this.#next = next;
  }

  /** Sends `count` commands in pipelines of 16 k and waits for all replies. */
  async fill(count: number): Promise<void> {
    const socket = connect({ port: this.#server.port, host: '127.0.0.1' });
    await once(socket, 'connect');
    try {
      for (let left = count; left > 0; left -= 16_384) {
        const batch = Math.min(left, 16_384);
        const commands = Array.from({ length: batch }, () => encode(this.#next()));
        await Promise.all([replies(socket, batch), send(socket, commands.join(''))]);
        this.commands += batch;
      }
    } finally {
      socket.destroy();
    }
  }
}

/** RESP. The data is ASCII, so lengths are string lengths. */
function encode(words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
}

async function send(socket: Socket, text: string): Promise<void> {
  if (!socket.write(text, 'latin1')) await once(socket, 'drain');
}

/** Resolves after `count` one-line replies, none of them an error. */
function replies(socket: Socket, count: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let left = count;
  let atStart = true;
  const read = (chunk: Buffer): void => {
    for (const byte of chunk) {
      if (atStart && byte === 0x2d) reject(new Error(`a command was refused: ${chunk.toString('latin1')}`));
      atStart = byte === 0x0a;
      if (atStart) left--;
    }
    if (left === 0) resolve();
  };
  socket.on('data', read);
  socket.once('error', reject);
  return promise.finally(() => socket.off('data', read).off('error', reject));
}

/** BGSAVE; the size of the file that it wrote. */
async function save(server: TestServer): Promise<number> {
  await server.call('BGSAVE');
  for (;;) {
    const info = String(await server.call('INFO', 'persistence'));
    if (!info.includes('rdb_bgsave_in_progress:1')) {
      if (!info.includes('rdb_last_bgsave_status:ok')) throw new Error('BGSAVE failed');
      return statSync(server.dumpPath).size;
    }
    await delay(50);
  }
}

/** 1gb, 256mb, or bytes: Redis's units. */
export function parseBytes(text: string): number {
  const [, number, unit] = /^(\d+)(kb|mb|gb)?$/.exec(text) ?? [];
  if (number === undefined) throw new Error(`${text} is no size: write 256mb or 1gb`);
  return Number(number) * { b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 }[unit ?? 'b']!;
}

if (import.meta.main) {
  const size = process.argv[2] ?? '1gb';
  console.log(size === 'small' ? await smallDump() : await benchDump(parseBytes(size)));
}
