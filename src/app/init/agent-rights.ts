import type { MonitorSettings } from '../../domain/settings/monitor.ts';
import { keyRights, queueRights, watchRights } from '../../monitor/rights.ts';

/** What backups need. No key, no channel, nothing that changes the server but a save. */
const backup = ['+ping', '+info', '+time', '+config|get', '+bgsave'];

/** Which slots a node of a cluster has, and where the others are. */
function clusterRights(version: string | undefined): string[] {
  return ['+cluster|nodes', ...(isOld(version) ? [] : ['+cluster|shards'])];
}

function isOld(version: string | undefined): boolean {
  return version !== undefined && Number.parseInt(version, 10) < 7;
}

/** What the audit reads besides: who may do what, refusals, modules. It shows hashes of passwords, and changes nothing. */
function auditRights(version: string | undefined): string[] {
  return [
    '+acl|list',
    '+acl|log',
    '+module|list',
    '+client|list',
    '+client|id',
    ...(isOld(version) ? [] : ['+acl|dryrun']),
  ];
}

export type RightsPurpose = 'backup' | 'watching' | 'queues' | 'audit';

export interface PurposeRights {
  purpose: RightsPurpose;
  /** As in ACL SETUSER, for a server of that version. */
  rights: string[];
}

/** All that the agent’s user needs, by what it is for; without settings what a new user is given. */
export function agentRights(
  version: string | undefined,
  { instance, monitor }: { instance?: string; monitor?: Pick<MonitorSettings, 'queues' | 'patterns'> } = {},
): PurposeRights[] {
  const queues = queueRights(version);
  const named = monitor === undefined ? [] : namedKeys(instance, monitor);
  return [
    { purpose: 'backup', rights: backup },
    {
      purpose: 'watching',
      rights: [...watchRights(version).filter((right) => !queues.includes(right)), ...clusterRights(version)],
    },
    { purpose: 'queues', rights: [...new Set([...queues, ...keyRights(version, named)])] },
    { purpose: 'audit', rights: auditRights(version) },
  ];
}

/** The keys that the configuration has the agent look at, as patterns. */
function namedKeys(
  instance: string | undefined,
  { queues, patterns }: Pick<MonitorSettings, 'queues' | 'patterns'>,
): string[] {
  const isOfThis = (entry: { instance?: string | undefined }): boolean =>
    entry.instance === undefined || instance === undefined || entry.instance === instance;
  const ofQueues = queues
    .filter((queue) => isOfThis(queue) && queue.ignore !== true)
    .flatMap(({ name, prefix, list, zset, stream, processing, completed }) => [
      ...(name !== undefined && prefix !== undefined ? [`${literal(prefix)}:*`] : []),
      ...[list, zset, stream, processing, completed].flatMap((key) =>
        key === undefined ? [] : [literal(key)],
      ),
    ]);
  const ofPatterns = Object.values(patterns)
    .filter(isOfThis)
    .map(({ match }) => match);
  // A rule cannot hold a blank.
  return [...new Set([...ofQueues, ...ofPatterns])].filter((pattern) => !/\s/.test(pattern));
}

/** A name in which nothing stands for something else. */
function literal(name: string): string {
  return name.replaceAll(/[*?[\]\\]/g, '\\$&');
}
