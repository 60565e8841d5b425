import { commandTable } from '../acl/command-table.ts';
import { atLeastVersion, type EngineVersion } from './engine.ts';
import { parseConfSize, type BadValue } from './judge-value.ts';

/** A fault in one of the words, `at` from 0. */
export interface BadWord extends BadValue {
  at: number;
  /** It starts with it, and not as it is meant. */
  trap?: boolean;
}

type Judge = (words: readonly string[], engine: EngineVersion) => BadWord | undefined;

const integer = (word: string | undefined): number | undefined =>
  word !== undefined && /^-?\d+$/.test(word) ? Number(word) : undefined;

/** Directives whose words have a grammar of their own. */
export const specialJudges: Readonly<Record<string, Judge>> = {
  save: judgeSave,
  bind: judgeBind,
  'client-output-buffer-limit': judgeBufferLimits,
  'notify-keyspace-events': judgeEvents,
  'oom-score-adj-values': judgeScores,
  'rename-command': judgeRename,
  replicaof: judgeReplica,
  slaveof: judgeReplica,
  dbfilename: judgeFileName,
  appendfilename: judgeFileName,
  appenddirname: judgeFileName,
  requirepass: judgeLength,
  masterauth: judgeLength,
  'latency-tracking-info-percentiles': judgePercentiles,
  'cluster-announce-client-ipv4': judgeAddress,
  'cluster-announce-client-ipv6': judgeAddress,
  unixsocketperm: judgePermissions,
  'cluster-announce-hostname': judgeNodeName,
  'cluster-announce-human-nodename': judgeNodeName,
};

function older({ engine, version }: EngineVersion): boolean {
  return engine === 'redis' && !atLeastVersion(version, '7.0');
}

function judgeSave(words: readonly string[], engine: EngineVersion): BadWord | undefined {
  if (words.length === 1 && words[0] === '') return undefined;
  if (older(engine)) {
    if (words.length !== 2)
      return {
        at: Math.min(words.length - 1, 2),
        trap: true,
        why: 'takes one pair of seconds and changes a line before Redis 7.0: the line is passed over, and the default points are gone',
      };
    return judgePair(words, 0, true);
  }
  const parts = words.length === 1 ? (words[0] ?? '').split(' ').filter(Boolean) : words;
  if (parts.length % 2 !== 0) return { at: words.length - 1, why: 'takes pairs: seconds and changes' };
  for (let at = 0; at < parts.length; at += 2) {
    const bad = judgePair(parts, at, false);
    if (bad !== undefined) return { ...bad, at: words.length === 1 ? 0 : bad.at };
  }
  return undefined;
}

/** The oldest read them with atoi. */
function judgePair(words: readonly string[], at: number, lax: boolean): BadWord | undefined {
  const [seconds, changes] = [integer(words[at]), integer(words[at + 1])];
  const bad = seconds === undefined || seconds < 1 ? at : changes === undefined || changes < 0 ? at + 1 : -1;
  if (bad === -1) return undefined;
  if (lax && bad === at + 1 && /^\d/.test(words[bad] ?? '')) return undefined;
  if (lax && Number.parseInt(words[at] ?? '', 10) >= 1) return undefined;
  return { at: bad, why: 'takes pairs: seconds (1 or more) and changes (0 or more)' };
}

