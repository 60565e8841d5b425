import type { Finding, Severity } from '../../domain/finding.ts';
import type { Rule } from '../../domain/rule.ts';
import { blinding } from '../../redis/seen-by-both/verdict.ts';
import { minute, type View } from './view.ts';

/** What a rule found. */
export interface Verdict {
  severity: Severity;
  summary: string;
  remedy: string;
  evidence: Finding['evidence'];
  /** The instance's name when left out. */
  resource?: string;
}

/** Of this one nothing can be told now: what is known of it stays as it is. */
export interface Untold {
  resource: string;
  untold: true;
}

/** A rule with its judge: a pure function of the view. */
export interface Evaluator {
  rule: Rule;
  /** Judges the sample of a server that does not answer too. */
  always?: boolean;
  /** undefined: it cannot be told now, which neither opens nor closes anything. */
  judge(view: View): readonly (Verdict | Untold)[] | undefined;
}

/** A rule over samples: it goes on firing for five minutes after it was last seen, and follows from a server that is down. */
export function sampleRule(rule: Omit<Rule, 'page' | 'keepFiring' | 'inhibitedBy'> & Partial<Rule>): Rule {
  return {
    keepFiring: 5 * minute,
    ...(blinding.includes(rule.id) ? {} : { inhibitedBy: blinding }),
    ...rule,
    page: 'docs/findings/watch.md',
  };
}

export const percent = (share: number): string => `${Math.round(share * 10) / 10} %`;
