import type { Rotation, TaskState } from '../../domain/task.ts';
import type { Block, Tone } from '../document.ts';
import type { InstanceFacts, ReportFacts, TaskFacts } from '../facts.ts';
import { cell, figure, formatDay, formatMoment, formatValue, toneOf } from './format.ts';

export function auditBlocks({ audit }: InstanceFacts, { timezone }: ReportFacts): Block[] {
  if (audit === null) return [{ kind: 'text', tone: 'warning', text: 'Never audited: redis-agent audit' }];
  const { score, coverage, before, counts, at, worst } = audit;
  const serious = counts.critical + counts.high;
  return [
    {
      kind: 'figures',
      figures: [
        figure(
          'Score',
          `${score} of 100`,
          before === null ? null : `${before.score} on ${formatDay(before.at, timezone)}`,
          score >= 90 ? 'good' : score >= 70 ? 'warning' : 'bad',
        ),
        figure('Could be judged', formatValue(100 * coverage, 'percent'), 'of the checks'),
        figure(
          'Critical and high',
          String(serious),
          `${counts.warning} medium, ${counts.info} low`,
          serious > 0 ? 'bad' : 'good',
        ),
        figure('Audited', formatMoment(at, timezone)),
      ],
    },
    {
      kind: 'table',
      table: {
        caption: 'What it found, worst first',
        columns: [
          { title: 'Check', align: 'left' },
          { title: 'Severity', align: 'left' },
          { title: 'What', align: 'left' },
          { title: 'What to do', align: 'left' },
        ],
        rows: worst.map(({ rule, severity, title, remedy }) => [
          cell(rule),
          cell(severity, toneOf[severity]),
          cell(title),
          cell(remedy),
        ]),
        empty: 'Nothing.',
      },
    },
  ];
}

const groups: readonly (readonly [Rotation, string])[] = [
  ['weekly', 'Every week'],
  ['monthly', 'Every month'],
  ['quarterly', 'Every quarter'],
  ['own', 'Of one’s own'],
  ['once', 'Before going live'],
];

const stateTone: Record<TaskState, Tone> = {
  upcoming: 'good',
  soon: 'none',
  due: 'warning',
  overdue: 'bad',
  done: 'good',
  open: 'warning',
};

export function taskBlocks({ tasks }: InstanceFacts, { timezone }: ReportFacts): Block[] {
  return groups.flatMap(([rotation, title]): Block[] => {
    const chosen = tasks.filter(({ task }) => task.rotation === rotation);
    if (chosen.length === 0) return [];
    return [
      {
        kind: 'table',
        table: {
          caption: title,
          columns: [
            { title: 'Task', align: 'left' },
            { title: 'State', align: 'left' },
            { title: 'Due', align: 'left' },
            { title: 'Last', align: 'left' },
          ],
          rows: chosen.map((entry) => [
            cell(entry.task.title),
            cell(entry.state === 'upcoming' ? 'in order' : entry.state, stateTone[entry.state]),
            cell(entry.dueAt === null ? '–' : formatDay(entry.dueAt, timezone)),
            cell(lastOf(entry, timezone)),
          ]),
          empty: 'None.',
        },
      },
    ];
  });
}

function lastOf({ last }: TaskFacts, timezone: string): string {
  if (last === null) return 'not yet';
  const seen = last.evidence.map(({ text }) => text).join('; ');
  const why =
    last.outcome === 'skipped' ? `skipped: ${last.note}` : [last.note, seen].filter(Boolean).join('; ');
  return `${formatDay(last.at, timezone)}, ${last.by}${why === '' ? '' : `: ${why}`}`;
}

export function noticeBlocks({ notices }: InstanceFacts, { timezone }: ReportFacts): Block[] {
  const shown = notices.slice(0, 15);
  return [
    {
      kind: 'table',
      table: {
        caption: `Notices sent, newest first${notices.length > shown.length ? ` (${shown.length} of ${notices.length})` : ''}`,
        columns: [
          { title: 'When', align: 'left' },
          { title: 'Channel', align: 'left' },
          { title: 'What', align: 'left' },
          { title: '', align: 'left' },
        ],
        rows: shown.map(({ at, channel, subject, outcome }) => [
          cell(formatMoment(at, timezone)),
          cell(channel),
          cell(subject),
          cell(outcome, outcome === 'sent' ? 'good' : 'warning'),
        ]),
        empty: 'None in this span.',
      },
    },
  ];
}
