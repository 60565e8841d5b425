import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The schema of SARIF 2.1.0, in the words of draft 7: of those of draft 4 it uses only `id` otherwise. */
function sarifSchema(): object {
  const path = createRequire(import.meta.url).resolve('@microsoft/jest-sarif/package.json');
  const text = readFileSync(join(path, '../lib/schemas/sarif-2.1.0-rtm.5.json'), 'utf8');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a JSON schema is an object
  const { $schema: _, id: __, ...schema } = JSON.parse(text) as Record<string, unknown>;
  return schema;
}

/** What is wrong with it as SARIF 2.1.0, by the standard's schema; nothing when it is right. */
export function sarifFaults(document: unknown): string[] {
  const ajv = new Ajv({ allErrors: true, strict: false, unicodeRegExp: false });
  formats.default(ajv);
  const validate = ajv.compile(sarifSchema());
  if (validate(document)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** What is wrong with it as JUnit's XML, by xmllint; nothing when it is right. */
export function junitFaults(xml: string): string {
  const schema = join(import.meta.dirname, '../data/junit.xsd');
  try {
    execFileSync('xmllint', ['--noout', '--nonet', '--schema', schema, '-'], {
      input: xml,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    return '';
  } catch (error) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what execFileSync throws
    return String((error as { stderr: Buffer }).stderr);
  }
}
