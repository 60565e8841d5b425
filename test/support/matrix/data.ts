import type { ServerToAsk } from '../data/data-set.ts';

type Command = (string | number)[];

/** Half a second past a whole one, so that a remaining time that is rounded to seconds is the same in any reading. */
function inSomeDays(days: number): number {
  return (Math.floor(Date.now() / 1000) + days * 24 * 3600) * 1000 + 500;
}

/** One key of each type that is too big for any packed form, in a database of its own. */
export async function addBigKeys(server: ServerToAsk): Promise<void> {
  const script = `for i = 1, 4000 do
    redis.call('RPUSH', 'big:list', 'element ' .. i)
    redis.call('SADD', 'big:set', 'member ' .. i)
    redis.call('HSET', 'big:hash', 'field ' .. i, i)
    redis.call('ZADD', 'big:zset', i / 7, 'member ' .. i)
    redis.call('XADD', 'big:stream', i .. '-1', 'entry', i)
  end
  redis.call('SET', 'big:string', string.rep('0123456789abcdef', 60000))`;
  await sendAll(server, [
    ['SELECT', 9],
    ['EVAL', script, 0],
    ['XGROUP', 'CREATE', 'big:stream', 'workers', 0],
    ['XREADGROUP', 'GROUP', 'workers', 'one', 'COUNT', 500, 'STREAMS', 'big:stream', '>'],
    ['SELECT', 0],
  ]);
}

/** What an AOF has behind its last rewrite: changes of what the base holds, deletions, and a transaction. */
export async function writeOn(server: ServerToAsk): Promise<void> {
  await sendAll(server, [
    ['APPEND', 'string:raw', ' and more'],
    ['DEL', 'set:small'],
    ['RPUSH', 'list:small', 'behind the base'],
    ['PEXPIREAT', 'string:embstr', inSomeDays(6)],
    ['MULTI'],
    ['INCRBY', 'counter', 5],
    ['SELECT', 5],
    ['INCRBY', 'counter', 7],
    ['EXEC'],
    ['XADD', 'stream:late', '9-9', 'a', 'b'],
    ['SELECT', 0],
  ]);
}

/** Changes, deletes and adds something of every kind, so that nothing of it may be seen after a restore. */
export async function changeData(server: ServerToAsk, functions: boolean): Promise<void> {
  await sendAll(server, [
    ['SET', 'string:raw', 'changed'],
    ['DEL', 'string:large', 'list:long', 'expires:hash', 'stream:groups'],
    ['HSET', 'hash:binary', 'new', 'x'],
    ['ZADD', 'zset:new', 1, 'x'],
    ['PERSIST', 'expires:string'],
    ['PEXPIREAT', 'user:1', inSomeDays(7)],
    ['RENAME', 'user:2', 'renamed'],
    ['DEL', 'user:3'],
    ['SADD', 'user:3', 'another type'],
    ...(functions ? [['FUNCTION', 'DELETE', 'first']] : []),
    ['SELECT', 5],
    ['FLUSHDB'],
    ['SELECT', 7],
    ['SET', 'only', 'now'],
    ['SELECT', 9],
    ['LTRIM', 'big:list', 1, 100],
    ['DEL', 'big:zset'],
    ['SELECT', 0],
  ]);
}

async function sendAll({ connection }: ServerToAsk, commands: Command[]): Promise<void> {
  const replies = await connection.pipeline(commands);
  const error = replies.find((reply) => reply instanceof Error);
  if (error !== undefined) throw error;
}
