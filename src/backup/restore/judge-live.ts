import { counted } from '../../lib/text/counted.ts';
import type { Engine, Manifest } from '../../domain/backup.ts';
import type { RdbVersion } from '../../formats/rdb/rdb-version.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import type { Guard } from './judge-guards.ts';
import { canLoad } from './judge-rdb-version.ts';

/** How a server takes the data over: `repl-diskless-load`. */
export type DisklessLoad = 'swapdb' | 'disabled';

/** What a live restore depends on. Sizes are bytes. `undefined`: cannot be seen from here. */
export interface LiveFacts {
  server: {
    engine: Engine;
    version: string;
    role: 'master' | 'replica';
    loading: boolean;
    cluster: boolean;
    /** A failover that it leads is under way. */
    failingOver: boolean;
    /** Of CONFIG databases. */
    databases: number;
    usedMemory: number;
    maxmemory: number;
    policy: string;
    minReplicas: number;
    replicas: number;
    sentinels: number;
    /** As whom the agent is there. */
    user: string;
    /** Its process was found on this host, where alone it can reach the agent. */
    here: boolean;
    /** The SELinux type that its process is confined to. */
    confined: string | undefined;
  };
  /** Rights that the agent's user lacks there, as ACL rules; and commands that the server does not know. */
  missing: { rules: string[]; commands: string[] };
  memory: number | undefined;
  /** What it reads when it starts: if it were as it runs now, and by its configuration file, as far as that can be read. */
  nextStart: {
    now: string;
    next: string;
    problem: string | undefined;
    /** Which master its configuration gives it. */
    master: string | undefined;
    /** How many it will have; undefined: as many as now. */
    databases: number | undefined;
  };
  disk: { folder: string; free: number } | undefined;
  backup: {
    kind: Manifest['kind'];
    /** Why it could not be read to its end when it was taken; null: it was. */
    unread: string | null;
    bytes: number;
    /** Of the server that it was taken from. */
    usedMemory: number;
    rdb: RdbVersion;
    /** The highest that it names; before it was read, the highest with a key. */
    highestDatabase: number;
    /** Streams that state another length than they have. */
    staleStreams: number;
    modules: string[];
    /** Values in which the server would find another length than was written (formats/rdb/listpack-form.ts). */
    oddEntries: number;
  };
}

export interface LiveJudgement {
  guards: Guard[];
  /** What somebody should know before it begins. */
  notes: string[];
  mode: DisklessLoad;
}

const margin = 64 * 1024 * 1024;
const useFiles = 'use --method files';

/** May this server take this backup over while it runs, and how? */
export function judgeLive(facts: LiveFacts): LiveJudgement {
  const { mode, problem } = chooseMode(facts);
  const guards = [judgeServer, judgeNextStart, judgeBackup, judgeSentinel, judgeMaxmemory].flatMap((judge) =>
    judge(facts),
  );
  return { guards: problem === undefined ? guards : [...guards, problem], notes: notesOn(facts, mode), mode };
}

/** One that nobody can insist on. */
function refusal(name: Guard['name'], why: string, instead: string): Guard {
  return { name, allowable: false, why, instead };
}

function judgeServer({ server, missing }: LiveFacts): Guard[] {
  const guards: Guard[] = [];
  const say = (...words: Parameters<typeof refusal>): void => void guards.push(refusal(...words));
  if (!server.here)
    say(
      'elsewhere',
      'the server’s process is not to be seen on this host, which it must reach the agent on',
      useFiles,
    );
  // By the policy of RHEL and Fedora it may connect to redis_port_t alone; an unconfined one to wherever it likes.
  if (server.confined === 'redis_t')
    guards.push({
      name: 'selinux',
      allowable: true,
      decides: true,
      why: `SELinux confines the server (${server.confined}) to ports of Redis, and it would not reach the agent`,
      instead: `let it: semanage port -a -t redis_port_t -p tcp 256-511, then --allow-selinux; or ${useFiles}`,
    });
  if (server.loading) say('loading', 'the server is loading its data', 'wait until it is done');
  if (server.role === 'replica')
    say('replica', 'the server is a replica and takes its data from its master', 'restore the master');
  if (server.cluster) say('cluster', 'a server in cluster mode follows no master of the agent’s', useFiles);
  if (server.failingOver) say('failover', 'a failover of the server is under way', 'wait until it is done');
  if (missing.commands.length > 0)
    say('renamed', `the server does not know ${missing.commands.join(' and ')} by this name`, useFiles);
  if (missing.rules.length > 0)
    say(
      'rights',
      `the agent’s user lacks rights on the server: ${missing.rules.join(' ')}`,
      `grant them: ACL SETUSER ${server.user} ${missing.rules.join(' ')}, or ${useFiles}`,
    );
  return guards;
}

/** What it has in memory must be what it comes back with; it saves only where it works now. */
function judgeNextStart({ nextStart: { now, next, master, databases }, backup, server }: LiveFacts): Guard[] {
  const guards: Guard[] = [];
  if (now !== next)
    guards.push(
      refusal(
        'next-start',
        `the server saves to ${now}, and its next start reads ${next}: what was restored would be gone then`,
        `make its configuration file agree with what it runs with (CONFIG REWRITE), or ${useFiles}`,
      ),
    );
  // Files would be of no use either.
  if (master !== undefined)
    guards.push(
      refusal(
        'replica',
        `its next start makes it a replica of ${master}, which would overwrite whatever is restored`,
        'take that out of its configuration file (CONFIG REWRITE)',
      ),
    );
  // Where it has too few now, that is said already.
  const fits = backup.highestDatabase < server.databases;
  if (databases !== undefined && fits && backup.highestDatabase >= databases)
    guards.push(
      refusal(
        'databases',
        `it uses database ${backup.highestDatabase}, and the next start of the server knows ${counted(databases, 'database')}`,
        'raise databases in its configuration file',
      ),
    );
  return guards;
}

