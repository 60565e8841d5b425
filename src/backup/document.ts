import * as z from 'zod';
import { AgentError, messageOf } from '../domain/errors.ts';
import { printable } from '../lib/text/printable.ts';

interface What {
  /** Of the document, for people. */
  name: string;
  /** What is lost to those who cannot read it, where that is more than the document. */
  whole?: string;
  /** The newest `schema` that is known; left out where documents of this kind have none. */
  newest?: number;
}

/** Reads a JSON document of a repository. Throws an AgentError: `damaged`, or `refused` (reason `newer`). */
export function parseDocument<Type>(
  text: string,
  type: z.ZodType<Type>,
  { name, whole = name, newest = Infinity }: What,
): Type {
  const value = parseJson(text, name);
  const schema = z.looseObject({ schema: z.number() }).safeParse(value);
  if (schema.success && schema.data.schema > newest)
    throw new AgentError(
      'refused',
      `${whole} was written by a newer redis-agent (schema ${schema.data.schema})`,
      { reason: 'newer', hint: 'upgrade redis-agent on this host' },
    );
  const parsed = type.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw damagedDocument(
    name,
    issue === undefined ? 'it does not have the expected form' : `${issue.path.join('.')}: ${issue.message}`,
  );
}

/** The error for a document that is not what it has to be. */
export function damagedDocument(name: string, why: string, cause?: unknown): AgentError {
  return new AgentError('damaged', `${name} cannot be read: ${printable(why.slice(0, 500))}`, { cause });
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damagedDocument(name, messageOf(cause), cause);
  }
}
