import { severities, type Severity } from '../../domain/finding.ts';
import { alike, type AuditFinding, type AuditReport } from '../../harden/audit/report.ts';
import type { Block, ReportDocument, Section, Table, TableCell, Tone } from '../../report/document.ts';
import { counted } from '../../lib/text/counted.ts';

const tones: Record<Severity, Tone> = { info: 'none', warning: 'warning', high: 'bad', critical: 'bad' };

/** One page for whoever asks: what is wrong, why it matters, how it is known, what to do, and what nobody could see. */
export function auditDocument(reports: readonly AuditReport[]): ReportDocument {
  const at = reports[0]?.at ?? '';
  const open = reports.flatMap((report) =>
    report.findings.filter(({ waived }) => waived === null).map((finding) => ({ report, finding })),
  );
  const worst = severities.findLast((each) => open.some(({ finding }) => finding.severity === each));
  const grave = open.filter(({ finding }) => isGrave(finding));
  return {
    title:
      reports.length === 1 ? `Audit of ${reports[0]?.subject ?? ''}` : `Audit of ${reports.length} servers`,
    subtitle: `${reports.map(({ subject, engine }) => `${subject} (${engine})`).join(', ')}; ${at.slice(0, 16).replace('T', ' ')} UTC`,
    generatedAt: at,
    verdict: {
      tone: worst === undefined ? 'good' : tones[worst],
      headline:
        worst === undefined
          ? 'Nothing was found in what could be seen.'
          : `${counted(open.length, 'finding')}, ${grave.length} of them high or critical.`,
      points: reports
        .flatMap((report) =>
          alike(report.findings.filter(isGrave)).map(([finding, ...others]) => ({
            tone: tones[finding.severity],
            text: `${reports.length > 1 ? `${report.subject}: ` : ''}${finding.rule} ${finding.summary}${others.length === 0 ? '' : ` (and ${others.length} more)`}`,
            advice: finding.remedy,
          })),
        )
        .slice(0, 6),
      next:
        reports.length === 1 ? (reports[0]?.next ?? []).map(({ rule, remedy }) => `${rule}: ${remedy}`) : [],
    },
    sections: reports.flatMap((report, index) => sectionsOf(report, index, reports.length > 1)),
    notes: [
      'The score is the share, by weight, of the rules that were judged and are kept: critical 10, high 5, warning 2, info 1. It stays below 50 while something critical is open, and below 80 while something high is.',
      'What could not be looked at counts neither for nor against: it is listed as unknown, with what is missing.',
      `Known flaws as of ${counted(reports[0]?.advisory_age_days ?? 0, 'day')} before this audit. Nothing was changed.`,
    ],
  };
}

/** What one looks at first, a row an audit. */
export function auditTable(reports: readonly AuditReport[]): Table {
  const shown = severities.toReversed();
  return {
    caption: 'Audits',
    columns: ['Audit', 'Score', 'Before', 'Could be seen', ...shown].map((title) => column(title)),
    rows: reports.map(({ subject, score, since, findings }) => [
      cell(subject),
      cell(score.value === null ? '–' : `${score.value} of 100`),
      cell(since === null ? '–' : `${since.score} on ${since.at.slice(0, 10)}`),
      cell(`${Math.round(score.coverage * 100)} % of the rules that apply`),
      ...shown.map((severity) =>
        cell(String(findings.filter((each) => each.waived === null && each.severity === severity).length)),
      ),
    ]),
    empty: 'None.',
  };
}

const cell = (text: string, tone: Tone = 'none'): TableCell => ({ text, tone, share: null });
const column = (title: string, align: 'left' | 'right' = 'left') => ({ title, align });

