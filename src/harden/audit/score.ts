import type { Severity } from '../../domain/finding.ts';
import type { AuditFinding, Score } from './report.ts';

const weights: Record<Severity, number> = { critical: 10, high: 5, warning: 2, info: 1 };
/** While something critical is open nothing else makes up for it. */
const capWith: Partial<Record<Severity, number>> = { critical: 49, high: 79 };

export interface Judged {
  id: string;
  /** The rule's highest. */
  severity: Severity;
  outcome: 'passed' | 'violated' | 'unknown';
}

/** The share of what was judged that is kept, by weight; capped while something grave is open. Waived is kept. */
export function scoreOf(judged: readonly Judged[], findings: readonly AuditFinding[]): Score {
  const weigh = (all: readonly Judged[]): number =>
    all.reduce((sum, { severity }) => sum + weights[severity], 0);
  const seen = judged.filter(({ outcome }) => outcome !== 'unknown');
  const [all, known] = [weigh(judged), weigh(seen)];
  if (all === 0) return { value: null, coverage: 1, explained: 'none of the rules applies here' };
  if (known === 0) return { value: null, coverage: 0, explained: 'nothing could be judged' };
  const open = findings.filter(({ waived }) => waived === null);
  let lost = 0;
  for (const { id, severity } of seen) {
    // What it is here, which may be less than the rule's highest.
    const own = open.filter(({ rule }) => rule === id).map((finding) => weights[finding.severity]);
    if (own.length > 0) lost += Math.min(weights[severity], Math.max(...own));
  }
  const share = Math.round((100 * (known - lost)) / known);
  const cap = (['critical', 'high'] as const).find((severity) =>
    open.some((each) => each.severity === severity),
  );
  const value = Math.min(share, cap === undefined ? 100 : (capWith[cap] ?? 100));
  const coverage = known / all;
  const capped =
    value < share && cap !== undefined ? `, held at ${capWith[cap]} while something ${cap} is open` : '';
  return {
    value,
    coverage: Math.round(coverage * 1000) / 1000,
    explained: `${seen.length} of ${judged.length} rules that apply could be judged; by weight (critical 10, high 5, warning 2, info 1) ${known - lost} of ${known} points${capped}`,
  };
}
