import { setTimeout as delay } from 'node:timers/promises';
import type { Reply } from '../../../src/redis/connection/connect.ts';
import { freePort } from './free-port.ts';
import { serverBuilds, type ServerBuild } from './server-builds.ts';
import type { Directives } from './server-config.ts';

const slots = 16_384;

/** What a node is started with. Before 7.0 its bus takes the port 10000 above its own. */
export async function nodeConfig(build?: ServerBuild): Promise<Directives> {
  return {
    'cluster-enabled': 'yes',
    ...(!isOld(build) && { 'cluster-port': String(await freePort()) }),
    'cluster-node-timeout': '2000',
  };
}

function isOld(build: ServerBuild | undefined): boolean {
  return build?.engine === 'redis' && Number.parseInt(build.version, 10) < 7;
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
  return serverBuilds().filter((build) => !isOld(build));
}

/** The oldest one that has to be asked by CLUSTER NODES. */
export function oldClusterBuild(): ServerBuild | undefined {
  return serverBuilds()
    .filter(isOld)
    .toSorted((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }))[0];
}

/** Makes one cluster of these servers, which have no keys yet; each gets the same share of the slots. */
export async function joinCluster(nodes: readonly Node[]): Promise<void> {
  const [first] = nodes;
  if (first === undefined) return;
  const share = Math.ceil(slots / nodes.length);
  for (const [index, node] of nodes.entries()) {
    await node.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    const [from, to] = [index * share, Math.min(slots, (index + 1) * share)];
    // Before 7.0 each by itself.
    const all = Array.from({ length: to - from }, (_, at) => from + at);
    await node
      .call('CLUSTER', 'ADDSLOTSRANGE', from, to - 1)
      .catch(async () => await node.call('CLUSTER', 'ADDSLOTS', ...all));
  }
  for (const node of nodes.slice(1)) await meet(first, node);
  await untilServed(nodes);
}

async function meet(first: Node, node: Node): Promise<void> {
  const { port } = new URL(node.url);
  const [, busPort] = words(await node.call('CONFIG', 'GET', 'cluster-port'));
  await first.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort ?? Number(port) + 10_000);
}

/** Makes an empty server a replica of one of the nodes, and waits until it has its data. */
export async function addReplica(nodes: readonly Node[], master: Node, replica: Node): Promise<void> {
  await meet(master, replica);
  await untilServed([...nodes, replica]);
  await replica.call('CLUSTER', 'REPLICATE', String(await master.call('CLUSTER', 'MYID')));
  await until(replica, /master_link_status:up/);
  // All of them know whose it is: only then may it take over.
  const id = String(await replica.call('CLUSTER', 'MYID'));
  for (const node of nodes)
    while (!new RegExp(`${id} .*slave`).test(String(await node.call('CLUSTER', 'NODES')))) await delay(20);
}

/** Until INFO replication says so. */
export async function until(node: Node, says: RegExp): Promise<void> {
  while (!says.test(String(await node.call('INFO', 'replication')))) await delay(20);
}

/**
 * What DEBUG DIGEST would say of one server with the keys of all of them, which are three masters with keys: each is the sum
 * (XOR) of the digests of its keys and of its database's number.
 */
export async function digestOf(nodes: readonly [Node, Node, Node]): Promise<string> {
  let sum = 0n;
  for (const node of nodes) sum ^= BigInt(`0x${String(await node.call('DEBUG', 'DIGEST'))}`);
  return sum.toString(16).padStart(40, '0');
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
