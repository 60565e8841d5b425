import { AgentError, hasReason } from '../../domain/errors.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import type { Info } from '../../formats/info/parse-info.ts';
import type { RedisConnection } from '../../redis/connection/connect.ts';
import { engineOf, readInfo } from '../../redis/server.ts';
import { seen, type PeerFacts, type Seen, type ServerFacts } from '../facts.ts';
import { usersOfList } from './read-users.ts';

export interface PeerOptions {
  instance: InstanceSettings;
  instances: readonly InstanceSettings[];
  connectTo(this: void, instance: InstanceSettings): Promise<RedisConnection>;
}

/** The users of the other nodes of its data, as far as they are instances of this agent. One that does not answer is left out. */
export async function readPeers(
  info: Info,
  cluster: ServerFacts['cluster'],
  { instance, instances, connectTo }: PeerOptions,
): Promise<Seen<PeerFacts[]>> {
  const inCluster = info.get('cluster_enabled') === '1';
  const replicated = info.get('role') === 'slave' || Number(info.get('connected_slaves') ?? 0) > 0;
  if (!inCluster && !replicated) return { absent: 'it has no replica and is none' };
  const peers: PeerFacts[] = [];
  for (const other of instances.filter(({ name }) => name !== instance.name)) {
    const peer = await readPeer(other, connectTo, (theirs, id) =>
      inCluster
        ? cluster.value?.some((node) => node.id === id) === true
        : theirs.get('master_replid') !== undefined &&
          theirs.get('master_replid') === info.get('master_replid'),
    );
    if (peer !== undefined) peers.push(peer);
  }
  return peers.length > 0
    ? seen(peers)
    : { missing: 'the other nodes: none of them is an instance of this agent, or none answers' };
}

async function readPeer(
  other: InstanceSettings,
  connectTo: PeerOptions['connectTo'],
  belongs: (info: Info, id: string) => boolean,
): Promise<PeerFacts | undefined> {
  let connection: RedisConnection | undefined;
  try {
    connection = await connectTo(other);
    const info = await readInfo(connection);
    const id = info.get('cluster_enabled') === '1' ? String(await connection.call('CLUSTER', 'MYID')) : '';
    if (!belongs(info, id)) return undefined;
    const engine = { ...engineOf(info), docker: false };
    const common = { instance: other.name, username: other.username ?? 'default' };
    const list = await connection.call('ACL', 'LIST').catch((error: unknown) => {
      if (hasReason(error, 'noperm')) return undefined;
      throw error;
    });
    if (!Array.isArray(list)) return { ...common, users: { missing: `ACL LIST on ${other.name}` } };
    return { ...common, users: seen(usersOfList(list.map(String), engine)) };
  } catch (error) {
    if (error instanceof AgentError) return undefined;
    throw error;
  } finally {
    connection?.close();
  }
}
