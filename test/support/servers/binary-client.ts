import { Redis } from '../../../src/redis/connection/client.ts';
import type { TestServer } from './redis-server.ts';

/** As the server sends it, bulk strings as latin1: one character a byte. */
export type BinaryReply = string | number | null | BinaryReply[];
type Argument = string | number | Uint8Array;

/** A connection on which arguments and replies may have any bytes. */
export interface BinaryClient extends Disposable {
  call(command: string, ...args: Argument[]): Promise<BinaryReply>;
  dump(key: string): Promise<Buffer>;
}

export function connectBinary({ port }: TestServer): BinaryClient {
  const client = new Redis({ host: '127.0.0.1', port, protocol: 2, retryStrategy: () => null });
  const send = async (command: string, args: Argument[]): Promise<unknown> =>
    await client.callBuffer(
      command,
      args.map((arg) => (arg instanceof Uint8Array ? Buffer.from(arg) : arg)),
    );
  return {
    call: async (command, ...args) => toReply(await send(command, args)),
    async dump(key) {
      const payload = await send('DUMP', [key]);
      if (!Buffer.isBuffer(payload)) throw new Error(`${key} does not exist`);
      return payload;
    },
    [Symbol.dispose]: () => client.disconnect(),
  };
}

function toReply(reply: unknown): BinaryReply {
  if (Array.isArray(reply)) return reply.map(toReply);
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  if (typeof reply === 'string' || typeof reply === 'number' || reply === null) return reply;
  throw new Error(`a reply of ${typeof reply}`);
}
