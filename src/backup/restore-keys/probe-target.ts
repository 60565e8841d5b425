import { AgentError } from '../../domain/errors.ts';
import { footerBytes, PayloadFooter } from '../../formats/rdb/dump-payload.ts';
import { printable } from '../../lib/printable.ts';
import { isOnThisHost } from '../../redis/on-this-host.ts';
import type { Pipe } from '../../redis/pipe.ts';
import { PipeError } from '../../redis/reply-parser.ts';
import { stoppedBy } from './answer-kinds.ts';
import type { TargetAbilities } from './judge-target.ts';

/** How keys get into a target. */
export interface TargetWays {
  /** RESTORE is allowed there, and takes what we send. */
  restore: boolean;
  /** Bytes cost little on their way there: strings go expanded, which spares the server from doing that. */
  near: boolean;
  /** Plain commands build values too, whatever their type. */
  builds: boolean;
  /** Why RESTORE is not. */
  why: string | null;
  hasDatabase: (database: number) => boolean;
}

/** Never a key: this payload's time was over in 1970. */
const probeKey = 'redis-agent:probe';
/** What building a value takes, whatever its type, in forms that change nothing where there is no such key. */
const building = [
  ['SET', probeKey, '', 'XX'],
  ['PEXPIRE', probeKey, '1'],
  ['PEXPIREAT', probeKey, '1'],
  ['PERSIST', probeKey],
  ['UNLINK', probeKey],
  ['RENAMENX', probeKey, probeKey],
  ['RENAME', probeKey, probeKey],
];
/** With these, values of every type but streams are written. */
const writing = [
  ...building,
  ['SET', probeKey, '', 'NX'],
  ['APPEND', probeKey, ''],
  ['RPUSH', probeKey, ''],
  ['SADD', probeKey, ''],
  ['ZADD', probeKey, '0', ''],
  ['HSET', probeKey, '', ''],
];
/** Servers have 16 databases unless told otherwise; managed ones often one. */
const probed = 16;
/** More are asked for one by one, in the hope that nobody has as many as these. */
const mostProbed = 4096;

/**
 * Tries RESTORE with a value that has expired long ago, which is checked like any other and leaves nothing behind, and
 * asks which databases there are. Throws an AgentError where nothing can be written now.
 */
export async function probeTarget(pipe: Pipe, { reads }: TargetAbilities): Promise<TargetWays> {
  const payload = new Uint8Array(3 + footerBytes);
  payload.set([0, 1, 0x61]);
  new PayloadFooter().write(payload, 0, 3, Math.min(reads.version, 11));
  const reply = await pipe.ask('RESTORE', probeKey, '1', payload, 'ABSTTL');
  const why = reply instanceof PipeError ? judge(pipe, reply) : null;
  if (why !== null) await refuseUnable(pipe, why);
  const databases = await countDatabases(pipe);
  const [builds, near] = [await canBuild(pipe), await isOnThisHost(pipe)];
  return { restore: why === null, builds, near, why, hasDatabase: (database) => database < databases };
}

/** Asks in a transaction that is then dropped: a server says when it takes a command into it whether the user may. */
async function canBuild(pipe: Pipe): Promise<boolean> {
  if ((await pipe.ask('MULTI')) !== 'OK') return false;
  const replies = await pipe.askAll([...writing, ['DISCARD']]);
  return replies.slice(0, -1).every((reply) => reply === 'QUEUED');
}

/** Keys that the server has evicted since it was started. */
export async function countEvicted(pipe: Pipe): Promise<number> {
  const info = await pipe.ask('INFO', 'stats');
  return typeof info === 'string' ? Number(/^evicted_keys:(\d+)/m.exec(info)?.[1] ?? 0) : 0;
}

function judge(pipe: Pipe, reply: PipeError): string | null {
  const fatal = stoppedBy(pipe.target.name, reply);
  if (fatal !== undefined) throw fatal;
  // The user may run it, only not on this key: each key's own answer will tell.
  if (/access (?:one of the|a) key|BUSYKEY/.test(reply.text)) return null;
  return printable(reply.text);
}

/** Where RESTORE is not allowed, and what values are built with is not either, nothing can be written. */
async function refuseUnable(pipe: Pipe, why: string): Promise<void> {
  const missing: string[] = [];
  for (const [name = '', ...args] of building) {
    const reply = await pipe.ask(name, ...args);
    if (reply instanceof PipeError && reply.code === 'NOPERM' && !/access/.test(reply.text))
      missing.push(name);
  }
  if (missing.length === 0) return;
  const { target } = pipe;
  const user = target.username ?? 'default';
  const rights = missing.map((name) => `+${name.toLowerCase()}`).join(' ');
  throw new AgentError(
    'redis',
    `${target.name} refuses RESTORE (${why}), and ${missing.join(', ')} to do without it`,
    {
      reason: 'noperm',
      hint: `grant RESTORE, which is quicker (ACL SETUSER ${user} +restore), or what values are built with (${rights}, and the commands of their types)`,
    },
  );
}

/** How many databases we may use; the first is always there. */
async function countDatabases(pipe: Pipe): Promise<number> {
  let count = 1;
  for (let next = probed; count < mostProbed; next = Math.min(mostProbed, 4 * next)) {
    for (; count < next; count++)
      if ((await pipe.ask('SELECT', String(count))) !== 'OK') return await back(pipe, count);
  }
  return await back(pipe, count);
}

async function back(pipe: Pipe, count: number): Promise<number> {
  const reply = await pipe.ask('SELECT', '0');
  if (reply !== 'OK' && count > 1)
    throw new AgentError('redis', `${pipe.target.name}: SELECT 0 is refused`, { reason: 'reply' });
  return count;
}
