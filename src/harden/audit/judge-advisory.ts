import type { Severity } from '../../domain/finding.ts';
import { compareVersions, type EngineVersion } from '../../formats/conf/engine.ts';

/** A row of conf/advisories.json; its schema says what the fields mean. */
export interface Advisory {
  id: string;
  aliases?: string[];
  title: string;
  severity: Severity;
  kind: 'cve' | 'bug' | 'module';
  date: string;
  fixed: Record<string, string[]>;
  since?: Record<string, string>;
  unaffected?: string[];
  debian?: Record<string, string>;
  later_lines?: 'unknown';
  unsure?: Record<string, string[]>;
  source: string;
}

export type AdvisoryVerdict =
  | { state: 'open'; fixedIn: string | undefined }
  | { state: 'fixed'; why: string }
  | { state: 'unknown'; why: string };

/** Does it concern this server? `fixed` are the ids that the package's own changelog names. */
export function judgeAdvisory(
  row: Advisory,
  { engine, version }: Pick<EngineVersion, 'engine' | 'version'>,
  fixed: ReadonlySet<string> | undefined,
): AdvisoryVerdict {
  const named = [row.id, ...(row.aliases ?? [])].find((id) => fixed?.has(id));
  if (named !== undefined) return { state: 'fixed', why: `the package’s changelog names ${named}` };
  if (row.unaffected?.includes(engine) === true) return { state: 'fixed', why: `${engine} does not have it` };
  const since = row.since?.[engine];
  if (since !== undefined && compareVersions(version, since) < 0)
    return { state: 'fixed', why: `it came with ${since}` };
  const versions = row.fixed[engine];
  // Valkey began as Redis 7.2.4, and has what was fixed before.
  if (versions === undefined)
    return engine === 'valkey' && row.date < '2024-04'
      ? { state: 'fixed', why: 'it was fixed before Valkey began' }
      : { state: 'unknown', why: 'no source says whether it has it' };
  const line = lineOf(version);
  const unsure = row.unsure?.[engine] ?? [];
  const own = versions.find((each) => lineOf(each) === line);
  if (own !== undefined)
    return compareVersions(version, own) >= 0
      ? { state: 'fixed', why: `fixed in ${own}` }
      : { state: 'open', fixedIn: own };
  if (unsure.includes(line) || unsure.includes('*'))
    return { state: 'unknown', why: `no source says which version of ${line} has the fix` };
  const newest = versions.toSorted(compareVersions).at(-1);
  if (newest !== undefined && compareVersions(line, lineOf(newest)) > 0)
    return row.later_lines === 'unknown'
      ? { state: 'unknown', why: `no source speaks of ${line}` }
      : { state: 'fixed', why: `${line} is newer than the fix` };
  // An older line that got no fix of its own.
  return { state: 'open', fixedIn: versions.find((each) => compareVersions(each, version) > 0) };
}

function lineOf(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}
