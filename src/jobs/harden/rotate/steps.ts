import { counted } from '../../../lib/text/counted.ts';
import type { Clock } from '../../../domain/clock.ts';
import { AgentError, messageOf } from '../../../domain/errors.ts';
import type { Secret } from '../../../domain/secret.ts';
import { sha256 } from '../../../harden/read/hash.ts';
import type { ListedClient } from '../../../formats/clients/client-list.ts';
import type { Consumers } from '../../../harden/rotate/consumers.ts';
import { logged, refusedSince, type Refused } from '../../../harden/rotate/judge-refusals.ts';
import { aclLogCommand, readAclLog } from '../../../redis/acl-log.ts';
import { connectRedis } from '../../../redis/connection/connect.ts';
import { readInfo } from '../../../redis/server.ts';
import { again } from './again.ts';
import { keepMasterauth, keepPasswords, migrateFile } from './files.ts';
import type { RotationJournal, RotationStep } from './journal.ts';
import { connectNode, readClients, readUser, type NodeRequest, type RotationNode } from './nodes.ts';
import { moveSentinels, type WatchedBy } from './sentinels.ts';
import { until } from './until.ts';

/** What the steps work with. */
export interface Rotation {
  request: NodeRequest;
  nodes: readonly RotationNode[];
  sentinels: readonly WatchedBy[];
  consumers: Consumers;
  password: Secret;
  journal: RotationJournal;
  /** Milliseconds for old connections to end by themselves. */
  wait: number;
  /** They are shown when the time is over, and closed at the end. */
  stragglers: Straggler[];
  closed: number;
  /** Who was refused since the old password has gone. */
  refused: (Refused & { node: string })[];
  clock: Clock;
  signal: AbortSignal;
  progress(this: void, phase: string): void;
}

export interface Straggler {
  node: string;
  address: string;
  name: string;
  age_seconds: number;
}

const patience = 60_000;
const reconnecting = 1000;

/** Every step does what is left of it, so that one that was cut short is done again. */
export const stepWork: Record<RotationStep, (rotation: Rotation) => Promise<void> | void> = {
  begin() {},
  async migrate({ nodes }) {
    for (const node of nodes) await migrateFile(node);
  },
  async add({ nodes, password, request: { user } }) {
    const hash = sha256(password.reveal());
    for (const { connection } of nodes) await connection.call('ACL', 'SETUSER', user, `#${hash}`);
  },
  async keep({ nodes, password, request: { user } }) {
    for (const node of nodes) await keepPasswords(node, user, { add: sha256(password.reveal()) });
  },
  'hand-over': handOver,
  replication: moveReplicas,
  async sentinels({ sentinels, nodes, password, clock, signal, request: { user } }) {
    if (sentinels.length > 0)
      await moveSentinels(sentinels, nodes, { user, password: password.reveal(), clock, signal });
  },
  wait: waitForOld,
  // The run ends here where a person has to change a file, and the same command goes on.
  'by-hand'() {},
  // What was refused before has nothing to do with it.
  async refusals({ nodes, journal, clock, request: { user } }) {
    journal.refusals = {};
    for (const { connection, url, runId } of nodes) {
      const log = readAclLog(await connection.call(...aclLogCommand));
      journal.refusals[url] = { runId, lines: logged(log, user, clock.now()) };
    }
  },
  async retire({ nodes, password, request }) {
    const { user } = request;
    const wanted = sha256(password.reveal());
    for (const { connection, address, url } of nodes) {
      await requireAccepted(url, address, password, request);
      const { hashes = [] } = await readUser(connection, user);
      const old = hashes.filter((hash) => hash !== wanted).map((hash) => `!${hash}`);
      if (!hashes.includes(wanted)) throw lost(address, user);
      if (old.length > 0) await connection.call('ACL', 'SETUSER', user, ...old);
    }
  },
  'keep-new': async ({ nodes, password, request: { user } }) => {
    for (const node of nodes) await keepPasswords(node, user, { only: sha256(password.reveal()) });
  },
  close: closeOld,
  verify,
};

async function handOver(rotation: Rotation): Promise<void> {
  const { request, journal, password, signal, progress, nodes, consumers } = rotation;
  for (const path of journal.secretFiles) await consumers.writeFile(path, password.reveal());
  for (const hook of journal.hooks) {
    progress(`the hook ${hook} hands it on`);
    await consumers.runHook(
      hook,
      { instance: journal.instance, user: journal.user, password: password.reveal() },
      signal,
    );
  }
  for (const { url, runId } of nodes) {
    // The newest id of all: every connection up to it was there before.
    const probe = await connectNode(url, request);
    journal.marks[url] = { runId, id: Number(await probe.call('CLIENT', 'ID')) };
    probe.close();
  }
}

