/**
 * How far the estimates of src/keyspace/memory-model.ts are from MEMORY USAGE, on every server at hand:
 *
 *   scripts/node scripts/calibrate/memory-model.ts [--server valkey-9.1] [--worst 5]
 *
 * Makes keys of every type over a grid of sizes, saves, estimates from the file, and asks the server that loaded it.
 * Prints by type and encoding the errors of single keys (median, extremes, and the worst by name: kind:elements:length)
 * and of their sum; and by least squares what the structure of streams leaves open.
 */
import { parseArgs } from 'node:util';
import { measureMemory, type MeasuredKey } from '../../test/support/data/memory-usage.ts';
import { hasFieldExpiry } from '../../test/support/data/data-set.ts';
import { serverBuilds, startServer, type TestServer } from '../../test/support/servers/redis-server.ts';

/** Elements of `length` bytes; where `spread` is 1, of 0.5 … 1.5 times as many. Integers are multiples of `spread`. */
const fill = `
  local kind, key, count, length, spread = KEYS[1], KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
  local parts = {}
  for part = 0, length / 20 do parts[#parts + 1] = redis.sha1hex(part) end
  local noise = table.concat(parts)
  local state = 1
  local function bytes(wanted, index)
    if spread == 1 then
      state = (state * 16807) % 2147483647
      wanted = math.max(1, math.floor(wanted * (0.5 + state / 2147483647)))
    end
    local number = tostring(index)
    if #number >= wanted then return number end
    return number .. ':' .. string.sub(noise, 1, wanted - #number - 1)
  end
  for index = 1, count do
    local element = bytes(length, index)
    if kind == 'string' then redis.call('SET', key, element)
    elseif kind == 'expires' then redis.call('SET', key, element, 'EX', 100000)
    elseif kind == 'set' then redis.call('SADD', key, element)
    elseif kind == 'zset' then redis.call('ZADD', key, index * 0.7, element)
    elseif kind == 'list' then redis.call('RPUSH', key, element)
    elseif kind == 'hash' then redis.call('HSET', key, 'f:' .. index, element)
    elseif kind == 'wide' then redis.call('HSET', key, bytes(length, index), bytes(length, index + 1))
    elseif kind == 'fields' then
      redis.call('HSET', key, 'f:' .. index, element)
      redis.call('HPEXPIRE', key, 100000000 + index, 'FIELDS', 1, 'f:' .. index)
    elseif kind == 'intset' then redis.call('SADD', key, index * spread)
    elseif kind == 'stream' then redis.call('XADD', key, (1700000000000 + index * 37) .. '-0', 'field', element)
    end
  end`;

const counts = [1, 2, 5, 10, 50, 100, 127, 128, 200, 513, 1000, 1024, 1100, 3000, 10_000, 40_000, 100_000];
const lengths = [
  1, 4, 6, 10, 15, 20, 30, 40, 60, 70, 100, 130, 200, 500, 1000, 5000, 10_000, 100_000, 1_000_000,
];
const largest = 400_000;

type Row = [kind: string, key: string, count: number, length: number, spread: number];

function grid(build: TestServer['build']): Row[] {
  const rows: Row[] = [];
  const kinds = [
    'set',
    'zset',
    'list',
    'hash',
    'wide',
    'stream',
    ...(hasFieldExpiry(build) ? ['fields'] : []),
  ];
  for (const length of lengths) {
    for (const name of [1, 8, 20, 40, 100, 300]) {
      rows.push(['string', `s:${length}:`.padEnd(name, 'k'), 1, length, 0]);
      rows.push(['expires', `e:${length}:`.padEnd(name, 'k'), 1, length, 0]);
    }
    for (const count of counts.filter((some) => some * length <= largest)) {
      for (const kind of kinds) {
        for (const spread of [0, 1])
          rows.push([kind, `${kind}:${count}:${length}:${spread}`, count, length, spread]);
      }
    }
  }
  for (const name of [1, 8, 20, 40, 100, 300]) rows.push(['string', `n:`.padEnd(name, 'k'), 1, 1, 0]);
  for (const count of counts) {
    for (const width of [1, 1000, 1e8]) rows.push(['intset', `intset:${count}:${width}`, count, 1, width]);
  }
  return rows;
}

function report(keys: MeasuredKey[], worst: number): void {
  const groups = Map.groupBy(keys, ({ type, encoding }) => `${type} ${encoding}`);
  for (const [name, group] of groups) {
    const errors = group
      .map((key) => ({ key, error: key.estimate / key.usage - 1 }))
      .toSorted((a, b) => a.error - b.error);
    const share = (at: number): string =>
      percent(errors[Math.min(errors.length - 1, Math.floor(at * errors.length))]!.error);
    const sum = (of: 'estimate' | 'usage'): number => group.reduce((total, key) => total + key[of], 0);
    console.log(
      `  ${name.padEnd(18)} ${String(group.length).padStart(5)} keys: median ${share(0.5)}, 5 % … 95 % ${share(0.05)} … ${share(0.95)}, ` +
        `extremes ${share(0)} … ${share(1)}, sum ${percent(sum('estimate') / sum('usage') - 1)}`,
    );
    const extremes = errors.toSorted((a, b) => Math.abs(b.error) - Math.abs(a.error)).slice(0, worst);
    for (const { key, error } of extremes)
      console.log(
        `    ${percent(error)} ${key.key.slice(0, 60)}: ${key.estimate.toFixed(0)} for ${key.usage}`,
      );
  }
}

function percent(share: number): string {
  return `${share < 0 ? '' : '+'}${(share * 100).toFixed(1)} %`;
}

/**
 * What a stream takes beside its file bytes: a for itself and b for each node of its tree, by least squares of
 * usage - bytes = a + b nodes, weighted so that each key's relative error counts the same.
 */
function fitStreams(keys: MeasuredKey[]): void {
  let [n, x, xx, y, xy] = [0, 0, 0, 0, 0];
  for (const { type, usage, plainBytes, strings } of keys) {
    if (type !== 'stream') continue;
    const weight = 1 / usage ** 2;
    const nodes = strings / 2;
    const rest = usage - plainBytes - 64;
    n += weight;
    x += weight * nodes;
    xx += weight * nodes * nodes;
    y += weight * rest;
    xy += weight * nodes * rest;
  }
  const perNode = (n * xy - x * y) / (n * xx - x * x);
  console.log(`  streams: ${((y - perNode * x) / n).toFixed(0)} + ${perNode.toFixed(0)} a node`);
}

const { values } = parseArgs({
  options: { server: { type: 'string' }, worst: { type: 'string', default: '0' } },
});
for (const build of serverBuilds()) {
  if (values.server !== undefined && build.name !== values.server) continue;
  await using server = await startServer({ build, config: { save: '' } });
  for (const [kind, key, ...numbers] of grid(build))
    await server.call('EVAL', fill, 2, kind, key, ...numbers);
  console.log(build.name);
  const keys = await measureMemory(server);
  report(keys, Number(values.worst));
  fitStreams(keys);
  const usage = keys.reduce((total, key) => total + key.usage, 0);
  const dataSet = /used_memory_dataset:(\d+)/.exec(String(await server.call('INFO', 'memory')))?.[1];
  // includes half of the database's own tables; for a look only
  console.log(`  sum of MEMORY USAGE ${usage}, used_memory_dataset ${dataSet}`);
}
