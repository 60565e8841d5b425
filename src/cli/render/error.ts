import { AgentError, messageOf } from '../../domain/errors.ts';
import { printable } from '../../lib/text/printable.ts';
import type { Style } from './style.ts';

/** For people: what failed and why, then what to do. Several lines only where a message lists several problems. */
export function renderError(error: unknown, style: Style): string {
  const [first = '', ...more] = textOf(error).split('\n').map(printable);
  const hint = error instanceof AgentError && error.hint !== undefined ? `; ${printable(error.hint)}` : '';
  return [`${style.bad('redis-agent:')} ${first}${more.length === 0 ? hint : ''}`, ...more].join('\n');
}

/** The same for scripts. */
export function errorDocument(error: unknown): object {
  const known = error instanceof AgentError ? error : undefined;
  // Who holds a lock is the reason of `locked`.
  const reason = known?.reason ?? known?.holder;
  return {
    error: {
      code: known?.code ?? 'defect',
      ...(reason === undefined ? {} : { reason }),
      message: textOf(error),
      ...(known?.hint === undefined ? {} : { hint: known.hint }),
    },
  };
}

function textOf(error: unknown): string {
  if (error instanceof AgentError) return error.message;
  const where = error instanceof Error ? (error.stack?.split('\n')[1]?.trim() ?? '') : '';
  return `unexpected: ${messageOf(error)} ${where} (this is a defect: please report it)`;
}