/** masterauth is only tried at the next reconnect, which may be the failover: so it is forced now. */
async function moveReplicas({ nodes, password, clock, signal, request: { user } }: Rotation): Promise<void> {
  const moved = nodes.filter(({ replicates }) => replicates);
  if (moved.length === 0) return;
  for (const node of moved) {
    await node.connection.call('CONFIG', 'SET', 'masterauth', password.reveal());
    await keepMasterauth(node, password.reveal());
  }
  for (const { connection } of nodes) await connection.call('CLIENT', 'KILL', 'TYPE', 'replica');
  for (const { connection, address } of moved)
    await until(
      async () => {
        const info = await readInfo(connection, 'replication');
        return info.get('role') !== 'slave' || info.get('master_link_status') === 'up';
      },
      { clock, signal, patience },
      () =>
        new AgentError('failed', `the replica ${address} has not come back to its master as ${user}`, {
          hint: `both passwords are valid meanwhile; its log says why, and INFO replication how far it is`,
        }),
    );
}

/** Connections that were there when the consumers had been told, those that the steps have moved apart. */
async function oldConnections({
  nodes,
  journal,
  request: { user },
}: Rotation): Promise<[RotationNode, ListedClient][]> {
  const found: [RotationNode, ListedClient][] = [];
  for (const node of nodes) {
    const mark = journal.marks[node.url];
    if (mark === undefined || mark.runId !== node.runId) continue;
    const own = Number(await node.connection.call('CLIENT', 'ID'));
    for (const client of await readClients(node.connection))
      if (client.user === user && client.id <= mark.id && client.id !== own && !/[SM]/.test(client.flags))
        found.push([node, client]);
  }
  return found;
}

async function waitForOld(rotation: Rotation): Promise<void> {
  const { clock, signal, wait, progress } = rotation;
  const end = clock.monotonic() + wait;
  for (;;) {
    const left = await oldConnections(rotation);
    rotation.stragglers = left.map(([node, { address, name, age }]) => ({
      node: node.address,
      address,
      name,
      age_seconds: age,
    }));
    if (left.length === 0 || clock.monotonic() >= end) return;
    progress(`${counted(left.length, 'connection is', 'connections are')} older than the new password`);
    await clock.sleep(Math.min(1000, Math.max(1, end - clock.monotonic())), signal);
  }
}

/** One after the other, so that no client loses all of its pool at once. */
async function closeOld(rotation: Rotation): Promise<void> {
  const { clock, signal } = rotation;
  for (const [node, { id }] of await oldConnections(rotation)) {
    await node.connection.call('CLIENT', 'KILL', 'ID', id);
    rotation.closed++;
    await clock.sleep(20, signal);
  }
}

async function verify(rotation: Rotation): Promise<void> {
  const { nodes, password, clock, signal, request, journal } = rotation;
  const wanted = sha256(password.reveal());
  for (const { connection, address, url } of nodes) {
    const { hashes = [] } = await readUser(connection, request.user);
    if (hashes.length !== 1 || hashes[0] !== wanted) throw lost(address, request.user);
    await requireAccepted(url, address, password, request);
  }
  // Those that were closed log in again, or are refused.
  if (rotation.closed > 0) await clock.sleep(reconnecting, signal);
  for (const { connection, address, url, runId } of nodes) {
    // One that was started since has only what came after.
    const before = journal.refusals?.[url];
    const lines = before?.runId === runId ? before.lines : [];
    const log = readAclLog(await connection.call(...aclLogCommand));
    const since = refusedSince(lines, log, request.user, clock.now());
    rotation.refused.push(...since.map((each) => ({ node: address, ...each })));
  }
}

async function requireAccepted(
  url: string,
  address: string,
  password: Secret,
  { instance: { tls }, user: username, signal }: NodeRequest,
): Promise<void> {
  try {
    (await connectRedis({ name: address, url, tls, username, password }, { signal })).close();
  } catch (error) {
    throw new AgentError('failed', `${address} does not take the new password: ${messageOf(error)}`, {
      hint: `the old one is still valid: find out who has changed it, ${again(username)}`,
      cause: error,
    });
  }
}

function lost(address: string, user: string): AgentError {
  return new AgentError(
    'failed',
    `somebody else has changed the passwords of ${user} on ${address} meanwhile`,
    {
      hint: `find out who, ${again(user)}: that puts the new one there first`,
      reason: 'changed',
    },
  );
}
