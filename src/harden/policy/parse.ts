import { parseDocument } from 'yaml';
import type * as z from 'zod';
import { messageOf } from '../../domain/errors.ts';
import { policyFile } from './schema.ts';

/** Behind a file of its own: it loads what reads YAML, which most commands need not wait for. */
export function parse(text: string, wrong: (problem: string) => Error): z.infer<typeof policyFile> {
  const document = parseDocument(text, { uniqueKeys: true });
  const [problem] = document.errors;
  if (problem !== undefined) throw wrong(messageOf(problem).split('\n')[0] ?? 'is no YAML');
  const read = policyFile.safeParse(document.toJS());
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw wrong(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}`.replace(/^: /, ''));
}
