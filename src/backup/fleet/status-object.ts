import type { Severity } from '../../domain/finding.ts';

/** The newest schema of a status object that this version writes and reads. */
export const statusSchema = 1;

/**
 * How an agent and its instance are, for whoever reads the repository of many: `<instance>/status/<time>.json`. Written
 * once and never replaced. Names of rules and counts alone, no text that a server wrote. Times are ISO 8601 UTC.
 */
export interface StatusObject {
  schema: number;
  instance: string;
  at: string;
  host: string;
  agent_version: string;
  /** null: it did not answer. */
  server: { engine: string; version: string; role: string } | null;
  findings: Record<Severity, number>;
  /** Rules that are violated at `high` or above, at most 20. */
  worst: string[];
  /** null: never. */
  audited_at: string | null;
  audit_score: number | null;
}

/** `20261121T060000123Z.json` */
export function statusName(at: number): string {
  return `${new Date(at).toISOString().replaceAll(/[-:.]/g, '')}.json`;
}

/** The folder of an instance that holds them. */
export const statusFolder = 'status';
export const statusNameForm = /^\d{8}T\d{9}Z\.json$/;
