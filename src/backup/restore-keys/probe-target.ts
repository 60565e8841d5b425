import { AgentError } from '../../domain/errors.ts';
import { footerBytes, PayloadFooter } from '../../formats/rdb/dump-payload.ts';
import { slotTag } from '../../formats/cluster/key-slot.ts';
import { isOnThisHost } from '../../redis/process/on-this-host.ts';
import type { Pipe } from '../../redis/pipe/pipe.ts';
import { PipeError, type PipeReply } from '../../redis/pipe/reply-parser.ts';
import { refusalOf, stoppedBy } from './answer-kinds.ts';
import { isElsewhere } from './moved-keys.ts';
import type { TargetAbilities } from './judge-target.ts';

/** How keys get into a target. */
export interface TargetWays {
  /** RESTORE is allowed there, and takes what we send. */
  restore: boolean;
  /** Bytes cost little on their way there: strings go expanded, which spares the server from doing that. */
  near: boolean;
  /** Plain commands build values too, whatever their type. */
  builds: boolean;
  /** Why they build none. */
  unable: string | undefined;
  /** Why RESTORE is not. */
  why: string | null;
  /** Why nothing can be written into this database. */
  lacks: (database: number) => string | undefined;
  /** A name for trials, which is no key there. */
  probeKey: string;
}

/** Never a key: this payload's time was over in 1970. Of a cluster's node, one of that slot, which it has. */
function probeKeyOf(slot: number | undefined): string {
  return `${slot === undefined ? '' : slotTag(slot)}redis-agent:probe`;
}

/** What building a value takes, whatever its type, in forms that change nothing where there is no such key. */
const buildingOf = (probeKey: string): string[][] => [
  ['SET', probeKey, '', 'XX'],
  ['PEXPIRE', probeKey, '1'],
  ['PEXPIREAT', probeKey, '1'],
  ['PERSIST', probeKey],
  ['UNLINK', probeKey],
  ['RENAMENX', probeKey, probeKey],
  ['RENAME', probeKey, probeKey],
];
/** With these, values of every type but streams are written. */
const writingOf = (probeKey: string): string[][] => [
  ...buildingOf(probeKey),
  ['SET', probeKey, '', 'NX'],
  ['APPEND', probeKey, ''],
  ['RPUSH', probeKey, ''],
  ['SADD', probeKey, ''],
  ['ZADD', probeKey, '0', ''],
  ['HSET', probeKey, '', ''],
];
/**
 * How many databases are asked for at once, up to the last. Servers have 16 unless told otherwise, managed ones often one,
 * and nobody, we hope, more than this.
 */
const probed = [16, 17, 64, 256, 1024, 4096];

/**
 * Tries RESTORE with a value that has expired long ago, which is checked like any other and leaves nothing behind, and
 * asks which databases there are. Throws an AgentError where nothing can be written now.
 */
export async function probeTarget(
  pipe: Pipe,
  { reads }: TargetAbilities,
  slot?: number,
): Promise<TargetWays> {
  const probeKey = probeKeyOf(slot);
  const payload = new Uint8Array(3 + footerBytes);
  payload.set([0, 1, 0x61]);
  new PayloadFooter().write(payload, 0, 3, Math.min(reads.version, 11));
  const reply = await pipe.ask('RESTORE', probeKey, '1', payload, 'ABSTTL');
  const why = reply instanceof PipeError ? judge(pipe, reply) : null;
  const { builds, missing } = await askBuilding(pipe, probeKey);
  if (why !== null && missing.length > 0) throw unable(pipe, why, missing);
  const lacks = await findDatabases(pipe);
  return {
    restore: why === null,
    builds,
    unable:
      missing.length === 0 ? undefined : `it has to be built, and the server refuses ${missing.join(', ')}`,
    near: await isOnThisHost(pipe),
    why,
    lacks,
    probeKey,
  };
}

/**
 * May values be built, and what of that is withheld, so that each would be begun and never finished? Asked in a transaction
 * that is then dropped: a server says when it takes a command into it whether the user may.
 */
async function askBuilding(pipe: Pipe, probeKey: string): Promise<{ builds: boolean; missing: string[] }> {
  const building = buildingOf(probeKey);
  const asks = (await pipe.ask('MULTI')) === 'OK';
  const replies = await pipe.askAll(asks ? [...writingOf(probeKey), ['DISCARD']] : building);
  return {
    builds: asks && replies.slice(0, -1).every((reply) => reply === 'QUEUED'),
    missing: building.flatMap(([name = ''], at) => (isWithheld(replies[at]) ? [name] : [])),
  };
}

/** By name or by rights; not for this key only. */
function isWithheld(reply: PipeReply | undefined): reply is PipeError {
  if (!(reply instanceof PipeError)) return false;
  return (reply.code === 'NOPERM' && !/access/.test(reply.text)) || /^ERR unknown command/i.test(reply.text);
}

/** Keys that the server has evicted since it was started. */
export async function countEvicted(pipe: Pipe): Promise<number> {
  const info = await pipe.ask('INFO', 'stats');
  return typeof info === 'string' ? Number(/^evicted_keys:(\d+)/m.exec(info)?.[1] ?? 0) : 0;
}

function judge(pipe: Pipe, reply: PipeError): string | null {
  // A node whose slot has moved meanwhile: whether the user may was looked at before that.
  if (isElsewhere(reply)) return null;
  const fatal = stoppedBy(pipe.target.name, reply);
  if (fatal !== undefined) throw fatal;
  // The user may run it, only not on this key: each key's own answer will tell.
  if (/access (?:one of the|a) key|BUSYKEY/.test(reply.text)) return null;
  return refusalOf(reply);
}

/** Where RESTORE is not allowed, and what values are built with is not either, nothing can be written. */
function unable(pipe: Pipe, why: string, missing: string[]): AgentError {
  const { target } = pipe;
  const user = target.username ?? 'default';
  const rights = missing.map((name) => `+${name.toLowerCase()}`).join(' ');
  return new AgentError(
    'redis',
    `${target.name} does not take RESTORE (${why}), nor ${missing.join(', ')} to do without it`,
    {
      reason: 'noperm',
      hint: `grant RESTORE, which is quicker (ACL SETUSER ${user} +restore), or what values are built with (${rights}, and the commands of their types); or are they renamed there (rename-command)?`,
    },
  );
}

/** Finds out which databases we may use; the first is always there. */
async function findDatabases(pipe: Pipe): Promise<TargetWays['lacks']> {
  let count = 1;
  let reply: PipeReply = 'OK';
  for (const next of probed) {
    const asks = Array.from({ length: next - count }, (_, index) => ['SELECT', String(count + index)]);
    const replies = await pipe.askAll(asks);
    const last = replies.findIndex((each) => each !== 'OK');
    count = last < 0 ? next : count + last;
    reply = replies[last] ?? 'OK';
    if (reply !== 'OK') break;
  }
  if (count > 1) await back(pipe);
  const withheld = isWithheld(reply) ? `SELECT is ${refusalOf(reply)}` : undefined;
  return (database) =>
    database < count
      ? undefined
      : (withheld ?? `the server has no database ${database}: --to-db names another`);
}

async function back(pipe: Pipe): Promise<void> {
  if ((await pipe.ask('SELECT', '0')) !== 'OK')
    throw new AgentError('redis', `${pipe.target.name}: SELECT 0 is refused`, { reason: 'reply' });
}
