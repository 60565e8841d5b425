import type { Severity } from '../../domain/finding.ts';
import type { Place } from '../facts.ts';

/** What one audit of one instance, or of files, came to: the document of --json. Times are ISO 8601. */
export interface AuditReport {
  /** The instance's name, or the file's. */
  subject: string;
  mode: 'server' | 'files';
  /** `redis 7.0.15`; with a question mark where nobody has said. */
  engine: string;
  at: string;
  score: Score;
  findings: AuditFinding[];
  /** What could not be judged, and what it would take. */
  unknown: { rule: string; title: string; missing: string }[];
  not_applicable: { rule: string; title: string; why: string }[];
  /** Rules that were judged and are kept. */
  passed: string[];
  /** The three that are worth doing first. */
  next: { rule: string; resource: string; remedy: string }[];
  /** Since the last audit that saw as much; null where there is none. */
  since: { at: string; score: number; opened: string[]; closed: string[] } | null;
  advisory_age_days: number;
}

/**
 * Those that one and the same remedy ends, together, in the place of the first: a server that was not upgraded for a year has
 * ten known flaws and one thing to do.
 */
export function alike(findings: readonly AuditFinding[]): [AuditFinding, ...AuditFinding[]][] {
  const groups = Map.groupBy(findings, ({ rule, remedy }) => `${rule}\n${remedy}`);
  return [...groups.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [[first, ...others]],
  );
}

export interface AuditFinding {
  rule: string;
  title: string;
  severity: Severity;
  resource: string;
  summary: string;
  why: string;
  remedy: string;
  /** What the remedy takes. */
  effect: 'run time' | 'restart' | 'file' | 'host';
  proof: string;
  evidence: Record<string, string | number | boolean | null>;
  place: Place | null;
  page: string;
  source: string;
  waived: { reason: string; author: string; until: string } | null;
}

export interface Score {
  /** 0..100 over what could be seen; null when nothing could. */
  value: number | null;
  /** The share of the applicable rules, by weight, that could be judged: 0..1. */
  coverage: number;
  /** How it comes about, for people. */
  explained: string;
}
