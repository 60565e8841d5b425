import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import type * as z from 'zod';
import { policyFile } from './schema.ts';

/**
 * Behind a file of its own: it loads what reads YAML, which most commands need not wait for. What is wrong is told with its
 * line; nothing that the file holds is repeated but names of keys.
 */
export function parse(text: string, wrong: (problem: string) => Error): z.infer<typeof policyFile> {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: 'error',
    lineCounter: lines,
  });
  const at = (offset: number): string => `line ${Math.max(1, lines.linePos(offset).line)}: `;
  const [problem] = document.errors;
  if (problem !== undefined) throw wrong(`${at(problem.pos[0])}${firstLine(problem.message)}`);
  if (!isMap(document.contents)) throw wrong(`${at(0)}it has no name:, summary: and directives:`);
  const read = policyFile.safeParse(document.toJS());
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const path = issue?.path.map(String) ?? [];
  const where = path.length === 0 ? '' : `${path.join('.')}: `;
  throw wrong(
    `${at(offsetOf(document, path))}${where}${issue === undefined ? 'is not valid' : wordsOf(issue)}`,
  );
}

const firstLine = (text: string): string => text.split('\n')[0] ?? text;

/** Of the value itself, or of what is nearest around it. */
function offsetOf({ contents }: Document, path: readonly string[]): number {
  let node: unknown = contents;
  let offset = 0;
  for (const key of path) {
    if (!isMap(node)) break;
    const pair = node.items.find((each) => isScalar(each.key) && String(each.key.value) === key);
    if (pair === undefined) break;
    if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
    node = pair.value;
  }
  return offset;
}

type Issue = z.core.$ZodIssue;

function wordsOf(issue: Issue): string {
  if (issue.code === 'invalid_key') return wordsOfFirst(issue.issues) ?? issue.message;
  if (issue.code === 'invalid_union') {
    const inside = issue.errors.flat().find(({ code }) => code === 'custom');
    return inside?.message ?? 'is missing, or no text, number or list of such';
  }
  if (issue.code === 'unrecognized_keys') return `there is no ${issue.keys.join(', ')} here`;
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return 'is missing';
  return issue.message;
}

function wordsOfFirst([issue]: readonly Issue[]): string | undefined {
  return issue === undefined ? undefined : wordsOf(issue);
}
