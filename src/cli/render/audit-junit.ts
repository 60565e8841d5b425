import type { AuditFinding, AuditReport } from '../../harden/audit/report.ts';
import { auditRules } from '../../harden/audit/rules.ts';

/** JUnit's XML: a suite a server or file, a case a rule; unknown is skipped, and never passed. */
export function renderJunit(reports: readonly AuditReport[]): string {
  const suites = reports.map(suiteOf);
  const sum = (field: 'tests' | 'failures' | 'skipped'): number =>
    suites.reduce((total, suite) => total + suite[field], 0);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="redis-agent audit" tests="${sum('tests')}" failures="${sum('failures')}" errors="0" skipped="${sum('skipped')}">`,
    ...suites.map(({ text }) => text),
    '</testsuites>',
  ].join('\n');
}

function suiteOf(report: AuditReport): { text: string; tests: number; failures: number; skipped: number } {
  const titles = new Map(auditRules.map(({ id, title }) => [id, title]));
  const name = (rule: string): string =>
    `<testcase classname="${escapeXml(report.subject)}" name="${escapeXml(`${rule} ${titles.get(rule) ?? ''}`.trim())}"`;
  const violated = Map.groupBy(report.findings, ({ rule }) => rule);
  const cases: string[] = [];
  let [failures, skipped] = [0, 0];
  for (const [rule, all] of violated) {
    const open = all.filter(({ waived }) => waived === null);
    if (open.length > 0) failures++;
    else skipped++;
    cases.push(
      open.length > 0
        ? `    ${name(rule)}>${failureOf(open)}</testcase>`
        : `    ${name(rule)}><skipped message="waived"/></testcase>`,
    );
  }
  const unknown = Map.groupBy(
    report.unknown.filter(({ rule }) => !violated.has(rule)),
    ({ rule }) => rule,
  );
  for (const [rule, all] of unknown) {
    skipped++;
    cases.push(
      `    ${name(rule)}><skipped message="${escapeXml(`unknown: ${all.map(({ missing }) => missing).join('; ')}`)}"/></testcase>`,
    );
  }
  for (const rule of report.passed) cases.push(`    ${name(rule)}/>`);
  const tests = cases.length;
  const head = `  <testsuite name="${escapeXml(report.subject)}" tests="${tests}" failures="${failures}" errors="0" skipped="${skipped}" timestamp="${report.at.slice(0, 19)}">`;
  return { text: [head, ...cases, '  </testsuite>'].join('\n'), tests, failures, skipped };
}

function failureOf(findings: readonly AuditFinding[]): string {
  const [first] = findings;
  const lines = findings.map(
    ({ place, summary, remedy }) =>
      `${place === null ? '' : `${place.file}:${place.line}:${place.column}: `}${summary}. To do: ${remedy}`,
  );
  return `<failure type="${first?.severity ?? ''}" message="${escapeXml(first?.summary ?? '')}">${escapeXml(lines.join('\n'))}</failure>`;
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\n': '&#10;',
};

/** What XML 1.0 cannot hold at all becomes a question mark. */
function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '?')
    .replaceAll(/[&<>"'\n]/g, (letter) => entities[letter] ?? letter);
}
