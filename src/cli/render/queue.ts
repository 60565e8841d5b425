import type { QueueNow, QueuesNow } from '../../app/queues/read-queues.ts';
import { intoColumns } from '../../app/history/trend.ts';
import type { QueueReading } from '../../domain/queue.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import { printable } from '../../lib/text/printable.ts';
import type { RenderContext } from '../define-command.ts';
import { round } from './measure.ts';
import { paintSeverity } from './severity.ts';
import { sparkline } from './sparkline.ts';
import { renderTable, type Cell } from './table.ts';
import { formatAge } from './time.ts';
import { wrap } from './wrap.ts';

const hour = 3_600_000;
/** From here on it is worth a word. */
const manyKept = 1000;

const kinds = { bullmq: 'BullMQ', bull: 'Bull', list: 'a list', zset: 'a sorted set', stream: 'a stream' };

export interface OneQueue {
  instance: string;
  at: number;
  queue: QueueNow;
  workers: QueuesNow['workers'];
  /** Bytes that ended jobs hold, by the size of a few. */
  kept: { completed: number | null; failed: number | null };
}

const each = (rate: number | null): string => (rate === null ? 'not watched yet' : `${round(rate)} a minute`);
const holding = (bytes: number | null): string =>
  bytes === null || bytes === 0 ? '' : `, about ${formatBytes(bytes)}`;

export function renderQueue({ at, queue, workers, kept }: OneQueue, { style, width }: RenderContext): string {
  const { reading, completedRate, failedRate, stalledRate, waiting, findings } = queue;
  const { ref } = reading;
  const bull = ref.kind === 'bull' || ref.kind === 'bullmq';
  const rows: Cell[][] = [
    ['waiting', described(reading)],
    ['active', activeText(reading)],
    ...(bull || reading.delayed > 0 ? [['delayed', delayedText(reading, at)]] : []),
    ...(reading.children > 0 ? [['parents', `${reading.children} wait for their children`]] : []),
    ['oldest', oldestText(reading, at)],
    [
      'completed',
      `${each(completedRate)}${bull ? `; ${reading.completed} kept${holding(kept.completed)}${since(reading.oldestCompleted, at)}` : ''}`,
    ],
    ...(bull
      ? [
          [
            'failed',
            `${each(failedRate)}; ${reading.failed} kept${holding(kept.failed)}${since(reading.oldestFailed, at)}`,
          ],
          ['stalled', `${each(stalledRate)} (an estimate)`],
        ]
      : []),
    ['last finished', reading.finishedAt === null ? 'unknown' : formatAge(reading.finishedAt, at)],
    ['workers', reading.workers === null ? 'unknown' : String(reading.workers)],
  ];
  const parts = [
    `${style.strong(printable(reading.label))}, ${kinds[ref.kind]}${reading.paused ? `, ${style.warning('paused')}` : ''}${reading.limited ? ', rate limited now' : ''}`,
    renderTable([{ title: '' }, { title: '' }], rows),
  ];
  if (waiting.length > 1)
    parts.push(
      `${sparkline(intoColumns(waiting, { since: at - hour, until: at + 1, columns: Math.min(60, width - 24) }))}  waiting, last hour`,
    );
  if (workers.length > 0)
    parts.push(
      renderTable(
        [{ title: 'WORKER' }, { title: 'ADDRESS' }, { title: 'IDLE', align: 'right' }, { title: '' }],
        workers
          .slice(0, 50)
          .map(({ name, address, idle, blocked }) => [
            name === '' ? '–' : name,
            address,
            formatDuration(idle * 1000),
            blocked ? 'waits for a job' : '',
          ]),
      ),
    );
  for (const { severity, summary, remedy } of findings)
    parts.push(
      wrap(`${paintSeverity(style, severity)(severity)}: ${printable(summary)}; ${printable(remedy)}`, width),
    );
  const advice = adviceOn(reading, kept);
  if (advice !== undefined) parts.push(wrap(advice, width));
  if (ref.guessed)
    parts.push(
      wrap(
        'Known by its name alone. If it is a queue, name it in monitor.queues; if not, add ignore: true.',
        width,
      ),
    );
  return parts.join('\n\n');
}

function described({ waiting, prioritized }: QueueReading): string {
  return prioritized === 0
    ? String(waiting)
    : `${waiting + prioritized}, of which ${prioritized} with a priority`;
}

function activeText({ active, held, abandoned }: QueueReading): string {
  if ((abandoned ?? 0) === 0 || held === null) return String(active);
  return `${active}; of the oldest ${held + (abandoned ?? 0)} no worker holds ${abandoned}`;
}

function delayedText({ delayed, overdue, overdueSince }: QueueReading, at: number): string {
  if (overdue === 0 || overdueSince === null) return String(delayed);
  return `${delayed}, of which ${overdue} should have begun, the first ${formatDuration(at - overdueSince)} ago`;
}

function oldestText({ due, dueSince, oldestId, oldestName }: QueueReading, at: number): string {
  if (due === 0) return 'nothing is due';
  const age = dueSince === null ? 'unknown' : formatDuration(Math.max(0, at - dueSince));
  const job = [oldestName, oldestId === null ? null : `job ${oldestId}`].filter((part) => part !== null);
  return `${age}${job.length === 0 ? '' : ` (${job.join(', ')})`}`;
}

const since = (oldest: number | null, at: number): string =>
  oldest === null ? '' : `, the oldest ${formatAge(oldest, at)}`;

function adviceOn(reading: QueueReading, kept: OneQueue['kept']): string | undefined {
  const { completed, failed, ref } = reading;
  if (ref.settings?.keep !== undefined || (ref.kind !== 'bull' && ref.kind !== 'bullmq')) return undefined;
  const bytes = (kept.completed ?? 0) + (kept.failed ?? 0);
  const options = [
    ...(completed >= manyKept ? ['removeOnComplete: { age: 86400, count: 1000 }'] : []),
    ...(failed >= manyKept ? ['removeOnFail: { age: 604800 }'] : []),
  ];
  if (options.length === 0) return undefined;
  return `Ended jobs hold ${bytes === 0 ? 'memory' : `about ${formatBytes(bytes)}`}. Where jobs are added, set ${options.join(', ')}; then say so here as keep: of monitor.queues, and it is watched.`;
}
