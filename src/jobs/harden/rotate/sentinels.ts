import { AgentError, messageOf } from '../../../domain/errors.ts';
import { connectRedis, type RedisConnection } from '../../../redis/connection/connect.ts';
import { again } from './again.ts';
import { addressOf, readClients, type NodeRequest, type RotationNode } from './nodes.ts';
import { until } from './until.ts';
import type { Clock } from '../../../domain/clock.ts';

const patience = 30_000;

/** Do Sentinels log in as the user? They say so by the name that they give their connections. */
export function sentinelsOf(nodes: readonly RotationNode[]): string[] {
  const names = nodes.flatMap(({ clients }) => clients.filter(({ name }) => name.startsWith('sentinel-')));
  return [...new Set(names.map(({ name }) => name.replace(/-(?:cmd|pubsub)$/, '')))];
}

/** One Sentinel, and what it calls the masters that are among the nodes. */
export interface WatchedBy {
  url: string;
  connection: RedisConnection;
  masters: string[];
}

/** Connects to each; rejects where one cannot be asked or watches none of them. The caller closes the connections. */
export async function openSentinels(
  urls: readonly string[],
  nodes: readonly RotationNode[],
  { instance: { tls }, signal }: Pick<NodeRequest, 'instance' | 'signal'>,
): Promise<WatchedBy[]> {
  const opened: WatchedBy[] = [];
  try {
    for (const url of urls) {
      const connection = await connectRedis({ name: `sentinel ${addressOf(url)}`, url, tls }, { signal });
      const watched: WatchedBy = { url, connection, masters: [] };
      opened.push(watched);
      watched.masters = await mastersOf(connection, nodes);
      if (watched.masters.length === 0)
        throw new AgentError('usage', `the Sentinel ${addressOf(url)} watches none of these servers`, {
          hint: 'is it the right one? redis-cli -p 26379 SENTINEL MASTERS',
        });
    }
    return opened;
  } catch (error) {
    for (const { connection } of opened) connection.close();
    throw error;
  }
}

async function mastersOf(connection: RedisConnection, nodes: readonly RotationNode[]): Promise<string[]> {
  const reply = await connection.call('SENTINEL', 'MASTERS');
  const ports = new Set(nodes.map(({ address }) => address.replace(/^.*:/, '')));
  const runIds = new Set(nodes.map(({ runId }) => runId));
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((entry) => {
    const words = Array.isArray(entry) ? entry.map(String) : [];
    const field = (name: string): string => words[words.indexOf(name) + 1] ?? '';
    return runIds.has(field('runid')) || ports.has(field('port')) ? [field('name')] : [];
  });
}

/**
 * Tells each Sentinel the new password, which they do not tell one another, and has them log in with it now: the old link
 * would go on for ever and the first failover would fail.
 */
export async function moveSentinels(
  sentinels: readonly WatchedBy[],
  nodes: readonly RotationNode[],
  { user, password, clock, signal }: { user: string; password: string; clock: Clock; signal: AbortSignal },
): Promise<void> {
  for (const { connection, masters } of sentinels)
    for (const name of masters) await connection.call('SENTINEL', 'SET', name, 'auth-pass', password);
  for (const node of nodes) await reconnect(node, user, clock, signal);
  for (const { connection, masters, url } of sentinels)
    for (const name of masters)
      await until(
        async () => String(await connection.call('SENTINEL', 'CKQUORUM', name)).startsWith('OK'),
        { clock, signal, patience },
        (cause) =>
          new AgentError(
            'failed',
            `the Sentinel ${addressOf(url)} has no quorum for ${name}: ${messageOf(cause)}`,
            {
              hint: `both passwords are valid meanwhile; see the Sentinels’ logs, ${again(user)}`,
            },
          ),
      );
}

async function reconnect(node: RotationNode, user: string, clock: Clock, signal: AbortSignal): Promise<void> {
  const isOf = (client: { name: string; user: string }): boolean =>
    client.name.startsWith('sentinel-') && client.user === user;
  const old = (await readClients(node.connection)).filter(isOf);
  for (const { id } of old) await node.connection.call('CLIENT', 'KILL', 'ID', id);
  const names = new Set(old.map(({ name }) => name));
  await until(
    async () => {
      const there = (await readClients(node.connection)).filter(isOf).map(({ name }) => name);
      return [...names].every((name) => there.includes(name));
    },
    { clock, signal, patience },
    () =>
      new AgentError('failed', `a Sentinel has not logged in at ${node.address} again`, {
        hint: `both passwords are valid meanwhile; ACL LOG of ${node.address} and the Sentinels’ logs say why. Is one not named with --sentinel?`,
      }),
  );
}
