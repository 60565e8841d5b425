import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AgentError } from '../../domain/errors.ts';
import { describeReadFailure } from '../../lib/files/file-owner.ts';
import { subjectOf, wordsOf, type RedisTarget } from './target.ts';

/** What node:tls takes. Files that were not named are left out. */
export interface TlsFiles {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
  servername?: string;
}

/**
 * Reads the PEM files of an instance. OpenSSL would ignore a `ca` without a certificate in it and say later that the
 * server is not trusted, so each file is looked at first. Throws an AgentError `redis`, reason `tls`.
 */
export function readTlsFiles(target: RedisTarget): TlsFiles {
  const { ca, cert, key, server_name: servername } = target.tls ?? {};
  return {
    ...(ca === undefined ? {} : { ca: readPem(target, 'ca', ca) }),
    ...(cert === undefined ? {} : { cert: readPem(target, 'cert', cert) }),
    ...(key === undefined ? {} : { key: readPem(target, 'key', key) }),
    ...(servername === undefined ? {} : { servername }),
  };
}

function readPem(target: RedisTarget, file: 'ca' | 'cert' | 'key', path: string): Buffer {
  const setting = wordsOf(target)[file];
  const fail = (why: string, hint: string): AgentError =>
    new AgentError('redis', `${subjectOf(target)}cannot use ${setting} ${path}: ${why}`, {
      reason: 'tls',
      hint,
    });
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch (error) {
    throw fail(describeReadFailure(path, error), `check ${setting}, and that the agent’s user may read it`);
  }
  const kind = file === 'key' ? 'private key without a passphrase' : 'certificate';
  try {
    // The parsers' errors are not passed on: they may quote a key.
    if (file === 'key') createPrivateKey(content);
    else void new X509Certificate(content);
  } catch {
    throw fail(`it is not a ${kind} in PEM`, `${setting} must name a PEM file with a ${kind}`);
  }
  return content;
}
