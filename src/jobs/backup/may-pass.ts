import { AgentError } from '../../domain/errors.ts';
import { FailedAfterBackup } from './backup-cycle.ts';

/** Reasons that go away by themselves: a store or a server that is away, overloaded or busy. */
const passing: Record<string, ReadonlySet<string>> = {
  repository: new Set(['unavailable', 'timeout', 'truncated']),
  redis: new Set([
    'unavailable',
    'timeout',
    'refused',
    'closed',
    'unknown-host',
    'loading',
    'busy',
    'maxclients',
  ]),
};

/**
 * May a backup that failed like this succeed in a minute? One that was stored is not taken again, and a save that failed on
 * the server is not asked for again: on some it stops all writes.
 */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof AgentError) || error instanceof FailedAfterBackup) return false;
  return passing[error.code]?.has(error.reason ?? '') === true;
}
