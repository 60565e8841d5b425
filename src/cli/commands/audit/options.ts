import { AgentError } from '../../../domain/errors.ts';
import { severities, type Severity } from '../../../domain/finding.ts';
import { parseEngine, type EngineVersion } from '../../../formats/conf/engine.ts';
import { auditRules } from '../../../harden/audit/rules.ts';
import { closest } from '../../../lib/text/closest.ts';

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

export interface AuditArgs {
  format: AuditFormat;
  'fail-on': string;
  out: string | undefined;
  files: string[] | undefined;
  conf: string[] | undefined;
  aclfile: string | undefined;
  engine: string | undefined;
  check: string[] | undefined;
  'fix-preview': boolean | undefined;
  profile: string | undefined;
  user: string | undefined;
  key: string[] | undefined;
  channel: string[] | undefined;
}

/** Throws where something would be passed over: yargs knows no files that are words, and takes none of them for given. */
export function requireFitting(
  { files = [], conf, profile, aclfile, engine, key, channel }: AuditArgs,
  instance: string | undefined,
): void {
  const odd = [
    [files.length > 0 && instance !== undefined, 'files and --instance exclude each other'],
    [aclfile !== undefined && conf === undefined, '--aclfile is about files: name one'],
    [engine !== undefined && conf === undefined, '--engine is about files: name one'],
    [key !== undefined && profile === undefined, '--key needs --profile'],
    [channel !== undefined && profile === undefined, '--channel needs --profile'],
  ] as const;
  const [, what] = odd.find(([is]) => is) ?? [];
  if (what !== undefined) throw new AgentError('usage', what, { hint: 'see: redis-agent audit --help' });
}

/** As words, or by --conf; undefined where servers are meant. */
export function namedConfs({ files = [], conf }: AuditArgs): string[] | undefined {
  const all = [...files, ...(apart(conf) ?? [])];
  return all.length === 0 ? undefined : all;
}

/** An option that was given several times comes joined. */
export function apart(words: string[] | undefined): string[] | undefined {
  return words?.flatMap((word) => word.split('\0').filter(Boolean));
}
