import type { Table, TableCell } from '../document.ts';
import type { InstanceFacts, ReportFacts } from '../facts.ts';
import { availabilityOf } from './availability.ts';
import { cell, formatSpan, formatValue, plural } from './format.ts';

/** A row an instance: what one looks at first. */
export function overviewOf(facts: ReportFacts): Table {
  return {
    caption: 'All instances',
    columns: [
      { title: 'Instance', align: 'left' },
      ...columns.map(({ title }, index) => ({
        title,
        align: index === 0 ? ('left' as const) : ('right' as const),
      })),
    ],
    rows: facts.instances.map((instance) => [
      cell(instance.name),
      ...columns.map(({ of }) => of(instance, facts)),
    ]),
    empty: 'No instance.',
  };
}

const columns: { title: string; of: (instance: InstanceFacts, facts: ReportFacts) => TableCell }[] = [
  {
    title: 'Server',
    of: ({ server }) =>
      'problem' in server
        ? cell('does not answer', 'bad')
        : cell(`${server.engine} ${server.version}`, 'good'),
  },
  {
    title: 'Up',
    of({ history }, { since, now }) {
      const { share } = availabilityOf(history.up, since, now);
      return cell(share === null ? '–' : formatValue(100 * share, 'percent'));
    },
  },
  {
    title: 'Memory',
    of({ server }) {
      if ('problem' in server) return cell('–');
      const { used_memory: used, memory_limit: limit } = server;
      return cell(formatValue(used, 'bytes') + (limit === null ? '' : ` of ${formatValue(limit, 'bytes')}`));
    },
  },
  {
    title: 'Newest backup',
    of({ backups }, { now }) {
      const newest = 'problem' in backups ? undefined : backups.at(-1);
      return newest === undefined ? cell('none', 'bad') : cell(`${formatSpan(now - newest.at)} old`);
    },
  },
  { title: 'Audit', of: ({ audit }) => cell(audit === null ? '–' : `${audit.score} of 100`) },
  {
    title: 'Findings',
    of({ findings }) {
      const bad = findings.filter(({ severity }) => severity === 'critical' || severity === 'high').length;
      return cell(String(findings.length), bad > 0 ? 'bad' : findings.length > 0 ? 'warning' : 'good');
    },
  },
  {
    title: 'Overdue',
    of({ tasks }) {
      const late = tasks.filter(({ state }) => state === 'overdue').length;
      return cell(late === 0 ? '–' : plural(late, 'task', 'tasks'), late === 0 ? 'none' : 'warning');
    },
  },
];
