import { hasFieldExpiry } from './data-set.ts';
import type { ServerBuild } from '../servers/redis-server.ts';

type Argument = string | number | Uint8Array;
export type Command = [command: string, ...args: Argument[]];

/** Integers on both sides of every limit of any encoding, and numbers that are kept as text. */
const integers = [
  0,
  1,
  12,
  13,
  63,
  64,
  127,
  128,
  255,
  256,
  4095,
  4096,
  32_767,
  32_768,
  65_536,
  8_388_607,
  8_388_608,
  2_147_483_647,
  2_147_483_648,
  4_294_967_296,
  2 ** 53 - 1,
].flatMap((value) => [`${value}`, `-${value}`, `${-value - 1}`]);
const odd = ['9007199254740993', '-9007199254740993', '9223372036854775807', '-9223372036854775808'];
const textual = ['9223372036854775808', '-9223372036854775809', '007', '1.5', '-', ' 1', '1e3'];
const numbers = [...new Set([...integers, ...odd, ...textual])];

const lengths = [
  0, 1, 11, 12, 20, 21, 62, 63, 64, 65, 124, 125, 126, 127, 128, 248, 249, 250, 251, 252, 253, 254, 255,
];
const longLengths = [4094, 4095, 4096, 16_376, 16_377, 16_378, 16_383, 16_384, 16_385, 20_000];

/** Every byte value, and different at different lengths. */
function binary(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => (length + index * 167 + (index >> 4)) & 0xff));
}

/** What LZF makes shorter, with matches near and far. */
function wordy(length: number): Buffer {
  const words = Array.from({ length: 1 + length / 8 }, (_, index) => `word${(index * index) % 97} `);
  return Buffer.from(words.join('').slice(0, length));
}

const texts: Argument[] = [
  ...numbers,
  ...lengths.map(binary),
  ...longLengths.flatMap((length) => [binary(length), wordy(length)]),
];
const shortTexts: Argument[] = [
  ...numbers.slice(0, 20),
  ...lengths.filter((length) => length <= 64).map(binary),
];

const scores = [
  '0',
  '-0',
  '1',
  '-1',
  '0.1',
  '-2.5',
  '1e300',
  '-1e-300',
  '5e-324',
  '1.7976931348623157e308',
].concat([
  'inf',
  '-inf',
  '3.0000000000000004',
  '4503599627370497',
  '9007199254740993',
  '-4611686018427387904',
  '100',
  '1e21',
]);

function some(count: number, make: (index: number) => Argument[]): Argument[] {
  return Array.from({ length: count }, (_, index) => make(index)).flat();
}

/** One key of every type with elements of every form; in which encoding depends on the server's settings. */
function everyType(name: string): Command[] {
  return [
    ['RPUSH', `${name}:list`, ...texts],
    ['RPUSH', `${name}:list:one`, ''],
    ['RPUSH', `${name}:list:long`, ...some(3000, (index) => [`element ${index}`, index * 1001])],
    ['SADD', `${name}:set`, ...texts],
    ['SADD', `${name}:set:short`, ...shortTexts],
    ['HSET', `${name}:hash`, ...texts.flatMap((text, index) => [text, texts.at(-index - 1) ?? ''])],
    ['HSET', `${name}:hash:short`, ...shortTexts.flatMap((text) => [text, text])],
    ['ZADD', `${name}:zset`, ...texts.flatMap((text, index) => [scores[index % scores.length] ?? 0, text])],
    ['ZADD', `${name}:zset:short`, ...scores.flatMap((score) => [score, `member ${score}`])],
  ];
}

/** Keeps everything packed, as far as the server lets it. */
const allPacked: Command[] = [
  ...['hash', 'zset'].flatMap((type): Command[] => [
    ['CONFIG', 'SET', `${type}-max-ziplist-entries`, 1_000_000],
    ['CONFIG', 'SET', `${type}-max-ziplist-value`, 1_000_000],
  ]),
  ['CONFIG', 'SET', 'list-max-ziplist-size', -5],
];
const setsPacked: Command[] = [
  ['CONFIG', 'SET', 'set-max-listpack-entries', 1_000_000],
  ['CONFIG', 'SET', 'set-max-listpack-value', 1_000_000],
];

const strings: Command[] = [
  ...numbers.map((text): Command => ['SET', `string:${text}`, text]),
  ...[...lengths, ...longLengths, 100_000].flatMap((length): Command[] => [
    ['SET', `string:binary:${length}`, binary(length)],
    ['SET', `string:wordy:${length}`, wordy(length)],
    ['SET', `string:same:${length}`, Buffer.alloc(length, 'x')],
  ]),
];

const sets: Command[] = [
  ['SADD', 'intset:16', 1, -1, 32_767, -32_768],
  ['SADD', 'intset:32', 1, -1, 32_768, 2_147_483_647, -2_147_483_648],
  ['SADD', 'intset:64', '2147483648', '-9223372036854775808', '9223372036854775807', '9007199254740993', 5],
  ['SADD', 'intset:many', ...some(500, (index) => [index * 77])],
];

const largest = '18446744073709551615';

