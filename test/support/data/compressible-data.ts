import { hasFieldExpiry, hasFunctions, type ServerToAsk } from './data-set.ts';
import { sampleBytes } from '../rdb/sample-bytes.ts';

type Command = (string | number)[];

/** Words that become a half or a third when a server compresses them; the same for the same seed. */
const words = (bytes: number, seed: number): string => sampleBytes(bytes, 'words', seed).toString('latin1');

const many = (count: number, make: (index: number) => string[]): string[] =>
  Array.from({ length: count }, (_, index) => make(index)).flat();

/**
 * Adds values of every type whose strings a server compresses in its dumps: bare and packed ones, members, fields, names of
 * keys and of consumers, functions.
 */
export async function addCompressible({ build, connection }: ServerToAsk): Promise<void> {
  const numbered = (index: number): string[] => [`${index} ${words(90, index)}`];
  const pairs = (index: number): string[] => [`${index} ${words(70, index)}`, words(100, index + 1)];
  const group = `group of ${words(80, 1)}`;
  const commands: Command[] = [
    ...Array.from({ length: 200 }, (_, index): Command => [
      'SET',
      `words:${index}`,
      words(30 + index * 7, index),
    ]),
    ['SET', `name of ${words(100, 1)}`, 'x'],
    ['SET', 'words:large', words(900_000, 1)],
    ['SET', 'words:too-large', words(1_200_000, 1)],
    ['RPUSH', 'words:list', ...many(500, numbered), words(20_000, 2), words(70_000, 3)],
    ['SADD', 'words:set', ...many(300, numbered)],
    ['HSET', 'words:hash', ...many(300, pairs)],
    ['HSET', 'words:packed-hash', ...many(20, (index) => [`${index}`, words(60, index)])],
    ['ZADD', 'words:zset', ...many(300, (index) => [String(index / 3), ...numbered(index)])],
    ...Array.from({ length: 100 }, (_, index): Command => [
      'XADD',
      'words:stream',
      '*',
      'field',
      words(200, index),
    ]),
    ['XGROUP', 'CREATE', 'words:stream', group, '0'],
    ['XREADGROUP', 'GROUP', group, `somebody ${words(60, 2)}`, 'COUNT', 5, 'STREAMS', 'words:stream', '>'],
  ];
  if (hasFunctions(build)) {
    const code = `redis.register_function('words', function() return [[${words(500, 1)}]] end)`;
    commands.push(['FUNCTION', 'LOAD', 'REPLACE', `#!lua name=words\n${code}`]);
  }
  if (hasFieldExpiry(build)) {
    const later = Date.now() + 86_400_000;
    const [field = ''] = pairs(1);
    commands.push(
      ['HSET', 'words:expiring', ...many(300, pairs)],
      ['HPEXPIREAT', 'words:expiring', later, 'FIELDS', 1, field],
    );
  }
  const replies = await connection.pipeline(commands);
  const error = replies.find((reply) => reply instanceof Error);
  if (error !== undefined) throw error;
}
