import { judgeTarget, tenureOf, type KeyTarget } from '../../backup/restore-keys/judge-target.ts';
import { AgentError } from '../../domain/errors.ts';
import { clusterSlots, formatSlots, slotsWithout } from '../../formats/cluster/slots.ts';
import { connectRedis } from '../../redis/connection/connect.ts';
import { isClusterNode, readClusterMasters, type ClusterMaster } from '../../redis/cluster.ts';
import { readInfo } from '../../redis/server.ts';
import type { RedisTarget } from '../../redis/connection/target.ts';

/** Asks the server that keys go into, or all masters of its cluster. Throws an AgentError where they cannot. */
export async function readTarget(target: RedisTarget, signal: AbortSignal): Promise<KeyTarget> {
  const connection = await connectRedis(target, { signal });
  try {
    const info = await readInfo(connection);
    if (!isClusterNode(info)) return judgeTarget(info, target);
    return await readCluster(target, await readClusterMasters(connection, info), signal);
  } finally {
    connection.close();
  }
}

/** Of a node now; undefined where it is no master any more, or is gone. */
export async function readTenure(
  target: RedisTarget,
  url: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const connection = await connectRedis(nodeTarget(target, url), { signal });
    try {
      return tenureOf(await readInfo(connection));
    } finally {
      connection.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AgentError) return undefined;
    throw error;
  }
}

/** A node of the target's cluster. */
export function nodeTarget(target: RedisTarget, url: string): RedisTarget {
  return { ...target, url, name: url.replace(/^\w+:\/\//, '') };
}

async function readCluster(
  target: RedisTarget,
  masters: readonly ClusterMaster[],
  signal: AbortSignal,
): Promise<KeyTarget> {
  const served = masters.filter(({ failed }) => !failed).flatMap(({ slots }) => slots);
  const missing = slotsWithout([[0, clusterSlots - 1]], served);
  if (missing.length > 0)
    throw new AgentError(
      'refused',
      `${target.name}: its cluster has no master for the slots ${formatSlots(missing)}`,
      {
        reason: 'cluster',
        hint: 'see: redis-cli --cluster check; keys of these slots could not be written',
      },
    );
  const nodes: KeyTarget[] = [];
  for (const { url } of masters) {
    const connection = await connectRedis(nodeTarget(target, url), { signal });
    try {
      nodes.push(judgeTarget(await readInfo(connection), { ...connection.target }));
    } finally {
      connection.close();
    }
  }
  return {
    ...sumUp(nodes),
    name: target.name,
    url: target.url,
    cluster: {
      nodes: masters.map(({ url, host, port, id, slots }, index) => ({
        url,
        address: `${host}:${port}`,
        node: id,
        slots,
        tenure: nodes[index]?.tenure ?? null,
      })),
    },
  };
}

/** As one server: what the weakest of them can, and what all of them have. */
function sumUp(nodes: readonly KeyTarget[]): KeyTarget {
  const [weakest] = nodes.toSorted((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }));
  if (weakest === undefined) throw new Error('a cluster without nodes');
  const sum = (of: (node: KeyTarget) => number): number => nodes.reduce((total, node) => total + of(node), 0);
  const databases: Record<string, number> = {};
  for (const [database, keys] of nodes.flatMap((node) => Object.entries(node.databases)))
    databases[database] = (databases[database] ?? 0) + keys;
  const limited = nodes.every(({ maxmemory }) => maxmemory > 0);
  const evicting = nodes.find((node) => node.maxmemory_policy !== 'noeviction');
  return {
    ...weakest,
    // Another process of any of them need not have all that was written before.
    run_id: nodes
      .map((node) => node.run_id ?? '')
      .toSorted()
      .join(' '),
    replication_id: null,
    tenure: nodes
      .map((node) => node.tenure ?? '')
      .toSorted()
      .join(' '),
    databases,
    used_memory: sum((node) => node.used_memory),
    maxmemory: limited ? sum(({ maxmemory }) => maxmemory) : 0,
    maxmemory_policy: (evicting ?? weakest).maxmemory_policy,
    aof: nodes.every(({ aof }) => aof),
  };
}
