import { resolve } from 'node:path';
import { placeInCluster } from '../../../formats/cluster/cluster-nodes.ts';
import { actAs, type UserId } from '../../../lib/process/act-as.ts';
import { readForeignSync } from '../../../lib/files/foreign-file.ts';
import { readConf, type ServerConf } from '../../../redis/conf/read-conf.ts';
import type { ClusterFacts, ConfFacts, Persistence } from '../facts.ts';
import type { ConfSource } from './host.ts';

/** Reads what the next start of a server will go by, as `user` where we are root. Rejects as readConf does. */
export async function readConfFacts(
  { file, directives, dataDir }: ConfSource,
  user: UserId | undefined,
): Promise<ConfFacts> {
  const conf = await readConf(file, directives, user);
  const append = conf.get('appendonly');
  const persistence = {
    dir: dataDir ?? conf.get('dir'),
    dbfilename: conf.get('dbfilename'),
    appendonly: append === undefined ? undefined : append.toLowerCase() === 'yes',
    appendfilename: conf.get('appendfilename'),
    appenddirname: conf.get('appenddirname'),
    logfile: conf.get('logfile'),
  };
  return {
    file,
    persistence: withoutUndefined(persistence),
    maxmemory: conf.get('maxmemory'),
    databases: Number(conf.get('databases') ?? defaultDatabases),
    replicaof: masterIn(conf),
    modules: conf.all('loadmodule'),
    cluster: clusterIn(conf, user),
  };
}

/** What a node that is down has written of itself: it goes by that at its next start. */
function clusterIn(conf: ServerConf, user: UserId | undefined): ClusterFacts | undefined {
  if (conf.get('cluster-enabled')?.toLowerCase() !== 'yes') return undefined;
  const path = resolve(conf.get('dir') ?? '/', conf.get('cluster-config-file') ?? 'nodes.conf');
  try {
    return { place: placeInCluster(actAs(user, () => readForeignSync(path, longestNodes))) };
  } catch {
    return { place: undefined };
  }
}

/** As in the servers' own config.c. */
const defaultDatabases = 16;

function masterIn(conf: ServerConf): string | undefined {
  const host = conf.get('replicaof') ?? conf.get('slaveof');
  // replicaof no one
  return host?.toLowerCase() === 'no' ? undefined : host;
}

function withoutUndefined(values: {
  [Key in keyof Persistence]: Persistence[Key] | undefined;
}): Partial<Persistence> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** A thousand nodes have 200 KB. */
const longestNodes = 4 * 1024 * 1024;
