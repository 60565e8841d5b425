import type * as z from 'zod';
import { closest } from '../lib/text/closest.ts';
import { knownKeys } from './known-keys.ts';

type Path = readonly PropertyKey[];

/** One thing wrong in the configuration: where (a path of keys and indices) and what. */
export interface Problem {
  path: Path;
  /** Point at the key itself and not at its value. */
  atKey: boolean;
  /** `what is wrong; what would be right`. */
  message: string;
  /** The place that this one clashes with. */
  other?: Path;
}

/** zod's issues in our words. `raw` is the document that was validated. No value is repeated that may be a secret. */
export function describeIssues(issues: z.core.$ZodIssue[], schema: z.ZodType, raw: unknown): Problem[] {
  return issues.flatMap((issue) => describeIssue(issue, schema, raw));
}

function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodType, raw: unknown): Problem[] {
  const at = (message: string): Problem[] => [{ path: issue.path, atKey: false, message }];
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, issue.path, raw);
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      atKey: true,
      message: unknownKey(key, known),
    }));
  }
  if (issue.code === 'invalid_union') {
    // A section where one may be: what is wrong is in it.
    const inside = issue.errors.find((errors) => errors.every(isInside)) ?? [];
    if (inside.length > 0)
      return inside.flatMap((each) =>
        describeIssue({ ...each, path: [...issue.path, ...each.path] }, schema, raw),
      );
  }
  // The schema's own messages begin in lower case, those of zod with "Invalid".
  if (!issue.message.startsWith('Invalid')) return at(issue.message);
  const value = valueAt(raw, issue.path);
  if (value === undefined) return at(missing(issue, schema, raw));
  if (issue.code === 'invalid_type') return at(wrongType(issue.expected, value));
  if (issue.code === 'invalid_value') return at(wrongChoice(value, issue.values.map(String)));
  if (issue.code === 'invalid_union') return at(wrongChoice(value, discriminators(issue)));
  return at(issue.message);
}

function isInside({ code, path }: z.core.$ZodIssue): boolean {
  return path.length > 0 || code === 'unrecognized_keys';
}

function unknownKey(key: string, known: string[]): string {
  const near = closest(key, known);
  return near === undefined
    ? `unknown key; known here: ${known.toSorted().join(', ')}`
    : `unknown key; did you mean ${near}?`;
}

function missing(issue: z.core.$ZodIssue, schema: z.ZodType, raw: unknown): string {
  if (issue.code === 'invalid_union' && discriminators(issue).length > 0)
    return `is missing; one of ${discriminators(issue).join(', ')}`;
  const keys = knownKeys(schema, issue.path, raw);
  if (keys.length > 0) return `is missing; a section with ${keys.join(', ')}`;
  return 'is missing; it has no default';
}

const typeNames: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a section of keys',
};

function wrongType(expected: string, value: unknown): string {
  const right = typeNames[expected] ?? expected;
  if (value === null) return `is empty; it must be ${right}, or leave the key out`;
  const actual = Array.isArray(value) ? 'array' : typeof value;
  const quote =
    expected === 'string' && actual !== 'array' && actual !== 'object' ? '; put it in quotes' : '';
  return `is ${typeNames[actual] ?? actual}; it must be ${right}${quote}`;
}

function wrongChoice(value: unknown, choices: string[]): string {
  const near = typeof value === 'string' ? closest(value, choices) : undefined;
  return `is not one of ${choices.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`;
}

function discriminators(issue: z.core.$ZodIssueInvalidUnion): string[] {
  return 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
}

/** Instances that have a name which an earlier one has. Looked for in the document, so that no other problem hides it. */
export function duplicateNames(raw: unknown): Problem[] {
  const instances = valueAt(raw, ['instances']);
  const first = new Map<string, number>();
  const problems: Problem[] = [];
  if (!Array.isArray(instances)) return problems;
  for (const index of instances.keys()) {
    const path = ['instances', index, 'name'];
    const name = valueAt(raw, path);
    if (typeof name !== 'string') continue;
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, index);
    else
      problems.push({
        path,
        atKey: false,
        message: 'two instances have this name; give each its own',
        other: ['instances', earlier, 'name'],
      });
  }
  return problems;
}

/** The value at a path of a document; undefined when there is none. */
function valueAt(raw: unknown, path: Path): unknown {
  let value = raw;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/** `instances[0].tls.ca`. A key that does not look like one is not repeated: it may be a misplaced secret. */
export function showPath(path: Path): string {
  let shown = '';
  for (const key of path) {
    if (typeof key === 'number') shown += `[${key}]`;
    else shown += `${shown === '' ? '' : '.'}${showKey(String(key))}`;
  }
  return shown;
}

function showKey(key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_-]{0,39}$/.test(key) ? key : '(a key that is not shown)';
}
