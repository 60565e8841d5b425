import { describe, expect, test } from 'vitest';
import { createQueueFinder } from '../../../src/monitor/find-queues.ts';
import { callsOfMakers } from '../../../src/monitor/collect/queues/makers.ts';
import type { RedisConnection } from '../../../src/redis/connection/connect.ts';
import type { Clock } from '../../../src/domain/clock.ts';

const hour = 3_600_000;

/** A server without a key, and how often it was searched, with what was called in between. */
function searched(find = hour) {
  let now = 0;
  const clock: Clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() };
  let scans = 0;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that a search uses
  const connection = {
    pipeline: (commands: unknown[]) => {
      scans += 1;
      return Promise.resolve(commands.map(() => ['0', []]));
    },
  } as unknown as RedisConnection;
  const finder = createQueueFinder(
    {
      instance: 'main',
      settings: () => ({ queues: [], find_queues: find }),
      found: [],
      onFound: () => {},
    },
    clock,
  );
  return {
    finder,
    /** How many searches were begun in this many hours. */
    async hours(count: number, made: () => string | undefined): Promise<number> {
      const before = scans;
      for (let at = 0; at < count * 60; at++) {
        now += 60_000;
        // oxlint-disable-next-line no-await-in-loop -- one poll after the other
        await finder.look(connection, [0], made());
      }
      // Four walks each, of one call.
      return (scans - before) / 4;
    },
  };
}

describe('a server in which no queue was found', () => {
  test('is searched once a day while nothing was called that makes one', async () => {
    const server = searched();
    expect(await server.hours(72, () => 'process 0')).toBe(3);
  });

  test('is searched each hour while something is, and soon after the first', async () => {
    const server = searched();
    expect(await server.hours(2, () => 'process 0')).toBe(1);
    expect(await server.hours(1, () => 'process 1')).toBe(1);
    let calls = 1;
    expect(await server.hours(10, () => `process ${++calls}`)).toBe(10);
  });

  test.each([
    ['what was called is not known', () => undefined],
    [
      'another process',
      (() => {
        let at = 0;
        return () => `process-${++at} 0`;
      })(),
    ],
  ])('is searched each hour: %s', async (_, made) => {
    const server = searched();
    expect(await server.hours(10, made)).toBe(10);
  });

  test('is searched again when it was a replica meanwhile', async () => {
    const server = searched();
    expect(await server.hours(2, () => 'process 0')).toBe(1);
    server.finder.forget();
    expect(await server.hours(2, () => 'process 0')).toBe(1);
  });
});

describe('what a queue may come of', () => {
  const calls = (...names: string[]): number | undefined =>
    callsOfMakers(new Map(names.map((name) => [name, { calls: 1 }])));

  test('nothing is known without the statistics', () => expect(callsOfMakers(undefined)).toBeUndefined());

  test.each(
    'lpush rpush lmove rpoplpush brpoplpush blmove sort zadd zincrby zunionstore zinterstore zdiffstore zrangestore geoadd georadius geosearchstore xadd xgroup xgroup|create hset hmset hsetnx hsetex restore restore-asking copy rename renamenx move swapdb debug replicaof slaveof json.set whatever'.split(
      ' ',
    ),
  )('%s', (name) => expect(calls(name)).toBe(1));

  test.each(
    'ping info get set incr setex mget del unlink expire pexpireat ttl hget hgetall llen lrange lpop brpop zrange zrangebyscore zrevrangebyscore zpopmin bzpopmin zremrangebyscore xread xreadgroup xinfo|groups config|get config client|list client slowlog|get latency|histogram acl|log evalsha eval fcall multi exec subscribe psubscribe publish scan select command|docs'.split(
      ' ',
    ),
  )('not %s', (name) => expect(calls(name)).toBe(0));
});
