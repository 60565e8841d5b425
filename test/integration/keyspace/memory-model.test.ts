import { expect, test } from 'vitest';
import { measureMemory, type MeasuredKey } from '../../support/data/memory-usage.ts';
import { serverBuilds, startServer } from '../../support/servers/redis-server.ts';

/** What docs/memory-estimate.md promises: of the sum, of the sum by type, and of single keys. */
const bound = { dataSet: 0.05, type: 0.08, key: 0.25 };

/**
 * 6900 keys of all types, of sizes as they are in practice: many small ones, few large ones; strings of many lengths,
 * some numbers, some that compress.
 */
const fill = `
  local state = 7
  local function random(below) state = (state * 16807) % 2147483647 return state % below end
  local function some(least, most) return least + random(most - least + 1) end
  local function bytes(length) local text = {}
    while length > 0 do text[#text + 1] = string.sub(redis.sha1hex(random(1e9)), 1, length) length = length - 40 end
    return table.concat(text)
  end
  local function size(round)
    if round % 100 == 0 then return some(1000, 5000) elseif round % 10 == 0 then return some(129, 600) end
    return some(1, 60)
  end
  for round = 1, 900 do
    local name = 'user:' .. random(1e6) .. ':'
    redis.call('SET', name .. round .. ':session', bytes(some(1, 600)), 'EX', 100000 + random(100000))
    redis.call('SET', name .. round .. ':views', random(1e6))
    redis.call('SET', 'page:' .. round, string.rep('<p>' .. bytes(20) .. '</p>', some(1, 50)))
    local count, length = size(round), some(3, 40)
    for index = 1, count do
      redis.call('HSET', 'hash:' .. round, 'field:' .. index, bytes(some(1, length)))
      redis.call('SADD', 'set:' .. round, round % 7 == 0 and random(1e9) or bytes(some(3, length + 3)))
      redis.call('ZADD', 'board:' .. round, random(1e6), 'user:' .. random(1e6))
      redis.call('RPUSH', 'queue:' .. round, bytes(some(1, length * 5)))
      if round % 3 == 0 then redis.call('XADD', 'events:' .. round, (1e12 + index * 77) .. '-0', 'event', bytes(length)) end
    end
  end
  for index = 1, 300 do redis.call('SADD', 'numbers:' .. index, index, index * 2, index * 70000) end`;

function error(keys: readonly MeasuredKey[]): number {
  const sum = (of: 'estimate' | 'usage'): number => keys.reduce((total, key) => total + key[of], 0);
  return sum('estimate') / sum('usage') - 1;
}

test.each(serverBuilds())('the memory of keys is estimated within its bounds: $name', async (build) => {
  await using server = await startServer({ build, config: { save: '' } });
  await server.call('EVAL', fill, 0);
  const keys = await measureMemory(server);
  expect(keys.length).toBe(Number(await server.call('DBSIZE')));
  expect(keys.length).toBe(6900);

  expect(Math.abs(error(keys))).toBeLessThan(bound.dataSet);
  const byType = Map.groupBy(keys, ({ type }) => type);
  expect([...byType.keys()].toSorted()).toEqual(['hash', 'list', 'set', 'stream', 'string', 'zset']);
  const errors = [...byType].map(([type, some]) => ({ type, error: error(some) }));
  expect(errors.filter((type) => Math.abs(type.error) > bound.type)).toEqual([]);
  expect(keys.filter((key) => Math.abs(error([key])) > bound.key)).toEqual([]);
});
