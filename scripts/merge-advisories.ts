/**
 * Merges an export of OSV (one record, a list, or `{ "vulns": [ … ] }`) into conf/advisories.json and writes today's date
 * as the day on which somebody last looked:
 *
 *   scripts/node scripts/merge-advisories.ts EXPORT.json [--checked 2026-11-29]
 *
 * What stands there by hand stays: a known row only gets fixed versions of lines that it lacks.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { mergeAdvisories, renderAdvisories, type AdvisoryFile } from './advisories/merge.ts';

const [file, flag, date] = process.argv.slice(2);
if (file === undefined || (flag !== undefined && flag !== '--checked')) {
  console.error('usage: scripts/node scripts/merge-advisories.ts EXPORT.json [--checked YYYY-MM-DD]');
  process.exit(2);
}
const path = 'conf/advisories.json';
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- kept by its schema, in a test
const known = JSON.parse(readFileSync(path, 'utf8')) as AdvisoryFile;
const exported: unknown = JSON.parse(readFileSync(file, 'utf8'));
const { merged, notes } = mergeAdvisories(known, exported, date ?? new Date().toISOString().slice(0, 10));
writeFileSync(path, renderAdvisories(merged));
for (const note of notes) console.log(note);
console.log(`${path}: ${merged.rows.length} rows, checked ${merged.checked}`);
