import { severities } from '../../domain/finding.ts';
import { alike, type AuditFinding, type AuditReport } from '../../harden/audit/report.ts';
import { printable } from '../../lib/text/printable.ts';
import { paintSeverity } from './severity.ts';
import type { Style } from './style.ts';
import { renderTable } from './table.ts';
import { wrap } from './wrap.ts';
import { counted } from '../../lib/text/counted.ts';

/** For people: what is wrong, worst first, with what to do; then what could not be seen. */
export function renderAudit(reports: readonly AuditReport[], style: Style, width: number): string {
  const parts = reports.map((report) => renderOne(report, style, width));
  if (reports.length > 1) parts.push(summaryTable(reports));
  return parts.join('\n\n');
}

function renderOne(report: AuditReport, style: Style, width: number): string {
  const { findings, unknown, not_applicable: apart, passed, score } = report;
  const open = findings.filter(({ waived }) => waived === null);
  const waived = findings.filter((each) => each.waived !== null);
  const mark = score.value === null ? 'no score' : `${score.value} of 100`;
  const lines = [
    `${style.strong(printable(report.subject))}  ${printable(report.engine)}  ${style.strong(mark)}  ${countsOf(open) || style.good('nothing found')}`,
    style.faint(
      indented(`${Math.round(score.coverage * 100)} % could be seen: ${score.explained}`, 0, width),
    ),
  ];
  if (report.since !== null) lines.push(indented(sinceText(report), 0, width));
  for (const group of alike(open)) lines.push('', renderFindings(group, style, width));
  if (waived.length > 0)
    lines.push(
      '',
      'waived',
      ...waived.map(({ rule, resource, severity, waived: by }) =>
        indented(
          `${rule} ${resource} (${severity}): ${by?.reason ?? ''} (${by?.author ?? ''}, until ${by?.until ?? ''})`,
          2,
          width,
        ),
      ),
    );
  if (unknown.length > 0)
    lines.push('', 'unknown: not looked at, for want of', ...unknownLines(report, width));
  const next = report.next.map(({ rule, resource, remedy }, at) =>
    indented(`${at + 1}. ${rule} ${resource}: ${remedy}`, 2, width),
  );
  if (next.length > 0) lines.push('', style.strong('next'), ...next);
  lines.push(
    '',
    style.faint(
      indented(
        `${counted(passed.length, 'rule is', 'rules are')} kept, ${counted(apart.length, 'does', 'do')} not apply; flaws known as of ${counted(report.advisory_age_days, 'day')} ago. redis-agent explain RULE says more`,
        0,
        width,
      ),
    ),
  );
  return lines.join('\n');
}

/** Alike: the worst first, and what to do once. */
function renderFindings(
  findings: readonly [AuditFinding, ...AuditFinding[]],
  style: Style,
  width: number,
): string {
  const [first, ...others] = findings;
  const { rule, severity, resource, remedy, proof, effect } = first;
  const what = others.length === 0 ? resource : `${findings.length} times`;
  const head = `${paintSeverity(style, severity)(severity.padEnd(8))}  ${style.strong(rule)}  ${printable(shorten(what, width - 20))}`;
  const said = (each: AuditFinding): string =>
    `${each.severity === severity ? '' : `${each.severity}: `}${others.length === 0 ? '' : placeOf(each)}${each.summary}`;
  return [
    head,
    ...findings.map((each) => indented(said(each), 2, width)),
    indented(`do: ${remedy}${effect === 'restart' ? ' (takes a restart)' : ''}`, 2, width),
    style.faint(indented(`${others.length === 0 ? placeOf(first) : ''}known by: ${proof}`, 2, width)),
  ].join('\n');
}

function placeOf({ place }: AuditFinding): string {
  return place === null ? '' : `${place.file}:${place.line}:${place.column}  `;
}

function shorten(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, Math.max(1, most - 1))}…` : text;
}

function indented(text: string, by: number, width: number): string {
  const blank = ' '.repeat(by);
  return wrap(printable(text), Math.max(20, width - by))
    .split('\n')
    .map((line) => `${blank}${line}`)
    .join('\n');
}

/** One line for each thing that is missing, with the rules that need it. */
function unknownLines({ unknown }: AuditReport, width: number): string[] {
  const byNeed = Map.groupBy(unknown, ({ missing }) => missing);
  return [...byNeed].map(([need, all]) => {
    const rules = [...new Set(all.map(({ rule }) => rule))].join(' ');
    return indented(`${need}: ${rules}`, 2, width);
  });
}

function sinceText({ since, score }: AuditReport): string {
  if (since === null) return '';
  const change = (score.value ?? 0) - since.score;
  const moved = change === 0 ? 'the same score' : `${change > 0 ? '+' : ''}${change}`;
  const parts = [
    ...(since.opened.length > 0 ? [`new: ${since.opened.slice(0, 6).join(', ')}`] : []),
    ...(since.closed.length > 0 ? [`gone: ${since.closed.slice(0, 6).join(', ')}`] : []),
  ];
  return `since ${since.at.slice(0, 10)}: ${moved}${parts.length > 0 ? `; ${parts.join('; ')}` : ', and nothing new'}`;
}

function countsOf(findings: readonly AuditFinding[]): string {
  return severities
    .toReversed()
    .flatMap((severity) => {
      const count = findings.filter((each) => each.severity === severity).length;
      return count === 0 ? [] : [`${count} ${severity}`];
    })
    .join(', ');
}

function summaryTable(reports: readonly AuditReport[]): string {
  return renderTable(
    [
      { title: '' },
      { title: 'score', align: 'right' },
      { title: 'seen', align: 'right' },
      { title: 'found' },
    ],
    reports.map(({ subject, score, findings }) => [
      subject,
      String(score.value ?? '–'),
      `${Math.round(score.coverage * 100)} %`,
      countsOf(findings.filter(({ waived }) => waived === null)) || 'nothing',
    ]),
  );
}
