import type { Block, TableCell } from '../document.ts';
import type { InstanceFacts, QueueFacts, ReportFacts } from '../facts.ts';
import { cell, formatCount, formatSpan, formatValue } from './format.ts';
import { chartOf } from './traffic.ts';

/** Lines that an eye can tell apart. */
const drawn = 3;

/** As they are now, and what the span saw of them. */
export function queueBlocks({ queues }: InstanceFacts, facts: ReportFacts): Block[] {
  if (queues.length === 0) return [];
  const longest = queues
    .filter(({ span }) => (span.mostWaiting ?? 0) > 0)
    .toSorted((a, b) => (b.span.mostWaiting ?? 0) - (a.span.mostWaiting ?? 0))
    .slice(0, drawn);
  return [
    nowTable(queues),
    spanTable(queues, facts.now),
    ...chartOf(
      facts,
      'Jobs that wait',
      'count',
      longest.map(({ name, span }) => ({ name, points: span.waiting })),
    ),
  ];
}

function nowTable(queues: readonly QueueFacts[]): Block {
  return {
    kind: 'table',
    table: {
      caption: 'Queues now',
      columns: [
        { title: 'Queue', align: 'left' },
        { title: 'Waiting', align: 'right' },
        { title: 'Active', align: 'right' },
        { title: 'Delayed', align: 'right' },
        { title: 'Failed', align: 'right' },
        { title: 'Workers', align: 'right' },
        { title: 'Oldest', align: 'right' },
      ],
      rows: queues.map((queue) => [
        cell(queue.name),
        cell(formatCount(queue.waiting)),
        cell(formatCount(queue.active)),
        cell(formatCount(queue.delayed)),
        cell(formatCount(queue.failed), queue.failed > 0 ? 'warning' : 'none'),
        cell(
          queue.workers === null ? 'unknown' : formatCount(queue.workers),
          queue.workers === 0 && queue.waiting > 0 ? 'bad' : 'none',
        ),
        cell(queue.oldestSeconds === null ? '–' : formatValue(queue.oldestSeconds, 'seconds')),
      ]),
      empty: 'None.',
    },
  };
}

function spanTable(queues: readonly QueueFacts[], now: number): Block {
  return {
    kind: 'table',
    table: {
      caption: 'Queues in this span; completed, failed and stalled are estimates',
      columns: [
        { title: 'Queue', align: 'left' },
        { title: 'Most waiting', align: 'right' },
        { title: 'Oldest', align: 'right' },
        { title: 'Completed', align: 'right' },
        { title: 'Failed', align: 'right' },
        { title: 'Stalled', align: 'right' },
        { title: 'Stuck', align: 'right' },
      ],
      rows: queues.map(({ name, span }) => [
        cell(name),
        counted(span.mostWaiting),
        cell(span.oldestSeconds === null ? '–' : formatValue(span.oldestSeconds, 'seconds')),
        counted(span.completed),
        failedCell(span),
        counted(span.stalled, 'warning'),
        stuckCell(span, now),
      ]),
      empty: 'None.',
    },
  };
}

function counted(value: number | null, tone: TableCell['tone'] = 'none'): TableCell {
  return value === null ? cell('–') : cell(formatCount(value), value > 0 ? tone : 'none');
}

function failedCell({ failed, completed }: QueueFacts['span']): TableCell {
  if (failed === null) return cell('–');
  const ended = failed + (completed ?? 0);
  if (failed === 0 || ended === 0) return cell(formatCount(failed));
  return cell(`${formatCount(failed)} (${formatValue((100 * failed) / ended, 'percent')})`, 'warning');
}

function stuckCell({ stuck }: QueueFacts['span'], now: number): TableCell {
  if (stuck.length === 0) return cell('never');
  const length = stuck.reduce((sum, { opened, closed }) => sum + (closed ?? now) - opened, 0);
  const open = stuck.some(({ closed }) => closed === null);
  return cell(
    `${formatCount(stuck.length)} ×, ${formatSpan(length)}${open ? ', now' : ''}`,
    open ? 'bad' : 'warning',
  );
}
