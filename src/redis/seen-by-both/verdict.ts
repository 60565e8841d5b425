import type { Finding, Severity } from '../../domain/finding.ts';

/**
 * What a rule of this folder found. The watch judges it in each poll and an audit when it runs: one rule id, one resource
 * and one judge, so that whoever looks opens and closes the same alert.
 */
export interface SharedVerdict {
  resource: string;
  severity: Severity;
  summary: string;
  remedy: string;
  evidence: Finding['evidence'];
}

/** While one of these fires, nothing can be said about the rest. */
export const blinding: readonly string[] = [
  'server-down',
  'server-busy',
  'server-loading',
  'credential-invalid',
  'clients-exhausted',
];
