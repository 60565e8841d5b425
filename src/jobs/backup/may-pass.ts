import { AgentError, hasReason, type ErrorCode, type Reason, type ReasonOf } from '../../domain/errors.ts';
import { FailedAfterBackup } from './backup-cycle.ts';

/** Reasons that go away by themselves: a store or a server that is away, overloaded or busy. */
const passing: { [C in ErrorCode]?: readonly ReasonOf<C>[] } = {
  repository: ['unavailable', 'truncated'],
  redis: ['unavailable', 'timeout', 'refused', 'closed', 'unknown-host', 'loading', 'busy', 'maxclients'],
};

/**
 * May a backup that failed like this succeed in a minute? One that was stored is not taken again, and a save that failed on
 * the server is not asked for again: on some it stops all writes.
 */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof AgentError) || error instanceof FailedAfterBackup) return false;
  const reasons: readonly Reason[] = passing[error.code] ?? [];
  return hasReason(error, ...reasons);
}