/** Parsed without a look at the words; the start fails when it cannot listen there, unless port is 0. */
function judgeBind(words: readonly string[]): BadWord | undefined {
  if (words.length > 16) return { at: 16, why: 'takes 16 addresses at most' };
  const at = words.findIndex(
    (word) => !/^-?(?:[0-9a-f:.*]+(?:%\w+)?|[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?|)$/i.test(word),
  );
  if (at === -1) return undefined;
  return { at, why: 'is no address: the server would not listen there, and not start' };
}

function judgeBufferLimits(words: readonly string[], engine: EngineVersion): BadWord | undefined {
  if (words.length === 0 || words.length % 4 !== 0 || (older(engine) && words.length !== 4))
    return { at: words.length - 1, why: 'takes a class, the hard and the soft limit, and seconds' };
  for (let at = 0; at < words.length; at += 4) {
    if (!/^(?:normal|slave|replica|pubsub)$/i.test(words[at] ?? ''))
      return { at, why: 'knows the classes normal, replica and pubsub' };
    for (const next of [at + 1, at + 2])
      if (parseConfSize(words[next] ?? '') === undefined)
        return { at: next, why: 'must be a size such as 32mb' };
    if (!/^\d+$/.test(words[at + 3] ?? '')) return { at: at + 3, why: 'must be a number of seconds' };
  }
  return undefined;
}

function judgeEvents([word = '']: readonly string[], engine: EngineVersion): BadWord | undefined {
  const letters = older(engine) ? 'AKEg$lshzxetm' : 'AKEg$lshzxetmdn';
  const bad = Array.from(word).find((letter) => !letters.includes(letter));
  // Newer servers know more letters.
  const unknown = engine.engine === 'redis' && atLeastVersion(engine.version, '8.2');
  if (bad === undefined || unknown) return undefined;
  return { at: 0, why: `knows the letters ${letters}` };
}

function judgeScores(words: readonly string[]): BadWord | undefined {
  const scores = words.map((word) => integer(word) ?? Number.NaN);
  const at = scores.findIndex((score) => !(score >= -2000 && score <= 2000));
  return at === -1 ? undefined : { at, why: 'must be a whole number from -2000 to 2000' };
}

function judgeRename([from = '', to = '']: readonly string[], engine: EngineVersion): BadWord | undefined {
  const { categories, probed } = commandTable(engine);
  if (probed && !categories.has(from.toLowerCase())) return { at: 0, why: 'is no command of this server' };
  if (to !== '' && categories.has(to.toLowerCase())) return { at: 1, why: 'is the name of another command' };
  return undefined;
}

function judgeReplica([host = '', port = '']: readonly string[]): BadWord | undefined {
  if (host.toLowerCase() === 'no' && port.toLowerCase() === 'one') return undefined;
  const number = integer(port);
  return number !== undefined && number >= 0 && number <= 65_535
    ? undefined
    : { at: 1, why: 'must be the master’s port' };
}

function judgeFileName([name = '']: readonly string[]): BadWord | undefined {
  if (name.includes('/'))
    return { at: 0, why: 'must be a name without a folder: dir says where', right: name.split('/').at(-1) };
  return undefined;
}

function judgeLength(
  [password = '']: readonly string[],
  { engine, version }: EngineVersion,
): BadWord | undefined {
  if (engine === 'valkey' || atLeastVersion(version, '7.0')) return undefined;
  return Buffer.byteLength(password) > 512 ? { at: 0, why: 'is longer than 512 bytes' } : undefined;
}

function judgePercentiles(words: readonly string[]): BadWord | undefined {
  const parts = words.length === 1 ? (words[0] ?? '').split(' ').filter(Boolean) : words;
  const at = parts.findIndex((word) => !/^\d+(?:\.\d+)?$/.test(word) || Number(word) > 100);
  return at === -1 ? undefined : { at: words.length === 1 ? 0 : at, why: 'must be a number from 0 to 100' };
}

function judgeNodeName([name = '']: readonly string[]): BadWord | undefined {
  return /^[\w.-]*$/.test(name) ? undefined : { at: 0, why: 'may hold letters, digits, dots and dashes' };
}

function judgeAddress([address = '']: readonly string[]): BadWord | undefined {
  return address === '' || /^\d{1,3}(?:\.\d{1,3}){3}$|^[0-9a-f.]*:[0-9a-f:.]*$/i.test(address)
    ? undefined
    : { at: 0, why: 'must be an address' };
}

/** Up to 6.2 what is no octal number ends where it stops to be one, and counts as what was read by then. */
function judgePermissions([mode = '']: readonly string[], engine: EngineVersion): BadWord | undefined {
  if (/^0*[0-7]{1,3}$/.test(mode)) return undefined;
  const read = Number.parseInt(mode, 8) || 0;
  const trap = older(engine) && read >= 0 && read <= 0o777;
  return { at: 0, why: 'is no octal number up to 777, such as 770', ...(trap ? { trap } : {}) };
}
