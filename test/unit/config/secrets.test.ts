import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { readSecret } from '../../../src/config/secrets.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import type { SecretRef } from '../../../src/domain/secret.ts';
import { actAsNobody } from '../../support/agent/as-nobody.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { runs } from '../../support/house/tier.ts';

const what = 'instances[0].password';

function folder(): string {
  const path = makeTempFolder();
  onTestFinished(() => removeTempFolder(path));
  return path;
}

function secretFile(content: string | Uint8Array, mode = 0o600): string {
  const path = join(folder(), 'secret');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

function failureOf(ref: SecretRef, env: NodeJS.ProcessEnv = {}): AgentError {
  try {
    readSecret(ref, { env, what });
  } catch (error) {
    if (error instanceof AgentError && error.code === 'usage') return error;
    throw error;
  }
  throw new Error('it was read');
}

it.each([
  ['hunter2', 'hunter2'],
  ['hunter2\n', 'hunter2'],
  ['hunter2\r\n', 'hunter2'],
  [' hunter 2 ', ' hunter 2 '],
  ['pässwörd\n', 'pässwörd'],
])('reads %j from a file', (content, value) => {
  expect(readSecret({ file: secretFile(content) }, { env: {}, what }).reveal()).toBe(value);
});

it('reads a file of the group, and through a link', () => {
  const file = secretFile('hunter2', 0o640);
  const link = join(folder(), 'link');
  symlinkSync(file, link);
  expect(readSecret({ file: link }, { env: {}, what }).reveal()).toBe('hunter2');
});

it('reads the environment and systemd credentials', () => {
  const dir = folder();
  writeFileSync(join(dir, 'redis'), 'hunter2\n', { mode: 0o400 });
  expect(readSecret({ env: 'PASS' }, { env: { PASS: 'hunter3' }, what }).reveal()).toBe('hunter3');
  expect(readSecret({ credential: 'redis' }, { env: { CREDENTIALS_DIRECTORY: dir }, what }).reveal()).toBe(
    'hunter2',
  );
});

it.each([0o604, 0o602, 0o644, 0o666])('refuses a file of mode %o', (mode) => {
  const file = secretFile('hunter2', mode);
  const error = failureOf({ file });
  expect(error.message).toBe(
    `${what}: cannot read the secret from the file ${file}: everybody may read or write it (mode 0${mode.toString(8)})`,
  );
  expect(error.hint).toMatch(`chmod 0600 ${file}`);
});

it.each([
  ['', 'it is empty'],
  ['\n', 'it is empty'],
  ['hunter2\0', 'it holds a NUL character'],
  [Buffer.from([0x68, 0xff]), 'it is not UTF-8 text'],
  ['hunter2'.repeat(10_000), 'it has more than 65536 bytes'],
])('refuses a file with %.20j', (content, why) => {
  expect(failureOf({ file: secretFile(content) }).message).toMatch(new RegExp(`: ${why}$`));
});

it('refuses what is no file', () => {
  const dir = folder();
  execFileSync('mkfifo', ['-m', '600', join(dir, 'pipe')]);
  mkdirSync(join(dir, 'folder'), { mode: 0o700 });
  symlinkSync('loop', join(dir, 'loop'));
  expect(failureOf({ file: join(dir, 'pipe') }).message).toMatch(/not a regular file$/);
  expect(failureOf({ file: join(dir, 'folder') }).message).toMatch(/not a regular file$/);
  expect(failureOf({ file: join(dir, 'loop') }).message).toMatch(/links go in a circle$/);
  expect(failureOf({ file: join(dir, 'none') })).toMatchObject({
    message: expect.stringMatching(/it does not exist$/),
    hint: `create it with the secret in it: install -m 0600 /dev/stdin ${join(dir, 'none')}`,
  });
});

it('says who owns what it may not read', () => {
  const file = secretFile('hunter2');
  actAsNobody(join(file, '..'), [file]);
  const error = failureOf({ file });
  expect(error.message).toMatch(/permission denied for \S+ \(it belongs to \S+:\S+, mode 0[06]00\)$/);
  expect(error.hint).toMatch(/^let \S+ read it/);
});

it('says what is missing in the environment', () => {
  expect(failureOf({ env: 'PASS' }).message).toMatch(/environment variable PASS: it is not set$/);
  expect(failureOf({ env: 'PASS' }, { PASS: '' }).message).toMatch(/environment variable PASS: it is empty$/);
  expect(failureOf({ credential: 'redis' })).toMatchObject({
    message: expect.stringMatching(/systemd credential redis: \$CREDENTIALS_DIRECTORY is not set/),
    hint: expect.stringMatching(/LoadCredential=redis:PATH/),
  });
  const env = { CREDENTIALS_DIRECTORY: folder() };
  expect(failureOf({ credential: 'redis' }, env).message).toMatch(/credential redis: it does not exist$/);
});

it('never shows the value: not in an error, not when it is printed', () => {
  const file = secretFile('');
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  );
  const mode = fc.constantFrom(0o600, 0o644);
  const property = fc.property(bytes, mode, (random, permissions) => {
    chmodSync(file, permissions);
    const content = Buffer.concat([Buffer.from('hunt$er2'), random]);
    writeFileSync(file, content);
    let shown = '';
    try {
      const secret = readSecret({ file }, { env: {}, what });
      shown = `${String(secret)} ${JSON.stringify({ secret })} ${inspect({ secret })}`;
      expect(secret.reveal()).toBe(content.toString().replace(/\r?\n$/, ''));
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      shown = inspect(error, { depth: 5 });
    }
    return !shown.includes('hunt$er2');
  });
  fc.assert(property, { numRuns: runs(300) });
});

it.each([
  ['\uFEFFhunter2\n', /begins with a byte order mark.*without one/],
  ['\uFEFFAGE-SECRET-KEY-1\n', /begins with a byte order mark/],
  ['hunter2\n\n', /more than one line end.*empty line/],
  ['hunter2\r\n\r\n', /more than one line end/],
  ['hunter2\n \n\n', /more than one line end/],
])('says of %j what an editor has put there', (content, said) => {
  const { message, hint } = failureOf({ file: secretFile(content) });
  expect(`${message}; ${hint}`).toMatch(said);
  expect(`${message}; ${hint}`).not.toContain('hunter2');
});

it.each(['# a comment\nAGE-SECRET-KEY-1\n\n', 'AGE-SECRET-KEY-1\n\n'])(
  'takes an identity file as it is: %j',
  (content) => {
    expect(readSecret({ file: secretFile(content) }, { env: {}, what }).reveal()).toContain(
      'AGE-SECRET-KEY-1',
    );
  },
);
