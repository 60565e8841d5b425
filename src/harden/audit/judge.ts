import { severities } from '../../domain/finding.ts';
import type { AuditFacts } from '../facts.ts';
import type { Check, Violation } from './check.ts';
import { advisoryAge } from './checks/ver.ts';
import { checks } from './checks/index.ts';
import type { AuditFinding, AuditReport } from './report.ts';
import { scoreOf, type Judged } from './score.ts';
import { applyWaivers, type Waiver } from './waivers.ts';

export interface JudgeOptions {
  waivers: readonly Waiver[];
  /** Only these rules; all when left out. */
  only?: readonly string[] | undefined;
}

/** Every check on the facts: what is wrong, what is right, and what nobody could see. */
export function judgeFacts(facts: AuditFacts, { waivers, only }: JudgeOptions): AuditReport {
  const judged: Judged[] = [];
  const findings: AuditFinding[] = [];
  const report: Pick<AuditReport, 'unknown' | 'not_applicable' | 'passed'> = {
    unknown: [],
    not_applicable: [],
    passed: [],
  };
  for (const check of checks) {
    const { id, title, severity } = check.rule;
    if (only !== undefined && !only.includes(id)) continue;
    const verdict = check.judge(facts);
    if ('absent' in verdict) {
      report.not_applicable.push({ rule: id, title, why: verdict.absent });
      continue;
    }
    if ('missing' in verdict) {
      report.unknown.push({ rule: id, title, missing: verdict.missing });
      judged.push({ id, severity, outcome: 'unknown' });
      continue;
    }
    for (const doubt of verdict.doubts ?? []) report.unknown.push({ rule: id, title, missing: doubt });
    findings.push(...verdict.violations.map((violation) => findingOf(check, violation, facts)));
    const violated = verdict.violations.length > 0;
    const doubtful = !violated && (verdict.doubts ?? []).length > 0;
    judged.push({ id, severity, outcome: violated ? 'violated' : doubtful ? 'unknown' : 'passed' });
    if (!violated && !doubtful) report.passed.push(id);
  }
  const waived = applyWaivers(findings, waivers, { subject: facts.instance, now: facts.now });
  const all = [...waived.findings, ...waived.ended.map(endedWaiver)].toSorted(worstFirst);
  const { engine, version, docker } = facts.engine;
  return {
    subject: facts.instance,
    mode: facts.mode,
    engine: `${engine} ${version}${docker ? ' (container image)' : ''}${facts.engineKnown ? '' : '?'}`,
    at: new Date(facts.now).toISOString(),
    score: scoreOf(judged, all),
    findings: all,
    ...report,
    next: nextThree(all),
    since: null,
    advisory_age_days: advisoryAge(facts.now),
  };
}

function findingOf({ rule, source }: Check, violation: Violation, facts: AuditFacts): AuditFinding {
  return {
    rule: rule.id,
    title: rule.title,
    severity: violation.severity ?? rule.severity,
    resource: violation.resource ?? facts.instance,
    summary: violation.summary,
    why: rule.why,
    remedy: violation.remedy,
    effect: violation.effect,
    proof: violation.proof,
    evidence: violation.evidence ?? {},
    place: placeOf(violation),
    page: rule.page,
    source,
    waived: null,
  };
}

function placeOf({ place }: Violation): AuditFinding['place'] {
  return place === undefined ? null : { file: place.file, line: place.line, column: place.column };
}

function endedWaiver(waiver: Waiver): AuditFinding {
  return {
    rule: 'WAI01',
    title: 'a waiver has ended',
    severity: 'warning',
    resource: `${waiver.rule}${waiver.resource === undefined ? '' : ` ${waiver.resource}`}`,
    summary: `the waiver of ${waiver.rule} by ${waiver.author} ended on ${waiver.until}, and what it covered is still there`,
    why: 'Somebody accepted it for a while, and the while is over.',
    remedy: 'mend it, or write a new end and why',
    effect: 'host',
    proof: 'audit.waivers of the configuration',
    evidence: { reason: waiver.reason },
    place: null,
    page: 'docs/findings/audit-wai.md',
    source: 'docs/audit.md',
    waived: null,
  };
}

function worstFirst(a: AuditFinding, b: AuditFinding): number {
  const grave = severities.indexOf(b.severity) - severities.indexOf(a.severity);
  return grave !== 0 ? grave : a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0;
}

/** One a rule: five users with one fault are one thing to do. */
function nextThree(findings: readonly AuditFinding[]): AuditReport['next'] {
  const open = findings.filter(({ waived }) => waived === null);
  return open
    .filter(({ rule }, at) => open.findIndex((each) => each.rule === rule) === at)
    .slice(0, 3)
    .map(({ rule, resource, remedy }) => ({ rule, resource, remedy }));
}
