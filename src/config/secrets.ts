import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../domain/errors.ts';
import { Secret, type SecretRef } from '../domain/secret.ts';
import { describeMode, currentUser, describeReadFailure } from '../lib/files/file-owner.ts';
import { lentDescriptor, readWhole } from '../lib/files/lent-file.ts';

export interface SecretContext {
  env: NodeJS.ProcessEnv;
  /** The setting, for messages: `instances[0].password`. */
  what: string;
}

/** Keys and passwords are short; a longer file is another one. */
const maxBytes = 64 * 1024;

/**
 * Reads a secret from where the configuration says it is kept. One line end at its end is cut; an empty one is
 * refused, and so is a file that everybody may read or write. Throws an AgentError `usage` that names the setting, the
 * place, the cause and the remedy, and never the value.
 */
export function readSecret(ref: SecretRef, context: SecretContext): Secret {
  if ('env' in ref) return fromEnvironment(ref.env, context);
  if ('credential' in ref) return fromCredential(ref.credential, context);
  return fromFile(ref.file, `the file ${ref.file}`, context);
}

function fromEnvironment(name: string, context: SecretContext): Secret {
  const value = context.env[name];
  const place = `the environment variable ${name}`;
  if (value === undefined)
    throw problem(context, place, 'it is not set', `set ${name} for the agent, or keep the secret in a file`);
  return secretOf(value, place, context);
}

function fromCredential(name: string, context: SecretContext): Secret {
  const place = `the systemd credential ${name}`;
  const folder = context.env['CREDENTIALS_DIRECTORY'];
  if (!folder)
    throw problem(
      context,
      place,
      '$CREDENTIALS_DIRECTORY is not set, so this process has no credentials',
      `add LoadCredential=${name}:PATH to the unit; outside of it, only a file or variable can be read`,
    );
  return fromFile(join(folder, name), place, context);
}

function fromFile(path: string, place: string, context: SecretContext): Secret {
  const lent = lentDescriptor(path);
  if (lent !== undefined) return secretOf(readChecked(lent, path, place, context), place, context);
  let descriptor: number;
  try {
    // Not blocking: a named pipe without a writer would hang the agent.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw problem(context, place, describeReadFailure(path, cause), openHint(path, cause), cause);
  }
  try {
    return secretOf(readChecked(descriptor, path, place, context), place, context);
  } finally {
    closeSync(descriptor);
  }
}

/** Looks at the open file and not at its path, which could be another one by then. */
function readChecked(descriptor: number, path: string, place: string, context: SecretContext): string {
  const stats = fstatSync(descriptor);
  if (!stats.isFile())
    throw problem(context, place, 'it is not a regular file', `put the secret into ${path}`);
  if ((stats.mode & 0o006) !== 0)
    throw problem(
      context,
      place,
      `everybody may read or write it (mode ${describeMode(stats.mode)})`,
      `chmod 0600 ${path}, or 0640 with the agent's group; then change the secret if others use this host`,
    );
  if (stats.size > maxBytes)
    throw problem(context, place, `it has more than ${maxBytes} bytes`, 'is it the right file?');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readWhole(descriptor));
  } catch (cause) {
    // The cause is left out on purpose: a decoder's error may hold bytes of the secret.
    const why = cause instanceof TypeError ? 'it is not UTF-8 text' : describeReadFailure(path, cause);
    throw problem(context, place, why, 'is it the right file?');
  }
}

function secretOf(value: string, place: string, context: SecretContext): Secret {
  // Editors put both there unasked, and a password with them is another one, which a server only calls wrong.
  if (value.startsWith('\uFEFF'))
    throw problem(
      context,
      place,
      'it begins with a byte order mark, which would be part of the secret',
      "save it as UTF-8 without one: sed -i '1s/^\\xef\\xbb\\xbf//' FILE",
    );
  if (/^[^\n]*\n\s*\n\s*$/.test(value) && !value.startsWith('AGE-SECRET-KEY-'))
    throw problem(
      context,
      place,
      'it ends in more than one line end, and only one is left out of the secret',
      'write it anew without an empty line behind it: printf %s SECRET > FILE, or head -n 1',
    );
  const secret = value.replace(/\r?\n$/, '');
  if (secret === '') throw problem(context, place, 'it is empty', 'put the secret there');
  if (secret.includes('\0'))
    throw problem(context, place, 'it holds a NUL character', 'save it as plain text in UTF-8');
  return new Secret(secret);
}

function openHint(path: string, cause: unknown): string {
  return describeReadFailure(path, cause).startsWith('permission')
    ? `let ${currentUser()} read it: chgrp and chmod 0640 ${path}, or chown it`
    : `create it with the secret in it: install -m 0600 /dev/stdin ${path}`;
}

function problem(
  context: SecretContext,
  place: string,
  why: string,
  hint: string,
  cause?: unknown,
): AgentError {
  return new AgentError('usage', `${context.what}: cannot read the secret from ${place}: ${why}`, {
    hint,
    reason: 'secret',
    cause,
  });
}
