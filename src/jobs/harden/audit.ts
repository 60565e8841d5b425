import { counted } from '../../lib/text/counted.ts';
import type { Finding } from '../../domain/finding.ts';
import { thresholdsOf } from '../../domain/settings/monitor.ts';
import { judgeFacts } from '../../harden/audit/judge.ts';
import type { AuditFinding, AuditReport } from '../../harden/audit/report.ts';
import { isStaffProfile } from '../../formats/acl/profiles/index.ts';
import { gatherFacts } from '../../harden/read/gather.ts';
import { openFindings } from '../../state/episodes.ts';
import type { JobContext, JobResult } from '../job.ts';
import { auditRules, scoreDropped, shared } from './audit-rules.ts';

export interface AuditOptions {
  /** Only these rules; all when left out. */
  only?: readonly string[] | undefined;
  /** Look and record nothing. */
  look?: boolean | undefined;
}

/** What the history keeps of one audit. */
interface AuditDetail {
  at: string;
  score: number | null;
  /** `rule resource`, of what was open. */
  open: string[];
  /** Rules that could not be judged: only audits that saw as much are compared. */
  unknown: string[];
}

const day = 86_400_000;

export async function auditQuietly(context: JobContext): Promise<JobResult<AuditReport | null>> {
  const [last] = context.recall('audit').filter(isDetail);
  if (last !== undefined && context.clock.now() - Date.parse(last.at) < day)
    return { value: null, summary: 'left out: there was an audit today', findings: [], evaluated: [] };
  const result = await audit(context, {});
  const findings = result.findings.filter(
    ({ rule, resource, severity }) =>
      severity === 'critical' ||
      rule === scoreDropped ||
      // The watch has told it already, or would at once: left out here it would be closed.
      shared.has(rule) ||
      last?.open.includes(`${rule} ${resource}`) === true,
  );
  return { ...result, findings };
}

export async function audit(context: JobContext, { only }: AuditOptions): Promise<JobResult<AuditReport>> {
  const { instance, settings, clock, signal } = context;
  const connection = await context.connect();
  let report: AuditReport;
  try {
    const facts = await gatherFacts(connection, {
      instance,
      instances: settings.instances,
      repository: settings.repository,
      staff: Object.entries(settings.harden.acl).flatMap(([user, { profile }]) =>
        isStaffProfile(profile) ? user : [],
      ),
      now: clock.now(),
      // Who only looks closes nothing.
      lastSeen: only === undefined ? lastSeenOf(context) : new Map(),
      certificateDays: thresholdsOf(instance, settings.monitor.thresholds).certificate_days,
      signal,
      connectTo: context.connectTo,
    });
    report = judgeFacts(facts, { waivers: settings.audit.waivers, only });
  } finally {
    connection.close();
  }
  const detail = detailOf(report);
  const history = [...context.recall('audit'), ...context.recall('quiet-audit')];
  const before = only === undefined ? lastLike(detail, history) : undefined;
  if (before !== undefined)
    report.since = {
      at: before.at,
      score: before.score ?? 0,
      opened: detail.open.filter((key) => !before.open.includes(key)),
      closed: before.open.filter((key) => !detail.open.includes(key)),
    };
  const told = report.findings.filter(({ waived }) => waived === null);
  return {
    value: report,
    summary: summaryOf(report),
    detail,
    findings: [...told.map((finding) => toFinding(instance.name, finding)), ...dropOf(instance.name, report)],
    evaluated: evaluatedRules(report),
  };
}

/** When what is open was last seen, by rule. */
function lastSeenOf({ instance, state }: JobContext): Map<string, number> {
  return new Map(openFindings(state(), instance.name).map(({ rule, last_seen }) => [rule, last_seen]));
}

/** What could not be looked at neither opens nor closes anything. */
function evaluatedRules(report: AuditReport): { rules: string[] }[] {
  const unknown = new Set(report.unknown.map(({ rule }) => rule));
  for (const { rule } of report.findings) unknown.delete(rule);
  const judged = auditRules.map(({ id }) => id);
  return [{ rules: judged.filter((id) => !unknown.has(id) && !id.endsWith('-failed')) }];
}

function detailOf(report: AuditReport): AuditDetail {
  return {
    at: report.at,
    score: report.score.value,
    open: report.findings
      .filter(({ waived }) => waived === null)
      .map(({ rule, resource }) => `${rule} ${resource}`),
    unknown: [...new Set(report.unknown.map(({ rule }) => rule))].toSorted(),
  };
}

/** The newest audit before this one that saw as much: root sees what the daemon cannot. */
function lastLike(now: AuditDetail, details: readonly unknown[]): AuditDetail | undefined {
  return details
    .filter(isDetail)
    .toSorted((a, b) => (a.at < b.at ? 1 : -1))
    .find(({ unknown }) => JSON.stringify(unknown) === JSON.stringify(now.unknown));
}

function isDetail(one: unknown): one is AuditDetail {
  return typeof one === 'object' && one !== null && 'open' in one && 'unknown' in one && 'at' in one;
}

function summaryOf({ score, findings, unknown }: AuditReport): string {
  const open = findings.filter(({ waived }) => waived === null);
  const grave = open.filter(({ severity }) => severity === 'critical' || severity === 'high').length;
  return `audit: ${score.value ?? 'no'} of 100, ${counted(open.length, 'finding')} (${grave} high or critical), ${unknown.length} unknown`;
}

function toFinding(instance: string, finding: AuditFinding): Finding {
  const { rule, resource, severity, summary, remedy, evidence, proof, place } = finding;
  return {
    instance,
    rule,
    resource,
    severity,
    summary,
    remedy,
    evidence: {
      ...evidence,
      proof,
      ...(place === null ? {} : { place: `${place.file}:${place.line}:${place.column}` }),
    },
  };
}

function dropOf(instance: string, { score, since }: AuditReport): Finding[] {
  if (since === null || score.value === null || score.value >= since.score) return [];
  return [
    {
      instance,
      rule: scoreDropped,
      resource: instance,
      severity: 'warning',
      summary: `the audit’s score fell from ${since.score} to ${score.value}: new are ${since.opened.slice(0, 5).join(', ')}`,
      remedy: 'redis-agent audit, and undo what was changed, or waive it with a reason',
      evidence: { before: since.score, now: score.value },
    },
  ];
}
