import type { ServerBuild, TestServer } from '../servers/redis-server.ts';

/** Whoever keeps it running. */
export type ServerToAsk = Pick<TestServer, 'build' | 'call' | 'connection'>;

type Command = (string | number)[];

/** Databases that the data set uses; the others are empty. */
const mainDatabase = 0;
const otherDatabases = [1, 5, 15];

/**
 * Fills a server with every type in every encoding that its version has, keys with and without an expiry, binary and
 * odd key names, a large value, several databases, stream groups with pending entries, and functions. No time to
 * live ends within a day. `large`: bytes of the large value, which every reading and writing of all that takes its time for.
 */
export async function fillServer(server: ServerToAsk, { large = 2 ** 18 } = {}): Promise<void> {
  const { build } = server;
  const commands: Command[] = [
    ...strings,
    lua(`${noise} redis.call('SET', 'string:large', noise(${large}, 'large'))`),
    ...lists,
    ...sets,
    ...hashes,
    ...sortedSets,
    ...streams,
    ...oddNames,
    ...expiries(Date.now()),
    ...(hasFieldExpiry(build) ? fieldExpiries(Date.now()) : []),
    ...(hasFunctions(build) ? functions : []),
    ...otherDatabases.flatMap(otherDatabase),
    ['SELECT', mainDatabase],
  ];
  await send(server, commands);
}

/** How many keys `addOverdue` adds in each of two databases. */
export const overdue = { databases: [mainDatabase, 5], keys: 3 } as const;

/**
 * Adds keys whose time is over already and that the server still holds and saves, since it no longer looks for such
 * keys by itself. Reading one removes it.
 */
export async function addOverdue(server: ServerToAsk): Promise<void> {
  const { databases, keys } = overdue;
  const commands: Command[] = [['DEBUG', 'SET-ACTIVE-EXPIRE', 0]];
  for (const database of databases) {
    commands.push(['SELECT', database]);
    for (let key = 0; key < keys; key++) commands.push(['SET', `overdue:${key}`, 'x', 'PX', 1]);
  }
  await send(server, [...commands, ['SELECT', mainDatabase]]);
}

/** Redis 7.0 and Valkey. */
export function hasFunctions({ engine, version }: ServerBuild): boolean {
  return engine === 'valkey' || Number.parseFloat(version) >= 7;
}

/** Redis 7.4 and Valkey 9.0. */
export function hasFieldExpiry({ engine, version }: ServerBuild): boolean {
  return Number.parseFloat(version) >= (engine === 'valkey' ? 9 : 7.4);
}

async function send({ connection }: ServerToAsk, commands: Command[]): Promise<void> {
  const replies = await connection.pipeline(commands);
  const error = replies.find((reply) => reply instanceof Error);
  if (error !== undefined) throw error;
}

/** Arguments with any bytes in them are made by Lua: what goes over a connection as text is UTF-8. */
function lua(script: string): Command {
  return ['EVAL', script, 0];
}

function repeat(count: number, make: (index: number) => Command[number][]): Command[number][] {
  return Array.from({ length: count }, (_, index) => make(index)).flat();
}

/** Bytes that hardly compress, the same every time. */
const noise = `local function noise(bytes, seed)
  local parts, hash = {}, redis.sha1hex(seed)
  while #parts * 40 < bytes do hash = redis.sha1hex(hash); parts[#parts + 1] = hash end
  return string.sub(table.concat(parts), 1, bytes)
end
`;

const strings: Command[] = [
  // Whole numbers take one, two, four or all bytes in a dump.
  ...['0', '-1', '7', '300', '70000', '-2147483648', '9223372036854775807'].map((value) => [
    'SET',
    `string:int:${value}`,
    value,
  ]),
  ['SET', 'string:empty', ''],
  ['SET', 'string:embstr', 'short'],
  ['SET', 'string:not-a-number', '007'],
  ['SET', 'string:raw', 'a value of more than forty-four bytes is kept apart from its object'],
  ['SET', 'string:compressible', 'abcd'.repeat(2000)],
  lua(`local all = {} for byte = 0, 255 do all[#all + 1] = string.char(byte) end
    redis.call('SET', 'string:bytes', table.concat(all))`),
  ['SETBIT', 'string:bitmap', 100_000, 1],
  ['PFADD', 'string:hyperloglog', ...repeat(50, (index) => [`visitor:${index}`])],
  ...Array.from({ length: 300 }, (_, index): Command => ['SET', `user:${index}`, `somebody ${index}`]),
];

const lists: Command[] = [
  ['RPUSH', 'list:small', 'a', 'b', '3', ''],
  ['RPUSH', 'list:long', ...repeat(3000, (index) => [`element ${index}`])],
  ['RPUSH', 'list:numbers', ...repeat(500, (index) => [index * 1_000_003])],
  lua(
    `${noise} redis.call('RPUSH', 'list:big-elements', 'small', noise(70000, 'a'), noise(9000, 'b'), 'end')`,
  ),
];

const sets: Command[] = [
  ['SADD', 'set:intset:16', 1, 2, -3],
  ['SADD', 'set:intset:64', 1, '9000000000000000000', '-9000000000000000000'],
  ['SADD', 'set:small', 'a', 'b', 'c'],
  ['SADD', 'set:large', ...repeat(1000, (index) => [`member ${index}`])],
];

