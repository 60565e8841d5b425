import type { ReasonOf } from '../../domain/errors.ts';
import { counted } from '../../lib/text/counted.ts';
import { inTheClear, totalKeys, type Engine, type Manifest } from '../../domain/backup.ts';
import { formatBytes, parseBytes } from '../../lib/text/bytes.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import type { Persistence, RestoreFacts, RunningServer } from './facts.ts';
import { canLoad } from './judge-rdb-version.ts';
import { judgeSlots } from './judge-slots.ts';

/** The guards that a flag insists on (flagOf), and what that means. */
export const guardFlags = {
  replicas: 'Restore although replicas are attached, which copy whatever comes back',
  sentinel: 'Restore although a Sentinel watches, which fails over',
  old: 'Take the newest backup although it is older than backup.stale_after',
  'fewer-keys': 'Restore although the server holds far more keys than the backup',
  moved: 'Restore although the server keeps its data in another place than its next start reads',
  'newer-rdb': 'Try a backup of a newer server',
  'small-maxmemory': 'Restore although maxmemory is smaller than the data',
  unloaded: 'Live although no scratch server can load it first: what the server cannot load ends it',
  selinux: 'Live although SELinux confines the server: its policy lets it reach the agent’s port',
  slots: 'Restore although the node of a cluster has other slots than it had',
  unencrypted: 'Restore a backup that is stored in the clear although encryption is configured',
  unmatched: 'End a restore that was cut off although this agent has no record of it',
} as const;

const ownFlags = new Map([
  ['slots', '--other-slots'],
  ['unencrypted', '--accept-unencrypted'],
  ['unmatched', '--recover-unmatched'],
]);

/** The flag that insists, with its dashes. */
export function flagOf(name: string): string {
  return ownFlags.get(name) ?? `--allow-${name}`;
}

/** What speaks against a restore. */
export interface Guard {
  /** Insisted on by the flag of flagOf; where `allowable` is false nothing helps. */
  name: ReasonOf<'refused'>;
  allowable: boolean;
  /** It speaks against this method alone: unless insisted on, the other one is taken. */
  decides?: true;
  /** What would happen. */
  why: string;
  /** What to do instead. */
  instead: string;
}

interface GuardInput {
  facts: RestoreFacts;
  manifest: Manifest;
  latest: boolean;
  staleAfter: number;
  /** Should it be encrypted, since backups of this repository are? */
  encrypts: boolean;
  persistence: Persistence;
  server: { engine: Engine; version: string };
}

/** A backup with less than this share of the target's keys is perhaps the wrong one. */
const leastShare = 0.5;
/** Below this many keys a share says nothing. */
const fewKeys = 100;

/** Everything at once: somebody in an incident must not meet one refusal after the other. */
export function judgeGuards(input: GuardInput): Guard[] {
  return [
    ...judgeServer(input.facts, input.persistence),
    ...judgeChoice(input),
    ...[multiPart, newer, memory, fewDatabases, slots].flatMap((judge) => judge(input) ?? []),
  ];
}

/** What speaks against stopping that server and giving it other data. */
export function judgeServer(facts: RestoreFacts, next: Persistence): Guard[] {
  const judges = [elsewhere, replica, replicas, sentinel, service];
  return [...judges.flatMap((judge) => judge({ facts }) ?? []), ...judgePlace(facts, next)];
}

/** Only what the next start would have read can be set aside, and put back. */
function judgePlace({ running, conf }: RestoreFacts, next: Persistence): Guard[] {
  if (running === undefined) return [];
  // Its files are where it would look for them itself, whichever of them.
  const [now, then] = [placeOf({ ...running.persistence, appendonly: next.appendonly }), placeOf(next)];
  if (now === then) return [];
  return [
    guard(
      'moved',
      `the server keeps its data in ${now}, and its next start reads ${then} (${conf?.file ?? 'its command line'}): what it holds now stays where it is, and would not be put back`,
      'make both agree first, with CONFIG REWRITE or CONFIG SET',
    ),
  ];
}

/** Of a plan's facts, those that tell whether it is the right backup. */
export interface ChoiceInput extends Pick<GuardInput, 'manifest' | 'latest' | 'staleAfter' | 'encrypts'> {
  facts: { now: number; running: Pick<RunningServer, 'databases'> | undefined };
}

/** Is it the backup that somebody means? */
export function judgeChoice(input: ChoiceInput): Guard[] {
  return [clear, old, fewer].flatMap((judge) => judge(input) ?? []);
}

type ChoiceJudge = (input: ChoiceInput) => Guard | undefined;
type Judge = (input: GuardInput) => Guard | undefined;
type ServerJudge = (input: Pick<GuardInput, 'facts'>) => Guard | undefined;

const guard = (name: Guard['name'], why: string, instead: string, allowable = true): Guard => ({
  name,
  allowable,
  why,
  instead,
});

const elsewhere: ServerJudge = ({ facts: { running, url } }) => {
  if (running === undefined || running.pid !== undefined) return undefined;
  return guard(
    'elsewhere',
    `the server at ${url} runs on another host or in a container, so its files are out of reach`,
    "run this on its own host; or restore by key: redis-agent restore ID --keys '*' --into URL",
    false,
  );
};

