import type { ReportDocument, Tone, Verdict } from '../document.ts';
import { cell, formatMoment, formatSpan, plural } from './format.ts';

/** One host of many, as the repository knows it. Times are milliseconds. */
export interface FleetFacts {
  instance: string;
  host: string | null;
  server: string | null;
  backups: number;
  newestAt: number | null;
  provenAt: number | null;
  drilled: { at: number; ok: boolean } | null;
  /** When its agent was last heard of; null: it writes no status. */
  heardAt: number | null;
  /** Findings at `high` or above; null where no status says it. */
  serious: number | null;
  auditScore: number | null;
  auditedAt: number | null;
  problem: string | null;
}

export interface FleetLimits {
  /** A newest backup older than this is stale, milliseconds; also a newest proof older than four times that. */
  staleAfter: number;
  /** A drill or an audit older than this is overdue; null: never. */
  overdueAfter: number | null;
}

/** What is wrong with one host, worst first; empty: nothing. */
export function judgeHost(
  host: FleetFacts,
  { staleAfter, overdueAfter }: FleetLimits,
  now: number,
): { tone: Tone; text: string }[] {
  const old = (at: number | null, limit: number): boolean => at !== null && now - at > limit;
  const found: { tone: Tone; text: string }[] = [];
  if (host.newestAt === null) found.push({ tone: 'bad', text: 'no backup' });
  else if (old(host.newestAt, staleAfter))
    found.push({ tone: 'bad', text: `stale: the newest backup is ${formatSpan(now - host.newestAt)} old` });
  if (host.newestAt !== null && host.provenAt === null)
    found.push({ tone: 'bad', text: 'unproven: no backup has a proof' });
  else if (old(host.provenAt, staleAfter * 4))
    found.push({
      tone: 'warning',
      text: `unproven: the newest proof is ${formatSpan(now - (host.provenAt ?? 0))} old`,
    });
  if (host.drilled?.ok === false) found.push({ tone: 'bad', text: 'the last drill did not restore' });
  else if (host.drilled === null) found.push({ tone: 'warning', text: 'never drilled' });
  else if (overdueAfter !== null && old(host.drilled.at, overdueAfter))
    found.push({ tone: 'warning', text: `last drilled ${formatSpan(now - host.drilled.at)} ago` });
  if (host.serious !== null && host.serious > 0)
    found.push({ tone: 'bad', text: plural(host.serious, 'serious finding', 'serious findings') });
  if (host.heardAt !== null && old(host.heardAt, silent))
    found.push({
      tone: 'warning',
      text: `its agent was last heard of ${formatSpan(now - host.heardAt)} ago`,
    });
  if (host.heardAt !== null && host.auditedAt === null) found.push({ tone: 'warning', text: 'unaudited' });
  if (host.problem !== null) found.push({ tone: 'warning', text: host.problem });
  return found.toSorted((a, b) => Number(b.tone === 'bad') - Number(a.tone === 'bad'));
}

/** Three statuses left out. */
const silent = 3 * 60 * 60 * 1000 + 10 * 60 * 1000;

/** The page of a repository that many hosts write to. */
export function buildFleetReport(
  hosts: readonly FleetFacts[],
  limits: FleetLimits,
  {
    now,
    timezone,
    repository,
    agentVersion,
  }: { now: number; timezone: string; repository: string; agentVersion: string },
): ReportDocument {
  const judged = hosts.map((host) => ({ host, problems: judgeHost(host, limits, now) }));
  const points: Verdict['points'] = judged
    .flatMap(({ host, problems }) =>
      problems.map(({ tone, text }) => ({ tone, text: `${host.instance}: ${text}`, advice: null })),
    )
    .toSorted((a, b) => Number(b.tone === 'bad') - Number(a.tone === 'bad'));
  const bad = judged.filter(({ problems }) => problems.some(({ tone }) => tone === 'bad')).length;
  const warned = judged.filter(({ problems }) => problems.length > 0).length - bad;
  const fine = hosts.length - bad - warned;
  return {
    title: plural(hosts.length, 'instance in one repository', 'instances in one repository'),
    subtitle: `${repository}, ${formatMoment(now, timezone)} (${timezone})`,
    generatedAt: new Date(now).toISOString(),
    verdict: {
      tone: bad > 0 ? 'bad' : warned > 0 ? 'warning' : 'good',
      headline:
        bad + warned === 0
          ? 'All are in order.'
          : `${bad} of ${hosts.length} need somebody, ${plural(warned, 'has a warning', 'have warnings')}, ${fine} in order.`,
      points: points.slice(0, 12),
      next: [],
    },
    sections: [
      {
        id: 'hosts',
        title: 'Instances',
        blocks: [
          {
            kind: 'table',
            table: {
              caption: 'Those that need somebody first',
              columns: [
                'Instance',
                'Host',
                'Server',
                'Newest backup',
                'Proven',
                'Drilled',
                'Audit',
                'What is wrong',
              ].map((title) => ({ title, align: 'left' as const })),
              rows: judged
                .toSorted((a, b) => weight(b.problems) - weight(a.problems))
                .map(({ host, problems }) => [
                  cell(host.instance),
                  cell(host.host ?? '–'),
                  cell(host.server ?? '–'),
                  ago(host.newestAt, now),
                  ago(host.provenAt, now),
                  ago(host.drilled?.at ?? null, now),
                  cell(host.auditScore === null ? '–' : String(Math.round(host.auditScore))),
                  problems.length === 0
                    ? cell('nothing', 'good')
                    : cell(problems.map(({ text }) => text).join('; '), problems[0]?.tone ?? 'none'),
                ]),
              empty: 'None has a backup in it.',
            },
          },
        ],
      },
    ],
    notes: [
      'From the names in the repository and each agent’s newest status; no backup was opened. Whoever can write to the repository can write these.',
      `Made by redis-agent ${agentVersion}. This page loads nothing and sends nothing.`,
    ],
  };
}

function weight(problems: readonly { tone: Tone }[]): number {
  return problems.filter(({ tone }) => tone === 'bad').length * 100 + problems.length;
}

function ago(at: number | null, now: number): ReturnType<typeof cell> {
  return at === null ? cell('none', 'bad') : cell(formatSpan(now - at));
}
