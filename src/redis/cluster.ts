import { AgentError, hasReason } from '../domain/errors.ts';
import type { ClusterPlace } from '../domain/backup.ts';
import type { Info } from '../formats/info/parse-info.ts';
import {
  parseClusterNodes,
  parseClusterShards,
  placeInCluster,
  type ClusterNode,
} from '../formats/cluster/cluster-nodes.ts';
import { printable } from '../lib/text/printable.ts';
import type { RedisConnection } from './connection/connect.ts';
import { engineOf } from './server.ts';

export function isClusterNode(info: Info): boolean {
  return info.get('cluster_enabled') === '1';
}

/** What a node holds; undefined for a server that is none, and for a user who may not ask. */
export async function readClusterPlace(
  connection: RedisConnection,
  info: Info,
): Promise<ClusterPlace | undefined> {
  if (!isClusterNode(info)) return undefined;
  try {
    return placeInCluster(String(await connection.call('CLUSTER', 'NODES')));
  } catch (error) {
    if (hasReason(error, 'noperm')) return undefined;
    throw error;
  }
}

/** A master, and where it listens. */
export interface ClusterMaster extends ClusterNode {
  url: string;
}

/**
 * The masters that hold slots, in the order of those: by CLUSTER SHARDS, before 7.0 by CLUSTER NODES. Throws an AgentError
 * where the server is of no cluster.
 */
export async function readClusterMasters(connection: RedisConnection, info: Info): Promise<ClusterMaster[]> {
  const { name, url } = connection.target;
  if (!isClusterNode(info))
    throw new AgentError('usage', `instance ${name}: it is no node of a cluster`, {
      reason: 'no-cluster',
      hint: 'leave --cluster out, or name a node: --instance',
    });
  const masters = (await readNodes(connection, info)).filter(
    ({ role, slots }) => role === 'master' && slots.length > 0,
  );
  return masters
    .map((node) => ({ ...node, url: node.myself ? url : urlOf(url, node) }))
    .toSorted(({ slots: [one] }, { slots: [other] }) => (one?.[0] ?? 0) - (other?.[0] ?? 0));
}

async function readNodes(connection: RedisConnection, info: Info): Promise<ClusterNode[]> {
  const { engine, version } = engineOf(info);
  const known = parseClusterNodes(String(await connection.call('CLUSTER', 'NODES')));
  if (engine === 'redis' && Number.parseInt(version, 10) < 7) return known;
  const tls = connection.target.url.startsWith('rediss:');
  const own = known.find(({ myself }) => myself)?.id;
  const nodes = parseClusterShards(await connection.call('CLUSTER', 'SHARDS'), tls);
  return nodes.map((node) => ({ ...node, myself: node.id === own }));
}

/** By the same protocol as the node that was asked. One without an address is where that is. */
function urlOf(asked: string, { host, port }: ClusterNode): string {
  const { protocol, hostname } = new URL(asked);
  if (port === 0)
    throw new AgentError(
      'redis',
      `the cluster does not say at which port ${printable(host)} takes ${protocol}//`,
      {
        reason: 'address',
        hint: 'its nodes tell each other one kind of port only: before 7.2 that of TLS where tls-cluster is yes, else the other',
      },
    );
  const name = host === '' ? hostname : host.includes(':') ? `[${host}]` : host;
  const url = `${protocol === 'rediss:' ? 'rediss:' : 'redis:'}//${name}:${port}`;
  if (URL.canParse(url) && /^[\w.:[\]-]+$/.test(name)) return url;
  throw new AgentError('redis', `a node of the cluster calls its address ${printable(`${host}:${port}`)}`, {
    reason: 'address',
    hint: 'see CLUSTER NODES, and cluster-announce-ip or -hostname of that node',
  });
}
