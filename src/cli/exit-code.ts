import type { ErrorCode } from '../domain/errors.ts';

/** The one table of exit statuses that scripts may rely on. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  findings: 3,
  redis: 4,
  repository: 5,
  damaged: 6,
  refused: 7,
  locked: 8,
  interrupted: 130,
} as const satisfies Record<ErrorCode | 'ok' | 'findings', number>;
