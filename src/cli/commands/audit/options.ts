import { AgentError } from '../../../domain/errors.ts';
import { severities, type Severity } from '../../../domain/finding.ts';
import { parseEngine, type EngineVersion } from '../../../formats/conf/engine.ts';
import { auditRules } from '../../../harden/audit/rules.ts';
import { closest } from '../../../lib/closest.ts';

export const formats = ['text', 'json', 'html', 'sarif', 'junit'] as const;
export type AuditFormat = (typeof formats)[number];

/** `medium` and `low` are the catalogue's words. */
export function severityOf(word: string): Severity {
  const same: Record<string, Severity> = { medium: 'warning', low: 'info' };
  const found = severities.find((each) => each === word) ?? same[word];
  if (found !== undefined) return found;
  throw new AgentError('usage', `${JSON.stringify(word)} is no severity`, {
    hint: `--fail-on takes ${severities.join(', ')}`,
  });
}

export function engineOption(word: string): EngineVersion {
  const found = parseEngine(word);
  if (found !== undefined) return found;
  throw new AgentError('usage', `${JSON.stringify(word)} names no server`, {
    hint: '--engine takes redis-7.0, valkey-8.1.1, redis-7.2-docker',
  });
}

export function checkIds(words: readonly string[]): string[] {
  const known = auditRules.map(({ id }) => id);
  return words.map((word) => {
    const id = word.toUpperCase();
    if (known.includes(id)) return id;
    const near = closest(id, known);
    throw new AgentError('usage', `there is no check ${JSON.stringify(word)}`, {
      hint: near === undefined ? 'redis-agent audit --json names them all' : `did you mean ${near}?`,
    });
  });
}
