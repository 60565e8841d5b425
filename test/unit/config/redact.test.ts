import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { redactText } from '../../../src/config/redact.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { runs } from '../../support/house/tier.ts';

const value = 'p/w+ö"\\$&? end';
const secrets = [new Secret(value)];

it.each([
  ['plain', value],
  ['URL-encoded', encodeURIComponent(value)],
  ['URL-encoded, small', encodeURIComponent(value).replaceAll(/%../g, (code) => code.toLowerCase())],
  ['form-encoded', new URLSearchParams({ value }).toString().slice(6)],
  ['JSON', JSON.stringify(value).slice(1, -1)],
  ['base64', Buffer.from(value).toString('base64')],
  ['base64url', Buffer.from(value).toString('base64url')],
  ['hex', Buffer.from(value).toString('hex')],
])('removes the %s form', (_, form) => {
  expect(redactText(`before ${form} after`, secrets)).not.toContain(form);
  expect(redactText(`before ${form} after`, secrets)).toMatch(/^before \[secret\].{0,3} after$/);
});

it.each(['u', 'us', 'user', 'a longer name'])('removes it from the Basic authorization of %s', (user) => {
  const header = Buffer.from(`${user}:hunter2hunter2`).toString('base64');
  const shown = redactText(`authorization: Basic ${header}`, [new Secret('hunter2hunter2')]);
  expect(shown).toContain('[secret]');
  const rest = Buffer.from(shown.replace(/^.*Basic |\[secret\].*$/g, ''), 'base64').toString();
  expect(rest).not.toContain('hunt');
});

it('removes each line of a secret of several, but not its comments', () => {
  const identity = new Secret('# created today\n# public key: age1xyz\nAGE-SECRET-KEY-1ABC\n');
  expect(redactText('bad identity AGE-SECRET-KEY-1ABC for # public key: age1xyz', [identity])).toBe(
    'bad identity [secret] for # public key: age1xyz',
  );
});

it('takes the longest first, and does not look at its own marks', () => {
  const overlapping = [new Secret('hunter'), new Secret('hunter2'), new Secret('secret'), new Secret('e')];
  expect(redactText('x hunter2 y', overlapping)).toBe('x [secret] y');
});

it('changes nothing without a secret', () => {
  expect(redactText('x', [])).toBe('x');
  expect(redactText('nothing of that kind', secrets)).toBe('nothing of that kind');
});

it('leaves no secret in any text or log line', () => {
  const property = fc.property(
    fc.string({ minLength: 1, unit: 'grapheme' }),
    fc.string(),
    fc.string(),
    (secret, a, b) => {
      const shown = redactText(JSON.stringify({ a, b, m: `${a}${secret}${b}` }), [new Secret(secret)]);
      const plain = redactText(`${a}${secret}${b}`, [new Secret(secret)]);
      return [shown, plain].every((text) => !text.replaceAll('[secret]', '\0').includes(secret));
    },
  );
  fc.assert(property, { numRuns: runs(500) });
});

it('has no other way out of a Secret', () => {
  const [secret] = secrets;
  expect(`${String(secret)} ${JSON.stringify(secret)} ${inspect(secret)}`).toBe(
    '[secret] "[secret]" [secret]',
  );
});
