import { expect, test } from 'vitest';
import { commandError } from '../../../../src/redis/connection/command-error.ts';
import { connectError, greetingError } from '../../../../src/redis/connection/connect-error.ts';
import { flagWords, type RedisTarget } from '../../../../src/redis/connection/target.ts';

const instance: RedisTarget = { name: 'main', url: 'rediss://host:1' };
const byUrl: RedisTarget = { name: 'host:1', url: 'rediss://host:1', words: flagWords('--into') };

const coded = (code: string): Error => Object.assign(new Error('no'), { code });

test.each<[string, string, string]>([
  ['SELF_SIGNED_CERT_IN_CHAIN', 'set tls.ca of this instance to', 'set --ca-file to'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'or set tls.server_name of this instance', 'or set --server-name to it'],
  [
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    'set tls.cert and tls.key of this',
    'set --cert-file and --key-file',
  ],
  ['ERR_OSSL_X509_KEY_VALUES_MISMATCH', 'check both files of this instance', 'check both files'],
  ['ENOTFOUND', 'check url', 'check --into'],
])(
  'what does not connect speaks of settings, or of flags where a URL names the server: %s',
  (code, one, other) => {
    const told = connectError(instance, coded(code));
    expect(told.message).toMatch(/^instance main: cannot connect to rediss:\/\/host:1: /);
    expect(told.hint).toContain(one);
    const flagged = connectError(byUrl, coded(code));
    expect(flagged.message).toMatch(/^cannot connect to rediss:\/\/host:1: /);
    expect(flagged.hint).toContain(other);
  },
);

test.each(['WRONGPASS no', 'NOAUTH no', 'ERR unknown command', 'Protocol error', 'BUSY script', 'something'])(
  'of a URL no error speaks of an instance: %s',
  (reply) => {
    const errors = [
      commandError(byUrl, 'INFO', [], new Error(reply)),
      greetingError(byUrl, 'AUTH', new Error(reply)),
    ];
    for (const { message, hint = '' } of errors) {
      expect(`${message} ${hint}`).not.toMatch(/\binstance\b|\btls\.|\burl\b|renamed:/);
    }
    expect(errors[0]?.message).toMatch(/^host:1: INFO: /);
    expect(commandError(instance, 'INFO', [], new Error(reply)).message).toMatch(/^instance main: INFO: /);
  },
);
