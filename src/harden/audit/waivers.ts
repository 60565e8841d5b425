import type { Waiver } from '../../domain/settings/audit.ts';
import type { AuditFinding } from './report.ts';

export type { Waiver } from '../../domain/settings/audit.ts';

type Named = Pick<AuditFinding, 'rule' | 'resource'>;

const day = 86_400_000;

/** Marks what a waiver covers; one that has ended while what it covered is still there is told apart. */
export function applyWaivers(
  findings: readonly AuditFinding[],
  waivers: readonly Waiver[],
  { subject, now }: { subject: string; now: number },
): { findings: AuditFinding[]; ended: Waiver[] } {
  const own = ofInstance(waivers, subject);
  return {
    findings: findings.map((finding) => {
      const waiver = waiverOf(finding, waivers, { subject, now });
      if (waiver === undefined) return finding;
      const { reason, author, until } = waiver;
      return { ...finding, waived: { reason, author, until } };
    }),
    ended: own.filter((waiver) => endOf(waiver) < now && findings.some((finding) => covers(waiver, finding))),
  };
}

/** What covers that finding of an instance now. */
export function waiverOf(
  finding: Named,
  waivers: readonly Waiver[],
  { subject, now }: { subject: string; now: number },
): Waiver | undefined {
  return ofInstance(waivers, subject).find((each) => endOf(each) >= now && covers(each, finding));
}

function ofInstance(waivers: readonly Waiver[], subject: string): Waiver[] {
  return waivers.filter(({ instance }) => instance === undefined || instance === subject);
}

/** The end of its last day. */
function endOf({ until }: Waiver): number {
  return Date.parse(`${until}T00:00:00Z`) + day;
}

function covers({ rule, resource }: Waiver, finding: Named): boolean {
  return rule === finding.rule && (resource === undefined || resource === finding.resource);
}
