import { AgentError } from '../../domain/errors.ts';
import { isKey, type StoreFailure } from './store.ts';

/** What a store was asked to do and with what, for messages. */
export interface Operation {
  operation: 'put' | 'get' | 'stat' | 'list' | 'remove' | 'sweep' | 'examine';
  /** A key, or a prefix. */
  key: string;
  /** The store's description. */
  store: string;
}

/** Whoever misses an object has a backup that is not whole. */
const wholeBackups = 'see which backups are whole: redis-agent backups list';

/** The AgentError of a failed store operation: `cannot put main/x/manifest.json in s3 bucket: <why>`. */
export function storeError(
  what: Operation,
  reason: StoreFailure,
  why: string,
  options: { hint?: string | undefined; cause?: unknown } = {},
): AgentError {
  const name = [what.operation, what.key].filter(Boolean).join(' ');
  const hint = options.hint ?? (reason === 'missing' ? wholeBackups : undefined);
  return new AgentError('repository', `cannot ${name} in ${what.store}: ${why}`, {
    ...options,
    reason,
    ...(hint !== undefined && { hint }),
  });
}

/** Refuses a key that some store could not hold, or that would leave the root. */
export function requireKey(what: Operation): void {
  if (isKey(what.key)) return;
  throw storeError({ ...what, key: JSON.stringify(what.key) }, 'bad-key', 'that is no object name', {
    hint: 'names are segments of letters, digits, dots, dashes and underscores, none starting with a dot',
  });
}

/** As requireKey; `''` means the whole store. */
export function requirePrefix(what: Operation): void {
  if (what.key !== '') requireKey(what);
}