const streams: Command[] = [
  ['XADD', 'stream:ids', '1-0', 'a', '1'],
  ['XADD', 'stream:ids', `1-${largest}`, 'a', '2', 'b', ''],
  ['XADD', 'stream:ids', '2-0', 'a', '-70000'],
  ['XADD', 'stream:ids', `3-${largest}`, 'a', '4'],
  ['XADD', 'stream:ids', '9007199254740993-1', 'a', '9223372036854775807'],
  ['XADD', 'stream:ids', `${largest}-7`, 'other', 'x', 'a', '5'],
  ['XADD', 'stream:first', '0-1', ...texts.flatMap((text) => [text, text])],
  ...Array.from({ length: 400 }, (_, index): Command => {
    const more = index % 3 === 0 ? ['other', wordy(index)] : [];
    return ['XADD', 'stream', `${1000 + index}-${index % 5}`, 'event', index * 999, ...more];
  }),
  ...[0, 1, 3, 250, 399].map((index): Command => ['XDEL', 'stream', `${1000 + index}-${index % 5}`]),
  ...['workers', 'late', 'idle', ''].map((name, at): Command => {
    return ['XGROUP', 'CREATE', 'stream', name, ['0', '$', '1100-0', '0'][at] ?? '0'];
  }),
  ['XREADGROUP', 'GROUP', 'workers', 'ann', 'COUNT', 150, 'STREAMS', 'stream', '>'],
  ['XREADGROUP', 'GROUP', 'workers', 'bob', 'COUNT', 120, 'STREAMS', 'stream', '>'],
  ['XREADGROUP', 'GROUP', 'workers', 'none', 'STREAMS', 'stream', '1'],
  ['XREADGROUP', 'GROUP', '', binary(300), 'COUNT', 2, 'STREAMS', 'stream', '>'],
  ['XCLAIM', 'stream', 'workers', 'bob', 0, '1010-0', '1025-0', '1070-0'],
  ['XACK', 'stream', 'workers', '1002-2', '1011-1'],
  ['XDEL', 'stream', '1012-2', '1200-0'],
  ['XGROUP', 'SETID', 'stream', 'idle', '1300-0'],
  ['XADD', 'stream:emptied', '5-5', 'a', 'b'],
  ['XGROUP', 'CREATE', 'stream:emptied', 'left', '0'],
  ['XREADGROUP', 'GROUP', 'left', 'ann', 'STREAMS', 'stream:emptied', '>'],
  ['XDEL', 'stream:emptied', '5-5'],
  ['XGROUP', 'CREATE', 'stream:empty', 'waiting', '$', 'MKSTREAM'],
];

const later = 4_102_444_800_123;
const expire = (key: string, at: number, ...fields: Argument[]): Command => [
  ...(['HPEXPIREAT', key, at, 'FIELDS', fields.length] as const),
  ...fields,
];

function expiringFields(name: string): Command[] {
  const key = (what: string): string => `${name}:expiring:${what}`;
  return [
    ['HSET', key('hash'), ...texts.flatMap((text, index) => [text, index])],
    ...texts
      .filter((_, index) => index % 3 > 0)
      .map((text, at) => expire(key('hash'), later + at * 7919, text)),
    ['HSET', key('all'), 'a', 1, 'b', 2, 'c', ''],
    expire(key('all'), later + 5, 'a'),
    expire(key('all'), later, 'b', 'c'),
    ['HSET', key('persisted'), 'a', 1, 'b', 2],
    expire(key('persisted'), later, 'a'),
    ['HPERSIST', key('persisted'), 'FIELDS', 1, 'a'],
    ['HSET', key('earliest-gone'), 'a', 1, 'b', 2, 'c', 3],
    expire(key('earliest-gone'), later, 'a'),
    expire(key('earliest-gone'), later + 9, 'b'),
    ['HDEL', key('earliest-gone'), 'a'],
    ['HSET', key('latest'), 'a', 1, 'b', 2],
    expire(key('latest'), 2 ** 46 - 1000, 'a'),
  ];
}

/** More entries than a listpack's or ziplist's header can count. */
const huge = 'packed:hash:huge';
/** Packs a key as it is set by now. Set field by field, each would be compared with all before it: that takes seconds. */
const loadAgain = `
local dump = redis.call('DUMP', KEYS[1])
redis.call('DEL', KEYS[1])
return redis.call('RESTORE', KEYS[1], 0, dump)`;

/** Keys of every type, in every encoding of that server, with elements at the limits of every form. */
export function boundaryKeys(build: ServerBuild): Command[] {
  const { engine, version } = build;
  const expiring = hasFieldExpiry(build) ? expiringFields : () => [];
  const newSets = Number.parseFloat(version) >= 7.2 || engine === 'valkey';
  return [
    ...strings,
    ...sets,
    ...streams,
    ...everyType('usual'),
    ...expiring('usual'),
    ['HSET', huge, ...some(33_000, (index) => [`field:${index}`, index])],
    ...allPacked,
    ...(newSets ? setsPacked : []),
    ...everyType('packed'),
    ...expiring('packed'),
    ['EVAL', loadAgain, 1, huge],
    ['CONFIG', 'SET', 'list-compress-depth', 1],
    ['RPUSH', 'compressed:list', ...some(30_000, (index) => [`element ${index % 100}`])],
  ];
}
