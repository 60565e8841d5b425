import { compareVersions } from '../../src/formats/conf/engine.ts';
import type { Advisory } from '../../src/harden/audit/judge-advisory.ts';

/** conf/advisories.json. */
export interface AdvisoryFile {
  $schema: string;
  schema: number;
  checked: string;
  supported: Record<string, string[]>;
  rows: Advisory[];
}

const severities: Record<string, Advisory['severity']> = {
  CRITICAL: 'critical',
  HIGH: 'high',
  MODERATE: 'warning',
  MEDIUM: 'warning',
  LOW: 'info',
};

/** Merges OSV records (https://ossf.github.io/osv-schema/); what is no record of Redis or Valkey is passed over with a note. */
export function mergeAdvisories(
  known: AdvisoryFile,
  exported: unknown,
  checked: string,
): { merged: AdvisoryFile; notes: string[] } {
  const rows = known.rows.map((row) => ({ ...row, fixed: { ...row.fixed } }));
  const notes: string[] = [];
  for (const record of recordsOf(exported)) {
    const ids = [textOf(record, 'id'), ...listOf(record, 'aliases').map(String)];
    const id = ids.find((each) => each.startsWith('CVE-')) ?? ids.find((each) => each.startsWith('GHSA-'));
    const fixed = fixedOf(record);
    if (id === undefined || Object.keys(fixed).length === 0) {
      notes.push(`passed over: ${ids[0] ?? 'a record'} (no fixed version of redis or valkey)`);
      continue;
    }
    const row = rows.find((each) => [each.id, ...(each.aliases ?? [])].some((name) => ids.includes(name)));
    if (row === undefined) {
      rows.push(newRow(record, id, fixed));
      notes.push(`new: ${id}`);
      continue;
    }
    for (const [engine, versions] of Object.entries(fixed)) {
      const own = row.fixed[engine] ?? [];
      const added = versions.filter((version) => !own.some((each) => lineOf(each) === lineOf(version)));
      if (added.length === 0) continue;
      row.fixed[engine] = [...own, ...added].toSorted(compareVersions);
      notes.push(`${row.id}: ${engine} ${added.join(', ')}`);
    }
  }
  return { merged: { ...known, checked, rows }, notes };
}

/** One row a line, so that a change shows as one. */
export function renderAdvisories({ $schema, schema, checked, supported, rows }: AdvisoryFile): string {
  const lines = rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n');
  const head = [
    `  "$schema": ${JSON.stringify($schema)}`,
    `  "schema": ${schema}`,
    `  "checked": ${JSON.stringify(checked)}`,
    `  "supported": ${JSON.stringify(supported)}`,
  ].join(',\n');
  return `{\n${head},\n  "rows": [\n${lines}\n  ]\n}\n`;
}

function newRow(record: unknown, id: string, fixed: Record<string, string[]>): Advisory {
  const severity = textOf(valueOf(record, 'database_specific'), 'severity');
  return {
    id,
    title: (textOf(record, 'summary') || 'no summary').slice(0, 100),
    severity: severities[severity.toUpperCase()] ?? 'high',
    kind: 'cve',
    date: textOf(record, 'published').slice(0, 10) || '1970-01-01',
    fixed,
    source: `OSV ${textOf(record, 'id')}`,
    // Nobody has looked at newer lines.
    later_lines: 'unknown',
  };
}

function fixedOf(record: unknown): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const affected of listOf(record, 'affected')) {
    const name = textOf(valueOf(affected, 'package'), 'name').toLowerCase();
    const engine = /(?:^|\/)(redis|valkey)$/.exec(name)?.[1];
    if (engine === undefined) continue;
    for (const range of listOf(affected, 'ranges'))
      for (const event of listOf(range, 'events')) {
        const version = textOf(event, 'fixed');
        if (/^\d+\.\d+\.\d+$/.test(version))
          found[engine] = [...new Set([...(found[engine] ?? []), version])];
      }
  }
  return found;
}

function recordsOf(exported: unknown): unknown[] {
  if (Array.isArray(exported)) return exported;
  const inside = listOf(exported, 'vulns');
  return inside.length > 0 ? inside : [exported];
}

function lineOf(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

function valueOf(from: unknown, key: string): unknown {
  return typeof from === 'object' && from !== null ? Reflect.get(from, key) : undefined;
}

function textOf(from: unknown, key: string): string {
  const value = valueOf(from, key);
  return typeof value === 'string' ? value : '';
}

function listOf(from: unknown, key: string): unknown[] {
  const value = valueOf(from, key);
  return Array.isArray(value) ? value : [];
}
