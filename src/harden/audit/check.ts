import type { Severity } from '../../domain/finding.ts';
import type { Rule } from '../../domain/rule.ts';
import type { AuditFacts, Place, Seen, Setting } from '../facts.ts';

/** One violation, before it is anybody's. */
export interface Violation {
  /** A directive, a user, a path; the instance's name when left out. */
  resource?: string;
  /** The rule's own when left out. */
  severity?: Severity;
  /** One line: what is wrong. */
  summary: string;
  /** One line: what to do, with the command. */
  remedy: string;
  /** What the remedy takes. */
  effect: 'run time' | 'restart' | 'file' | 'host';
  /** How it is known: `CONFIG GET bind`, `read`, `tried: an unauthenticated PING was answered`. */
  proof: string;
  evidence?: Record<string, string | number | boolean | null> | undefined;
  place?: Place | undefined;
}

/** What a check comes to. No violations is a pass. */
export type Verdict =
  /** `doubts`: parts of the question to which nobody here knows the answer. */
  { violations: Violation[]; doubts?: string[] } | { missing: string } | { absent: string };

/** A rule with a judge over facts. */
export interface Check {
  rule: Rule;
  /** Where to read on. */
  source: string;
  judge(this: void, facts: AuditFacts): Verdict;
}

/** Only what differs from check to check. */
export interface CheckText {
  severity: Severity;
  title: string;
  why: string;
  source: string;
}

/** Makes the check of one id; its page is the family's, under its id. */
export function check(id: string, { severity, title, why, source }: CheckText, judge: Check['judge']): Check {
  const family = id.replace(/\d+$/, '').toLowerCase();
  return { rule: { id, severity, title, why, page: `docs/findings/audit-${family}.md` }, source, judge };
}

export const fine: Verdict = { violations: [] };

/** Goes on with what was seen; else says what is missing, or that it does not apply. */
export function given<T>(fact: Seen<T>, go: (value: T) => Verdict | Violation[]): Verdict {
  if (fact.value === undefined)
    return fact.missing === undefined ? { absent: fact.absent ?? 'not here' } : { missing: fact.missing };
  const verdict = go(fact.value);
  return Array.isArray(verdict) ? { violations: verdict } : verdict;
}

export const notHere = (why: string): Verdict => ({ absent: why });

/** How a setting was learned. */
export function proofOf(name: string, { from, place }: Setting): string {
  if (from === 'run time') return `CONFIG GET ${name}`;
  if (place !== undefined) return 'read in the file';
  return from === 'default' ? 'no line says otherwise: the server’s default' : 'the command line';
}

/** The end of most remedies: at once, and for the next start. */
export function setAndKeep(facts: AuditFacts, name: string, value: string): string {
  if (facts.mode === 'files') return `write ${name} ${value}`;
  return `CONFIG SET ${name} ${/\s|^$/.test(value) ? `"${value}"` : value}, and write ${name} ${value === '' ? '""' : value} into the file`;
}
