import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AgentError } from '../../domain/errors.ts';
import { describeReadFailure } from '../../lib/files/file-owner.ts';

/** A file that is written by who may not open it. */
export interface WrittenFile extends Disposable {
  path: string;
  descriptor: number;
  /** See writeLentFile. */
  hasContent(): boolean;
  /** It takes its place. Else, it is gone when this is disposed of. */
  keep(): void;
}

/** A new one beside it, for our own eyes. Undefined where none is asked for; throws an AgentError `usage`. */
export function openWritten(path: string | undefined): WrittenFile | undefined {
  if (path === undefined) return undefined;
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  let descriptor: number;
  try {
    descriptor = openSync(temporary, 'wx', 0o600);
  } catch (cause) {
    throw new AgentError('usage', `cannot write ${path}: ${describeReadFailure(dirname(path), cause)}`, {
      cause,
    });
  }
  return {
    path,
    descriptor,
    hasContent: () => fstatSync(descriptor).size > 0,
    keep: () => renameSync(temporary, path),
    [Symbol.dispose]() {
      closeSync(descriptor);
      rmSync(temporary, { force: true });
    },
  };
}
