import { severities, type Severity } from '../../domain/finding.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { auditRules } from '../../jobs/harden/audit-rules.ts';
import type { AuditFacts, NoticeFacts } from '../../report/facts.ts';
import { noticesSince } from '../../state/alerts/outbox.ts';
import { openFindings } from '../../state/episodes.ts';
import { lastDetails } from '../../state/runs.ts';
import type { App } from '../build-app.ts';

/** Rows of findings that the page shows. */
const worst = 15;

/** The last audit: its score, and what it found that is still open. */
export function gatherAudit(app: App, { name }: InstanceSettings): AuditFacts | null {
  const [last, before] = lastDetails(app.state(), name, 'audit', 2).map(detailOf);
  if (last === undefined) return null;
  const titles = new Map(auditRules.map(({ id, title }) => [id, title]));
  const open = openFindings(app.state(), name).filter(({ rule }) => titles.has(rule));
  return {
    at: last.at,
    score: last.score,
    coverage: Math.max(0, 1 - last.unknown / auditRules.length),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made of every severity
    counts: Object.fromEntries(
      severities.map((severity) => [severity, open.filter((each) => each.severity === severity).length]),
    ) as Record<Severity, number>,
    before: before === undefined ? null : { at: before.at, score: before.score },
    worst: open
      .slice(0, worst)
      .map(({ rule, summary: title, severity, remedy }) => ({ rule, title, severity, remedy })),
  };
}

/** What was kept of an audit's run. */
function detailOf(detail: unknown): { at: number; score: number; unknown: number } {
  const known = typeof detail === 'object' && detail !== null ? new Map(Object.entries(detail)) : new Map();
  const unknown: unknown = known.get('unknown');
  const at: unknown = known.get('at');
  return {
    at: typeof at === 'string' ? Date.parse(at) : Number(at),
    score: Number(known.get('score') ?? 0),
    unknown: Array.isArray(unknown) ? unknown.length : 0,
  };
}

/** What people were told of this instance, newest first. */
export function gatherNotices(app: App, { name }: InstanceSettings, since: number): NoticeFacts[] {
  return noticesSince(app.state(), since)
    .filter(({ notice }) => notice.instance === name || notice.instance === '')
    .map(({ created_at: at, channel, notice, outcome }) => ({
      at,
      channel,
      subject: notice.title,
      outcome: outcome ?? 'waiting',
    }));
}
