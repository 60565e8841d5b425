import { setTimeout as delay } from 'node:timers/promises';
import type { Reply } from '../../../src/redis/connect.ts';
import { freePort } from './free-port.ts';
import { serverBuilds, type ServerBuild } from './server-builds.ts';
import type { Directives } from './server-config.ts';

const slots = 16_384;

/** What a node is started with; of 7.0 and newer. */
export async function nodeConfig(): Promise<Directives> {
  return {
    'cluster-enabled': 'yes',
    'cluster-port': String(await freePort()),
    'cluster-node-timeout': '2000',
  };
}

function words(reply: Reply): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}

/** A server that is a node. */
export interface Node {
  url: string;
  call(command: string, ...args: (string | number)[]): Promise<Reply>;
}

/** Those that know CLUSTER SHARDS. */
export function clusterBuilds(): ServerBuild[] {
  return serverBuilds().filter(
    ({ engine, version }) => engine === 'valkey' || Number.parseInt(version, 10) >= 7,
  );
}

/** Makes one cluster of these servers, which have no keys yet; each gets the same share of the slots. */
export async function joinCluster(nodes: readonly Node[]): Promise<void> {
  const [first] = nodes;
  if (first === undefined) return;
  const share = Math.ceil(slots / nodes.length);
  for (const [index, node] of nodes.entries()) {
    await node.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    await node.call('CLUSTER', 'ADDSLOTSRANGE', index * share, Math.min(slots, (index + 1) * share) - 1);
  }
  for (const node of nodes.slice(1)) {
    const [, busPort] = words(await node.call('CONFIG', 'GET', 'cluster-port'));
    await first.call('CLUSTER', 'MEET', '127.0.0.1', new URL(node.url).port, busPort ?? '');
  }
  await untilServed(nodes);
}

/** Until every node knows all others, and that all slots are served. */
async function untilServed(nodes: readonly Node[]): Promise<void> {
  for (const node of nodes)
    for (;;) {
      const info = String(await node.call('CLUSTER', 'INFO'));
      if (info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes.length}`)) break;
      await delay(20);
    }
}

/** Opens a slot for its move, as redis-cli does before it moves keys. */
export async function openSlot(from: Node, to: Node, slot: number): Promise<void> {
  await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(await from.call('CLUSTER', 'MYID')));
  await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(await to.call('CLUSTER', 'MYID')));
}

/** Moves these slots with their keys, as redis-cli --cluster reshard does. */
export async function moveSlots(
  nodes: readonly Node[],
  from: Node,
  to: Node,
  [first, last]: [number, number],
  auth: string[] = [],
): Promise<void> {
  const id = String(await to.call('CLUSTER', 'MYID'));
  const { hostname, port } = new URL(to.url);
  for (let slot = first; slot <= last; slot++) {
    await openSlot(from, to, slot);
    for (;;) {
      const keys = words(await from.call('CLUSTER', 'GETKEYSINSLOT', slot, 100));
      if (keys.length === 0) break;
      await from.call('MIGRATE', hostname, port, '', 0, 5000, ...auth, 'KEYS', ...keys);
    }
    for (const node of new Set([to, from, ...nodes])) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', id);
  }
}
