import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyText } from '../../../src/keyspace/key-text.ts';

const text = (bytes: string | number[]): object =>
  keyText(typeof bytes === 'string' ? Buffer.from(bytes) : Uint8Array.from(bytes));

test('names as people may see them', () => {
  expect(text('user:1')).toEqual({ key: 'user:1' });
  expect(text('ключ 🔑')).toEqual({ key: 'ключ 🔑' });
  expect(text('')).toEqual({ key: '' });
  expect(text('a\u001b[31m\n')).toEqual({ key: 'a\\x1b[31m\\x0a', base64: 'YRtbMzFtCg==' });
  expect(text([0xff, 0x41, 0xc3])).toEqual({ key: '\\xffA\\xc3', base64: '/0HD' });
  expect(text('\u{feff}bom')).toEqual({ key: '\\u{feff}bom', base64: '77u/Ym9t' });
});

test('long ones are cut between characters', () => {
  expect(keyText(Buffer.from('x'.repeat(257)), 5000)).toEqual({ key: `${'x'.repeat(256)}…` });
  expect(keyText(Buffer.from(`x${'é'.repeat(128)}`))).toEqual({ key: `x${'é'.repeat(127)}…` });
  expect(keyText(Buffer.from('x'.repeat(256)))).toEqual({ key: 'x'.repeat(256) });
  expect(keyText(Buffer.from('abc'), 4)).toEqual({ key: 'abc…' });
});

test('no byte ever reaches a terminal as a control character, and none is lost that is not cut', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 256 }), (bytes) => {
      const { key, base64 } = keyText(bytes);
      expect(key).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      expect(Buffer.from(base64 ?? Buffer.from(key).toString('base64'), 'base64').equals(bytes)).toBe(true);
    }),
  );
});