function judgeBackup({ server, backup }: LiveFacts): Guard[] {
  const guards: Guard[] = [];
  const say = (...words: Parameters<typeof refusal>): void => void guards.push(refusal(...words));
  // A master sends an RDB.
  if (backup.kind !== 'rdb') return [refusal('aof', 'it is a backup of the append only file', useFiles)];
  if (backup.unread !== null)
    say('unread', `not every value of it can be decoded (${backup.unread})`, useFiles);
  if (!canLoad(server, backup.rdb))
    say(
      'newer-rdb',
      `${server.engine} ${server.version} cannot load RDB version ${backup.rdb.version} of ${backup.rdb.engine}`,
      "upgrade the server, or restore by key: redis-agent restore ID --keys '*' --into URL",
    );
  if (backup.modules.length > 0)
    say(
      'modules',
      `it holds data of modules (${backup.modules.join(', ')}), which nobody else can check`,
      useFiles,
    );
  if (backup.staleStreams > 0 && server.engine === 'valkey' && Number.parseFloat(server.version) >= 9.1)
    say(
      'stale-streams',
      `${backup.staleStreams} of its streams state another length than they have, and ${server.engine} ${server.version} would end at the first`,
      'write its keys one by one: --keys',
    );
  if (backup.oddEntries > 0)
    say(
      'listpacks',
      `${server.engine} ${server.version} would end at ${backup.oddEntries} of its values: it reads lengths that the server before it wrote otherwise`,
      'write its keys one by one: --keys',
    );
  if (backup.highestDatabase >= server.databases)
    say(
      'databases',
      `it uses database ${backup.highestDatabase}, and the server has ${counted(server.databases, 'database')}`,
      'raise databases in redis.conf and restart the server',
    );
  return guards;
}

function judgeSentinel({ server }: LiveFacts): Guard[] {
  if (server.sentinels === 0) return [];
  return [
    {
      name: 'sentinel',
      allowable: true,
      why: `a Sentinel watches it and would take its turn as a replica for a fault`,
      instead: 'take it out first: SENTINEL REMOVE on each Sentinel',
    },
  ];
}

/** A replica keeps everything whatever its maxmemory; it is when it is a master again that keys would go. */
function judgeMaxmemory({ server, backup }: LiveFacts): Guard[] {
  if (server.maxmemory === 0 || backup.usedMemory <= server.maxmemory) return [];
  const consequence = server.policy === 'noeviction' ? 'refuse writes' : `evict keys (${server.policy})`;
  const [limit, needed] = [formatBytes(server.maxmemory), formatBytes(backup.usedMemory)];
  return [
    {
      name: 'small-maxmemory',
      allowable: true,
      why: `maxmemory is ${limit}, and the data took ${needed}: it would ${consequence}`,
      instead: 'raise maxmemory',
    },
  ];
}

/**
 * `swapdb` keeps the old data until all of the new is in memory, so it is taken wherever both fit. `disabled` writes a
 * file first and empties the server before it loads that.
 */
function chooseMode({ server, backup, memory, disk }: LiveFacts): { mode: DisklessLoad; problem?: Guard } {
  const needed = backup.usedMemory * 1.1 + margin;
  if (memory !== undefined && memory >= needed) return { mode: 'swapdb' };
  const mode = 'disabled';
  const more = needed - server.usedMemory;
  if (memory !== undefined && memory < more)
    return {
      mode,
      problem: refusal(
        'memory',
        `the data needs ${formatBytes(more)} of memory more than the server has now, and ${formatBytes(memory)} are available`,
        'free some memory',
      ),
    };
  if (disk !== undefined && disk.free < backup.bytes + margin)
    return {
      mode,
      problem: refusal(
        'disk',
        `there is no memory for both data sets, and no room for a file of ${formatBytes(backup.bytes)} in ` +
          `${disk.folder} (${formatBytes(disk.free)} free)`,
        `free some memory or disk, or ${useFiles}`,
      ),
    };
  return { mode };
}

function notesOn({ server, nextStart }: LiveFacts, mode: DisklessLoad): string[] {
  const notes = [
    'meanwhile the server refuses writes, and reads too while it loads; blocked clients are sent away',
  ];
  if (nextStart.problem !== undefined)
    notes.push(`${nextStart.problem}; its next start is taken to be as it runs now`);
  if (mode === 'disabled')
    notes.push(
      'there is not memory enough for both data sets: the server drops the old one before it loads the new one, and from then on only a backup of it is left',
    );
  if (server.replicas > 0)
    notes.push(
      `its ${server.replicas === 1 ? 'replica copies' : `${server.replicas} replicas copy`} the new data from it afterwards`,
    );
  if (server.minReplicas > 0)
    notes.push(
      `it refuses writes until ${counted(server.minReplicas, 'replica has', 'replicas have')} done so (min-replicas-to-write)`,
    );
  return notes;
}
