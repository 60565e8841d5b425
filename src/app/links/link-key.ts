import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import { describeMode } from '../../lib/files/file-owner.ts';
import { linkKeyBytes } from '../../lib/signed-link.ts';

const fileName = 'links.key';

/** The key of links in messages, made when it is first needed. Throws an AgentError where others could know it. */
export function linkKey(directory: string): Uint8Array {
  const path = join(directory, fileName);
  try {
    return read(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw unusable(path, error);
  }
  try {
    write(path);
  } catch (error) {
    // Another process was first.
    if (systemCode(error) !== 'EEXIST') throw unusable(path, error);
  }
  try {
    return read(path);
  } catch (error) {
    throw unusable(path, error);
  }
}

function read(path: string): Uint8Array {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { mode, size } = fstatSync(file);
    if ((mode & 0o077) !== 0) throw new Error(`others may read it (mode ${describeMode(mode)})`);
    if (size !== linkKeyBytes) throw new Error(`it has ${size} bytes and not ${linkKeyBytes}`);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function write(path: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, randomBytes(linkKeyBytes));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function unusable(path: string, error: unknown): AgentError {
  return new AgentError(
    'failed',
    `the key of links in messages, ${path}, cannot be used: ${messageOf(error)}`,
    {
      cause: error,
      hint: `remove it, and a new one is made: links that were sent end with it`,
    },
  );
}
