import { printable } from '../../lib/text/printable.ts';
import type { ComparedReport } from '../commands/check/run-connection.ts';
import type { RenderContext } from '../define-command.ts';
import { renderTable, type Cell } from './table.ts';
import { wrap } from './wrap.ts';
import { counted } from '../../lib/text/counted.ts';

/** Milliseconds, three digits at most behind the point and in front of it. */
function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : Math.round(value)} ms`;
}

export function renderConnection(report: ComparedReport, { style, width }: RenderContext): string {
  const paint = { ok: style.good, failed: style.bad, skipped: style.faint };
  const right = { align: 'right' as const };
  const table = renderTable(
    [
      { title: 'STEP' },
      { title: '' },
      { title: 'P50', ...right },
      { title: 'P95', ...right },
      { title: 'PER SECOND', ...right },
    ],
    report.steps.map(({ name, verdict, latency }): Cell[] => [
      name,
      { text: verdict, paint: paint[verdict] },
      ...(latency === null ? ['', '', ''] : [ms(latency.p50), ms(latency.p95), String(latency.per_second)]),
    ]),
  );
  const problems = report.steps.flatMap(({ name, problem, hint }) =>
    problem === null
      ? []
      : [
          wrap(
            `${style.bad(name)}: ${printable(problem)}${hint === null ? '' : `; ${printable(hint)}`}`,
            width,
          ),
        ],
  );
  return [
    `${style.strong(printable(report.server))}, ${counted(report.rounds, 'round')}, values of ${counted(report.value_bytes, 'byte')}`,
    table,
    ...problems,
    ...renderBaseline(report, style),
    ...renderWatched(report, width),
  ].join('\n\n');
}

function renderBaseline({ baseline }: ComparedReport, style: RenderContext['style']): string[] {
  if (baseline === null) return [];
  const paint = { same: style.faint, better: style.good, worse: style.bad };
  const right = { align: 'right' as const };
  const table = renderTable(
    [{ title: 'STEP' }, { title: 'BEFORE', ...right }, { title: 'NOW', ...right }, { title: '' }],
    baseline.changes.map(({ name, before, after, verdict }): Cell[] => [
      name,
      ms(before),
      ms(after),
      { text: verdict, paint: paint[verdict] },
    ]),
  );
  return [`medians, compared with ${printable(baseline.at)}`, table];
}

/** A line of blocks each. */
function renderWatched({ watched }: ComparedReport, width: number): string[] {
  if (watched === undefined) return [];
  const { seconds, count, p50, p95, max, buckets, failures } = watched;
  const most = Math.max(1, ...buckets.map((bucket) => bucket.count));
  const room = Math.max(10, Math.min(width - 24, 50));
  const right = { align: 'right' as const };
  const table = renderTable(
    [{ title: 'PING UP TO', ...right }, { title: 'TIMES', ...right }, { title: '' }],
    buckets.map(({ up_to: edge, count: times }): Cell[] => [
      ms(edge),
      String(times),
      '█'.repeat(Math.max(1, Math.round((room * times) / most))),
    ]),
  );
  const middle =
    p50 === null || p95 === null || max === null
      ? ''
      : `: p50 ${ms(p50)}, p95 ${ms(p95)}, at most ${ms(max)}`;
  return [
    `watched for ${seconds} s, ${count} answers${middle}`,
    ...(buckets.length === 0 ? [] : [table]),
    ...failures.map(({ problem, count: times }) => wrap(`${times} × ${printable(problem)}`, width)),
  ];
}
