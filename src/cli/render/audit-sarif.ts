import { agentVersion } from '../../app/version.ts';
import type { Severity } from '../../domain/finding.ts';
import type { AuditFinding, AuditReport } from '../../harden/audit/report.ts';
import { auditRules } from '../../harden/audit/rules.ts';

const levels: Record<Severity, string> = {
  info: 'note',
  warning: 'warning',
  high: 'error',
  critical: 'error',
};
/** As code hosts rank security results. */
const scores: Record<Severity, string> = { info: '2.0', warning: '5.0', high: '7.5', critical: '9.5' };

/** SARIF 2.1.0, as code hosts and editors take it. */
export function renderSarif(reports: readonly AuditReport[]): string {
  const results = reports.flatMap((report) => report.findings.map((finding) => resultOf(report, finding)));
  const used = auditRules.filter(({ id }) => results.some(({ ruleId }) => ruleId === id));
  const run = {
    tool: {
      driver: {
        name: 'redis-agent',
        semanticVersion: agentVersion,
        rules: used.map(({ id, title, why, severity }) => ({
          id,
          shortDescription: { text: title },
          fullDescription: { text: why },
          defaultConfiguration: { level: levels[severity] },
          properties: { 'security-severity': scores[severity], tags: ['security', 'redis'] },
        })),
      },
    },
    results: results.map((result) => ({
      ...result,
      ruleIndex: used.findIndex(({ id }) => id === result.ruleId),
    })),
    columnKind: 'unicodeCodePoints',
  };
  return JSON.stringify(
    { $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] },
    undefined,
    2,
  );
}

function resultOf(report: AuditReport, finding: AuditFinding) {
  const { rule, resource, severity, summary, remedy, place, waived } = finding;
  const uri = place === null ? undefined : encodeURI(place.file.replace(/^\.\//, ''));
  return {
    ruleId: rule,
    level: levels[severity],
    message: { text: `${summary}. To do: ${remedy}` },
    locations: [
      {
        ...(place === null || uri === undefined
          ? {}
          : {
              physicalLocation: {
                artifactLocation: { uri: uri.startsWith('/') ? `file://${uri}` : uri },
                region: { startLine: place.line, startColumn: place.column },
              },
            }),
        logicalLocations: [
          { name: resource, fullyQualifiedName: `${report.subject}/${resource}`, kind: 'resource' },
        ],
      },
    ],
    partialFingerprints: { 'ruleResource/v1': `${report.subject}/${rule}/${resource}` },
    ...(waived === null
      ? {}
      : {
          suppressions: [
            {
              kind: 'external',
              status: 'accepted',
              justification: `${waived.reason} (${waived.author}, until ${waived.until})`,
            },
          ],
        }),
  };
}
