import type { Block, ReportDocument, Section } from '../document.ts';
import type { InstanceFacts, ReportFacts } from '../facts.ts';
import { availabilityBlocks } from './availability.ts';
import { backupBlocks, keyspaceBlocks } from './data.ts';
import { auditBlocks, noticeBlocks, taskBlocks } from './duty.ts';
import { formatMoment, formatSpan, plural } from './format.ts';
import { overviewOf } from './overview.ts';
import { queueBlocks } from './queues.ts';
import { memoryBlocks, slowBlocks, trafficBlocks } from './traffic.ts';
import { verdictOf } from './verdict.ts';

/** The report of some facts: what is said and in which order. */
export function buildReport(facts: ReportFacts): ReportDocument {
  const { instances, since, now, timezone, host, agentVersion } = facts;
  const several = instances.length > 1;
  return {
    title: several ? `Redis on ${host}` : `Redis: ${instances[0]?.name ?? host}`,
    subtitle: `${formatMoment(since, timezone)} to ${formatMoment(now, timezone)} (${timezone}), on ${host}`,
    generatedAt: new Date(now).toISOString(),
    verdict: verdictOf(facts),
    sections: [
      ...(several
        ? [
            {
              id: 'overview',
              title: 'Overview',
              blocks: [{ kind: 'table' as const, table: overviewOf(facts) }],
            },
          ]
        : []),
      ...instances.flatMap((instance) => sectionsOf(instance, facts, several)),
    ],
    notes: [
      'Availability counts the time in which the agent looked: time in which nobody looked counts neither as up nor as down.',
      'The key space comes from the newest backup and not from the server; memory by key is estimated.',
      `Made by redis-agent ${agentVersion}. This page loads nothing and sends nothing.`,
    ],
  };
}

function sectionsOf(instance: InstanceFacts, facts: ReportFacts, several: boolean): Section[] {
  const section = (id: string, title: string, blocks: Block[]): Section[] =>
    blocks.length === 0
      ? []
      : [
          {
            id: several ? `${instance.name}-${id}` : id,
            title: several ? `${instance.name}: ${title}` : title,
            ...(several ? { of: instance.name } : {}),
            blocks,
          },
        ];
  return [
    ...section('availability', 'Availability and incidents', [
      ...serverBlocks(instance),
      ...availabilityBlocks(instance, facts),
    ]),
    ...section('memory', 'Memory', memoryBlocks(instance, facts)),
    ...section('traffic', 'Commands, latency and clients', trafficBlocks(instance, facts)),
    ...section('slow', 'Slow commands', slowBlocks(instance)),
    ...section('queues', 'Queues', queueBlocks(instance, facts)),
    ...section('backups', 'Backups', backupBlocks(instance, facts)),
    ...section('keys', 'Key space', keyspaceBlocks(instance, facts)),
    ...section('audit', 'Security audit', auditBlocks(instance, facts)),
    ...section('tasks', 'Maintenance', taskBlocks(instance, facts)),
    ...section('notices', 'Notices', noticeBlocks(instance, facts)),
  ];
}

function serverBlocks({ server }: InstanceFacts): Block[] {
  if ('problem' in server)
    return [{ kind: 'text', tone: 'bad', text: [server.problem, server.hint].filter(Boolean).join('; ') }];
  const { engine, version, role, uptime_seconds, keys, clients, aof, last_save_ok } = server;
  return [
    {
      kind: 'text',
      tone: last_save_ok ? 'none' : 'bad',
      text:
        `${engine} ${version}, ${role}, up ${formatSpan(uptime_seconds * 1000)}, ${plural(keys, 'key', 'keys')}, ` +
        `${plural(clients, 'client', 'clients')}, last save ${last_save_ok ? 'ok' : 'FAILED'}, AOF ${aof ? 'on' : 'off'}.`,
    },
  ];
}