function sectionsOf(report: AuditReport, index: number, several: boolean): Section[] {
  const { score, findings, unknown, not_applicable: apart, passed, since } = report;
  const open = findings.filter(({ waived }) => waived === null);
  const waived = findings.filter((each) => each.waived !== null);
  const name = several ? `${report.subject}: ` : '';
  const figures: Block = {
    kind: 'figures',
    figures: [
      {
        label: 'Score',
        value: score.value === null ? '–' : `${score.value} of 100`,
        note: since === null ? null : `${since.score} on ${since.at.slice(0, 10)}`,
        tone:
          score.value === null ? 'none' : score.value >= 80 ? 'good' : score.value >= 50 ? 'warning' : 'bad',
      },
      {
        label: 'Could be seen',
        value: `${Math.round(score.coverage * 100)} %`,
        note: 'of the rules that apply, by weight',
        tone: 'none',
      },
      ...severities.toReversed().map((severity) => {
        const count = open.filter((each) => each.severity === severity).length;
        return {
          label: severity,
          value: String(count),
          note: null,
          tone: count === 0 ? ('none' as const) : tones[severity],
        };
      }),
    ],
  };
  return [
    {
      id: `findings-${index}`,
      title: `${name}Findings`,
      blocks: [
        figures,
        { kind: 'text', text: score.explained, tone: 'none' },
        ...alike(open).flatMap(findingBlocks),
      ],
    },
    {
      id: `unknown-${index}`,
      title: `${name}Not seen, accepted, kept`,
      blocks: [
        {
          kind: 'table',
          table: {
            caption: 'Unknown: what it would take',
            columns: [column('rule'), column(''), column('missing')],
            rows: unknown.map(({ rule, title, missing }) => [cell(rule), cell(title), cell(missing)]),
            empty: 'Everything that applies could be seen.',
          },
        },
        {
          kind: 'table',
          table: {
            caption: 'Waived',
            columns: [column('rule'), column('what'), column('reason'), column('by'), column('until')],
            rows: waived.map(({ rule, summary, waived: by }) => [
              cell(rule),
              cell(summary),
              cell(by?.reason ?? ''),
              cell(by?.author ?? ''),
              cell(by?.until ?? ''),
            ]),
            empty: 'Nothing was waived.',
          },
        },
        { kind: 'text', text: `Kept (${passed.length}): ${passed.join(', ') || 'none'}`, tone: 'none' },
        {
          kind: 'table',
          table: {
            caption: 'Not applicable',
            columns: [column('rule'), column('why')],
            rows: apart.map(({ rule, title, why }) => [cell(`${rule} ${title}`), cell(why)]),
            empty: 'Every rule applied.',
          },
        },
      ],
    },
  ];
}

const isGrave = ({ waived, severity }: AuditFinding): boolean =>
  waived === null && ['critical', 'high'].includes(severity);

/** Alike: the worst first, and what to do once. */
function findingBlocks(findings: readonly [AuditFinding, ...AuditFinding[]]): Block[] {
  const [{ rule, title, severity, why, remedy, proof, place, page, source, effect }, ...others] = findings;
  return [
    {
      kind: 'heading',
      text: `${rule} ${title} (${severity}${others.length === 0 ? '' : `, ${findings.length} times`})`,
    },
    ...findings.map((each): Block => ({
      kind: 'text',
      text: `${each.severity === severity ? '' : `${each.severity}: `}${each.summary.startsWith(each.resource) ? each.summary : `${each.resource}: ${each.summary}`}`,
      tone: tones[each.severity],
    })),
    {
      kind: 'table',
      table: {
        caption: '',
        columns: [column(''), column('')],
        rows: [
          row('Why', why),
          row('Known by', `${proof}${place === null ? '' : `, ${place.file}:${place.line}:${place.column}`}`),
          row('To do', `${remedy}${effect === 'restart' ? ' (takes a restart)' : ''}`),
          row('Read on', `${page}, ${source}`),
        ],
        empty: '',
      },
    },
  ];
}

function row(label: string, text: string): TableCell[] {
  return [cell(label), cell(text)];
}