const hashes: Command[] = [
  ['HSET', 'hash:small', 'name', 'somebody', 'age', 42, 'note', ''],
  ['HSET', 'hash:many', ...repeat(1000, (index) => [`field:${index}`, `value ${index}`])],
  ['HSET', 'hash:long-value', 'field', 'long '.repeat(100)],
];

const sortedSets: Command[] = [
  ['ZADD', 'zset:small', 1, 'a', -2.5, 'b', '+inf', 'c', '-inf', 'd', 0.1, 'e', 0, 'f'],
  ['ZADD', 'zset:large', ...repeat(1000, (index) => [index / 7, `member ${index}`])],
  ['GEOADD', 'zset:geo', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania'],
];

const streams: Command[] = [
  ...Array.from({ length: 300 }, (_, index): Command => {
    // Entries with the fields of the first one are kept shorter than others.
    const more = index % 3 === 0 ? ['other', 'x'.repeat(index)] : [];
    return ['XADD', 'stream:groups', `${1000 + index}-${index % 5}`, 'event', `number ${index}`, ...more];
  }),
  ['XDEL', 'stream:groups', '1003-3', '1250-0'],
  ['XGROUP', 'CREATE', 'stream:groups', 'workers', '0'],
  ['XGROUP', 'CREATE', 'stream:groups', 'late', '$'],
  ['XREADGROUP', 'GROUP', 'workers', 'ann', 'COUNT', 30, 'STREAMS', 'stream:groups', '>'],
  ['XREADGROUP', 'GROUP', 'workers', 'bob', 'COUNT', 20, 'STREAMS', 'stream:groups', '>'],
  ['XACK', 'stream:groups', 'workers', '1000-0', '1001-1', '1040-0'],
  ['XCLAIM', 'stream:groups', 'workers', 'bob', 0, '1005-0'],
  ['XGROUP', 'CREATE', 'stream:empty', 'waiting', '$', 'MKSTREAM'],
  ['XADD', 'stream:emptied', '5-5', 'a', 'b'],
  ['XDEL', 'stream:emptied', '5-5'],
];

const oddNames: Command[] = [
  ['SET', '', 'a key without a name'],
  ['SET', 'ключ 🔑', 'UTF-8'],
  ['SET', 'with "quotes" and \r\n line ends', 'x'],
  ['SET', `long:${'n'.repeat(20_000)}`, 'x'],
  lua(String.raw`redis.call('SET', '\0\255\254\r\n\128', '\0\1\2\255')
    redis.call('HSET', 'hash:binary', '\0', '\255\0', '\r\n', '$-1\r\n')
    redis.call('SADD', 'set:binary', '\0', '\255', '')`),
];

const day = 24 * 60 * 60 * 1000;

/** Half a second past a whole one, so that a remaining time that is rounded to seconds is the same in any reading. */
function later(now: number, days: number): number {
  return Math.floor(now / 1000) * 1000 + days * day + 500;
}

function expiries(now: number): Command[] {
  return [
    ['SET', 'expires:string', 'x', 'PX', later(now, 1) - now],
    ['RPUSH', 'expires:list', 'x'],
    ['SADD', 'expires:set', 1, 2],
    ['HSET', 'expires:hash', 'a', 'b'],
    ['ZADD', 'expires:zset', 1, 'x'],
    ['XADD', 'expires:stream', '1-1', 'a', 'b'],
    ...['string', 'list', 'set', 'hash', 'zset', 'stream'].map((type, index): Command => [
      'PEXPIREAT',
      `expires:${type}`,
      later(now, 1 + index * 400),
    ]),
    ['SET', 'expires:removed', 'x', 'EX', 1000],
    ['PERSIST', 'expires:removed'],
    ...Array.from({ length: 100 }, (_, index): Command[] => [
      ['SET', `session:${index}`, `{"user":${index}}`],
      ['PEXPIREAT', `session:${index}`, later(now, 2)],
    ]).flat(),
  ];
}

function fieldExpiries(now: number): Command[] {
  return [
    ['HSET', 'hash:fields-expire', 'keeps', '1', 'soon', '2', 'late', '3'],
    ['HPEXPIREAT', 'hash:fields-expire', later(now, 3), 'FIELDS', 1, 'soon'],
    ['HPEXPIREAT', 'hash:fields-expire', later(now, 900), 'FIELDS', 1, 'late'],
    ['HSET', 'hash:many-fields-expire', ...repeat(700, (index) => [`field:${index}`, index])],
    ['HPEXPIREAT', 'hash:many-fields-expire', later(now, 5), 'FIELDS', 2, 'field:1', 'field:699'],
    ['HSET', 'hash:expires-and-fields-too', 'a', '1', 'b', '2'],
    ['HPEXPIREAT', 'hash:expires-and-fields-too', later(now, 4), 'FIELDS', 1, 'a'],
    ['PEXPIREAT', 'hash:expires-and-fields-too', later(now, 10)],
  ];
}

const functions: Command[] = ['first', 'second'].map((name) => [
  'FUNCTION',
  'LOAD',
  'REPLACE',
  `#!lua name=${name}\nredis.register_function('${name}_answer', function() return 42 end)`,
]);

function otherDatabase(database: number): Command[] {
  return [
    ['SELECT', database],
    ['SET', 'where', `database ${database}`],
    ['SET', 'temporary', 'x'],
    ['PEXPIREAT', 'temporary', later(Date.now(), 2)],
    ['RPUSH', 'queue', ...repeat(database, (index) => [index])],
  ];
}