const replica: ServerJudge = ({ facts: { running, conf } }) => {
  const now = running?.role === 'replica' ? running.master : undefined;
  const master = now ?? conf?.replicaof;
  if (master === undefined || master === '') return undefined;
  const is = running === undefined || now !== undefined ? 'it is' : 'its next start makes it';
  return guard(
    'replica',
    `${is} a replica of ${master}, which would overwrite whatever is restored`,
    'restore the master; or make this one a master first: REPLICAOF NO ONE, and in its configuration (CONFIG REWRITE)',
    false,
  );
};

const replicas: ServerJudge = ({ facts: { running } }) => {
  const count = running?.replicas ?? 0;
  if (count === 0) return undefined;
  return guard(
    'replicas',
    `${count} ${count === 1 ? 'replica is attached, which copies' : 'replicas are attached, which copy'} whatever this server holds when it is back`,
    'detach them with REPLICAOF NO ONE until this is proven',
  );
};

const sentinel: ServerJudge = ({ facts: { running } }) => {
  if ((running?.sentinels ?? 0) === 0) return undefined;
  return guard(
    'sentinel',
    'a Sentinel watches it and would fail over while it is down',
    'take it out first: SENTINEL REMOVE on each Sentinel',
  );
};

const clear: ChoiceJudge = ({ manifest, encrypts }) => {
  if (!encrypts || !inTheClear(manifest)) return undefined;
  return guard(
    'unencrypted',
    `backup ${manifest.id} is stored in the clear, although encryption is configured: whoever can write to the repository can have made it`,
    'take an encrypted one: redis-agent backups list',
  );
};

const old: ChoiceJudge = ({ facts: { now }, manifest, latest, staleAfter }) => {
  const age = now - Date.parse(manifest.snapshot_at);
  if (!latest || age <= staleAfter) return undefined;
  return guard(
    'old',
    `the newest backup is ${formatDuration(age)} old, older than backup.stale_after (${formatDuration(staleAfter)})`,
    `find out why, or name it: redis-agent restore ${manifest.id}`,
  );
};

const fewer: ChoiceJudge = ({ facts: { running }, manifest }) => {
  if (running === undefined) return undefined;
  const [now, then] = [totalKeys(running.databases), totalKeys(manifest.keyspace.databases)];
  if (now >= fewKeys && then === 0 && !manifest.keyspace.exact)
    return guard(
      'fewer-keys',
      `the server holds ${counted(now, 'key')}, and those of this backup could not be counted here`,
      'see how many they are, where there is a server of its version and memory for it: redis-agent aof check PATH --deep',
    );
  if (now < fewKeys || then >= now * leastShare) return undefined;
  return guard(
    'fewer-keys',
    `the server holds ${counted(now, 'key')}, and this backup only ${then}`,
    'is it the right one? See: redis-agent backups list',
  );
};

const newer: Judge = ({ manifest, server }) => {
  const written = manifest.rdb_version;
  // Valkey left Redis's numbers and went on at 80.
  if (canLoad(server, { engine: written < 80 ? 'redis' : 'valkey', version: written })) return undefined;
  const { engine, version } = manifest.server;
  return guard(
    'newer-rdb',
    `the backup has RDB version ${manifest.rdb_version}, of ${engine} ${version}, which ${server.engine} ${server.version} cannot load`,
    `install a server of that version first; or restore by key: redis-agent restore ${manifest.id} --keys '*' --into URL`,
  );
};

/** Of a server of before 7.0. */
const multiPart: Judge = ({ manifest, server }) => {
  if (manifest.aof?.layout !== 'multi-part') return undefined;
  if (server.engine === 'valkey' || Number.parseInt(server.version, 10) >= 7) return undefined;
  return guard(
    'multi-part',
    `the backup is an append only file of several files, which ${server.engine} ${server.version} does not read`,
    'install a server of 7.0 or newer first; or take a backup of kind rdb',
    false,
  );
};

const memory: Judge = ({ facts: { running, conf }, manifest }) => {
  const limit =
    (conf?.maxmemory === undefined ? undefined : parseBytes(conf.maxmemory)) ?? running?.maxmemory ?? 0;
  const needed = manifest.server.used_memory;
  if (limit === 0 || needed <= limit) return undefined;
  return guard(
    'small-maxmemory',
    `maxmemory is ${formatBytes(limit)}, and the data took ${formatBytes(needed)}: it would refuse writes or evict keys`,
    'raise maxmemory in its configuration',
  );
};

const fewDatabases: Judge = ({ facts: { conf }, manifest }) => {
  const highest = Math.max(0, ...Object.keys(manifest.keyspace.databases).map(Number));
  if (conf === undefined || highest < conf.databases) return undefined;
  return guard(
    'databases',
    `the backup has keys in database ${highest}, and the server starts with ${counted(conf.databases, 'database')}`,
    'raise databases in its configuration',
    false,
  );
};

const slots: Judge = ({ facts: { running, conf }, manifest, server }) => {
  const against = judgeSlots(
    running === undefined ? conf?.cluster : running.cluster,
    manifest,
    server.engine,
  );
  return against && guard('slots', against.why, against.instead);
};

const service: ServerJudge = ({ facts }) => {
  if (facts.service !== undefined) return undefined;
  return guard(
    'service',
    'nothing says how this server is stopped and started',
    'set service: of this instance, to its systemd unit or to { start: [PROGRAM, …] }; by a command only root restores: sudo redis-agent restore',
    false,
  );
};

/** What a server reads when it starts. */
export function placeOf({ dir, dbfilename, appendfilename, appenddirname, appendonly }: Persistence): string {
  return `${dir}/${appendonly ? `${appenddirname}/${appendfilename}` : dbfilename}`;
}
