import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { linkKeyBytes, readLink, signLink } from '../../../src/lib/signed-link.ts';
import { runs } from '../../support/house/tier.ts';

const key = randomBytes(linkKeyBytes);
const anyClaim = fc.record({
  alert: fc.integer({ min: 1, max: 999_999_999_999 }),
  until: fc.integer({ min: 0, max: 99_999_999_999 }),
  channel: fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }),
});

test('a link says what was signed, and is safe in an address', () => {
  fc.assert(
    fc.property(anyClaim, (claim) => {
      const link = signLink(claim, key);
      expect(link).toMatch(/^[\w.-]+$/);
      expect(readLink(link, key)).toEqual(claim);
      expect(readLink(link, randomBytes(linkKeyBytes))).toBeUndefined();
    }),
    { numRuns: runs(300) },
  );
});

test('one that was changed anywhere is none', () => {
  const claim = { alert: 12, until: 1_800_000_000, channel: 'mail' };
  const link = signLink(claim, key);
  const letters = 'ABCabc019-_.';
  for (let at = 0; at < link.length; at += 1)
    for (const letter of letters) {
      const changed = link.slice(0, at) + letter + link.slice(at + 1);
      expect(changed === link || readLink(changed, key) === undefined).toBe(true);
      expect(readLink(link.slice(0, at) + letter + link.slice(at), key)).toBeUndefined();
    }
  for (const other of [
    '',
    '.',
    '...',
    `${link} `,
    ` ${link}`,
    `${link}\n`,
    link.toUpperCase(),
    `0${link}`,
    link.slice(1),
  ])
    expect(readLink(other, key)).toBeUndefined();
});

test('any text is read without a fault', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
      expect(readLink(text, key)).toBeUndefined();
    }),
    { numRuns: runs(500) },
  );
});
