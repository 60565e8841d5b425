import { shortened } from './numbers.ts';

/** Where a command names its key: the place of its first one among the arguments. */
const keyAt = new Map<string, number>();
const place = (at: number, names: string): void =>
  names.split(' ').forEach((name) => void keyAt.set(name, at));

place(
  1,
  'append bitcount bitfield bitfield_ro bitpos blmove blpop brpop brpoplpush bzpopmax bzpopmin copy decr decrby del dump exists expire expireat expiretime geoadd geodist geohash geopos georadius georadiusbymember geosearch geosearchstore get getbit getdel getex getrange getset hdel hexists hexpire hget hgetall hincrby hincrbyfloat hkeys hlen hmget hmset hpexpire hrandfield hscan hset hsetnx hstrlen hvals incr incrby incrbyfloat lindex linsert llen lmove lpop lpos lpush lpushx lrange lrem lset ltrim mget mset msetnx persist pexpire pexpireat pfadd pfcount pfmerge psetex pttl rename renamenx restore rpop rpoplpush rpush rpushx sadd scard sdiff sdiffstore set setbit setex setnx setrange sinter sinterstore sismember smembers smismember smove sort sort_ro spop srandmember srem sscan strlen sunion sunionstore touch ttl type unlink watch xack xadd xautoclaim xclaim xdel xlen xpending xrange xrevrange xtrim zadd zcard zcount zdiffstore zincrby zinterstore zlexcount zmscore zpopmax zpopmin zrandmember zrange zrangebylex zrangebyscore zrangestore zrank zrem zremrangebylex zremrangebyrank zremrangebyscore zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore zunionstore',
);
place(2, 'bitop object xgroup xinfo blmpop bzmpop zdiff zinter zunion lmpop zmpop sintercard');
place(3, 'eval evalsha eval_ro evalsha_ro fcall fcall_ro');

/** Commands whose next word is part of their name. */
const containers =
  /^(acl|client|cluster|command|config|debug|function|latency|memory|module|object|pubsub|script|sentinel|slowlog|xgroup|xinfo)$/;

/**
 * What a command is, without any value: its name and the pattern of its key. Of commands that are not known nothing but
 * the name is kept, since any argument could be a secret.
 */
export function fingerprintOf(args: readonly string[]): { fingerprint: string; shape: string } {
  const [first = '', second = ''] = args;
  const word = /^[\w.|-]{1,40}$/.test(first) ? first.toLowerCase() : '?';
  const sub = containers.test(word) && /^[a-z-]{1,20}$/i.test(second) ? ` ${second.toUpperCase()}` : '';
  const name = word.toUpperCase() + sub;
  const key = keyOf(word, args);
  const rest = Math.max(1, args.length) - 1 - (sub === '' ? 0 : 1) - (key === undefined ? 0 : 1);
  const fingerprint = key === undefined ? name : `${name} ${key}`;
  // SLOWLOG keeps 32 arguments; the last then says how many more there were.
  const cut = /^\.\.\. \((\d{1,9}) more arguments\)$/.exec(args.at(-1) ?? '')?.[1];
  const count = cut === undefined ? rest : rest - 1 + Number(cut);
  return {
    fingerprint,
    shape: count === 0 ? fingerprint : `${fingerprint} <${count} argument${count === 1 ? '' : 's'}>`,
  };
}

function keyOf(word: string, args: readonly string[]): string | undefined {
  if (/^xread(group)?$/.test(word)) {
    const streams = args.findIndex((arg) => /^streams$/i.test(arg));
    return streams < 0 ? undefined : patternOf(args[streams + 1] ?? '');
  }
  const at = keyAt.get(word);
  const key = at === undefined ? undefined : args[at];
  if (key === undefined || (at === 3 && args[2] === '0')) return undefined;
  return patternOf(key);
}

/** A key with what varies in it written as `*`: numbers, ids, and whatever looks like a token or an address. */
export function patternOf(key: string): string {
  const parts = key
    // `... (12 more bytes)` is SLOWLOG's own cut.
    .replace(/\.\.\. \(\d+ more bytes\)$/, '*')
    .split(/([:/|{}#\s]+)/)
    .map((part, index) => (index % 2 === 1 ? part : isVariable(part) ? '*' : part.replace(/\d+/g, '*')));
  return shortened(parts.join('').replace(/\*(?:[-_.]?\*)+/g, '*'));
}

function isVariable(part: string): boolean {
  if (part.length > 40 || part.includes('@') || part.includes('%') || part.includes('=')) return true;
  // Hex and UUIDs, of which one with letters alone is as likely a word.
  if (part.length >= 8 && /\d/.test(part) && /^[0-9a-f-]+$/i.test(part)) return true;
  // Base64 and its kin: letters of both cases with digits, or very long for a word.
  if (part.length >= 12 && /\d/.test(part) && /[a-z]/.test(part) && /[A-Z]/.test(part)) return true;
  return part.length >= 20 && !/[-_]/.test(part);
}
