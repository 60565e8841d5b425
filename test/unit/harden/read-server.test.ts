import { expect, test } from 'vitest';
import { readServer } from '../../../src/harden/read/read-server.ts';
import type { RedisConnection } from '../../../src/redis/connection/connect.ts';

// Not a real one: no server answers so.
test.each(['', '# Server\r\n', 'redis_version:latest\r\n', '<html>'])(
  'what says %j to INFO is not judged as a server',
  async (answer) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is asked of it
    const connection = { call: () => Promise.resolve(answer) } as unknown as RedisConnection;
    await expect(readServer(connection, undefined)).rejects.toMatchObject({
      code: 'redis',
      message: 'INFO names no version',
    });
  },
);
