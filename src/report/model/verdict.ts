import { atLeast } from '../../domain/finding.ts';
import type { Tone, Verdict } from '../document.ts';
import type { InstanceFacts, ReportFacts } from '../facts.ts';
import { formatMoment, plural, toneOf } from './format.ts';

/** Points shown before they are summed up. */
const shown = 8;

/** What is wrong now, over all instances, and the next things to do. */
export function verdictOf({ instances, timezone }: ReportFacts): Verdict {
  const several = instances.length > 1;
  const points = instances.flatMap((instance) => pointsOf(instance, { several, timezone }));
  const bad = points.filter(({ tone }) => tone === 'bad').length;
  const warnings = points.filter(({ tone }) => tone === 'warning').length;
  const rest = points.length - shown;
  return {
    tone: bad > 0 ? 'bad' : warnings > 0 ? 'warning' : 'good',
    headline: headlineOf(bad, warnings, instances.length),
    points: [
      ...points.slice(0, shown),
      ...(rest > 0
        ? [
            {
              tone: 'none' as const,
              text: `and ${plural(rest, 'further finding', 'further findings')}`,
              advice: null,
            },
          ]
        : []),
    ],
    next: [...new Set(points.flatMap(({ advice }) => (advice === null ? [] : [advice])))].slice(0, 3),
  };
}

function pointsOf(
  instance: InstanceFacts,
  { several, timezone }: { several: boolean; timezone: string },
): Verdict['points'] {
  const where = several ? `${instance.name}: ` : '';
  const unreachable =
    'problem' in instance.server
      ? [{ tone: 'bad' as Tone, text: `${where}${instance.server.problem}`, advice: instance.server.hint }]
      : [];
  const findings = instance.findings
    .filter(({ severity }) => atLeast(severity, 'warning'))
    .map(({ severity, summary, remedy }) => ({
      tone: toneOf[severity],
      text: `${where}${summary}`,
      advice: remedy,
    }));
  const late = instance.tasks
    .filter(({ state }) => state === 'overdue')
    .filter(({ task }) => !instance.findings.some(({ resource }) => resource === task.id))
    .map(({ task, overdueDays }) => ({
      tone: 'warning' as Tone,
      text: `${where}overdue for ${plural(overdueDays, 'day', 'days')}: ${task.title}`,
      advice: `redis-agent maintenance show ${task.id}`,
    }));
  return [...unreachable, ...findings, ...late, ...unseenOf(instance, where, timezone)].toSorted(
    (a, b) => weight(b.tone) - weight(a.tone),
  );
}

/** What nobody has looked at is not well. */
function unseenOf(
  { history, audit, backups, findings }: InstanceFacts,
  where: string,
  timezone: string,
): Verdict['points'] {
  const point = (text: string, advice: string | null, tone: Tone = 'warning'): Verdict['points'] => [
    { tone, text: `${where}${text}`, advice },
  ];
  const isTold = findings.some(({ rule }) => rule.includes('backup'));
  return [
    ...(history.from === null ? point('it was not watched: no daemon has run', 'redis-agent run') : []),
    ...(history.lapsed === null
      ? []
      : point(
          `it has not been watched since ${formatMoment(history.lapsed, timezone)}: what is told of it is as it was then`,
          'systemctl status redis-agent',
        )),
    ...(audit === null ? point('it was never audited', 'redis-agent audit') : []),
    ...('problem' in backups ? point(backups.problem, backups.hint, 'bad') : []),
    ...(Array.isArray(backups) && backups.length === 0 && !isTold
      ? point('there is no backup', 'redis-agent backup')
      : []),
  ];
}

function weight(tone: Tone): number {
  return ['none', 'good', 'warning', 'bad'].indexOf(tone);
}

function headlineOf(bad: number, warnings: number, instances: number): string {
  if (bad === 0 && warnings === 0)
    return instances === 1 ? 'All is well.' : `All is well on ${plural(instances, 'instance', 'instances')}.`;
  const parts = [
    ...(bad > 0 ? [`${plural(bad, 'thing needs', 'things need')} somebody now`] : []),
    ...(warnings > 0 ? [plural(warnings, 'warning', 'warnings')] : []),
  ];
  return `${parts.join(', ')}.`;
}
