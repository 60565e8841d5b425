import { statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import { currentUser, describeOwner } from '../../lib/files/file-owner.ts';
import { storeError, type Operation } from './store-error.ts';
import type { StoreFailure } from './store.ts';

interface Meaning {
  reason: StoreFailure;
  why: string;
  hint?: string;
}

/** Turns a system error into the store's own; `path` is what the operation was about where the error names nothing. */
export function filesystemError(what: Operation, path: string, cause: unknown): AgentError {
  if (cause instanceof AgentError) return cause;
  const { reason, why, hint } = meaning(what, pathOf(cause) ?? path, systemCode(cause)) ?? {
    reason: 'unavailable',
    why: messageOf(cause),
  };
  return storeError(what, reason, why, { cause, hint });
}

function meaning(what: Operation, path: string, code: string | undefined): Meaning | undefined {
  if (code === 'ENOSPC')
    return {
      reason: 'full',
      why: 'no space left on the file system',
      hint: `free space (df ${nearest(path)?.path ?? '/'}), or keep fewer backups`,
    };
  if (code === 'EDQUOT')
    return {
      reason: 'full',
      why: `the disk quota of ${currentUser()} is used up`,
      hint: 'raise the quota, or keep fewer backups',
    };
  if (code === 'EFBIG')
    return {
      reason: 'full',
      why: 'larger than the file system or a limit of this process allows',
      hint: 'see ulimit -f (LimitFSIZE= of the unit) and the largest file that the file system takes',
    };
  if (code === 'EROFS')
    return {
      reason: 'denied',
      why: 'the file system is mounted read-only',
      hint: `see findmnt -T ${nearest(path)?.path ?? '/'}, and dmesg for why`,
    };
  if (code === 'EACCES' || code === 'EPERM')
    return { reason: 'denied', why: `permission denied for ${currentUser()}`, ...ownerHint(path) };
  if (code === 'ENAMETOOLONG')
    return { reason: 'bad-key', why: 'the file system does not take names that long' };
  if (what.operation === 'put' && (code === 'EEXIST' || code === 'ENOTDIR'))
    return {
      reason: 'exists',
      why: 'there is an object of that name, or one where a folder would have to be',
      hint: 'see what lies there: it is never replaced',
    };
  if (what.operation === 'put' && code === 'ENOENT')
    return {
      reason: 'unavailable',
      why: 'what was written has gone meanwhile',
      hint: 'does another agent with a state.path of its own, or a clean-up job, remove files there?',
    };
  if (what.operation === 'get' && code === 'ENOENT')
    return { reason: 'missing', why: 'there is no such object' };
  return undefined;
}

function ownerHint(path: string): { hint?: string } {
  const found = nearest(path);
  if (found === undefined) return {};
  return {
    hint: `${found.path} belongs to ${describeOwner(found.stats)}: give ${currentUser()} access to it`,
  };
}

/** The path itself, or the closest folder above it that can be looked at. */
function nearest(path: string): { path: string; stats: Stats } | undefined {
  for (let at = path; ; at = dirname(at)) {
    try {
      return { path: at, stats: statSync(at) };
    } catch {
      if (at === dirname(at)) return undefined;
    }
  }
}

/** The path that a Node system error names. */
function pathOf(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null || !('path' in cause)) return undefined;
  return typeof cause.path === 'string' ? cause.path : undefined;
}
