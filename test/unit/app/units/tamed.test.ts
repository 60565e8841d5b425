import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tamed } from '../../../../src/app/units/terminal.ts';

test.each([
  ['plain text, åß漢', 'plain text, åß漢'],
  ['\u001B[32mgreen\u001B[0m\n', '\u001B[32mgreen\u001B[0m\n'],
  ['\r\u001B[K 12 %', '\r\u001B[K 12 %'],
  // The title of a window, the clipboard, a place on the screen, an answer typed into the shell.
  ['\u001B]0;owned\u0007', '\u{FFFD}]0;owned\u{FFFD}'],
  ['\u001B]52;c;cm0gLXJm\u001B\\', '\u{FFFD}]52;c;cm0gLXJm\u{FFFD}\\'],
  ['\u001B[2J\u001B[6n', '\u{FFFD}[2J\u{FFFD}[6n'],
  ['\u009B2J', '\u{FFFD}2J'],
  ['a\u202Etxt.exe', 'a\u{FFFD}txt.exe'],
])('%j reaches a terminal as %j', (text, shown) => {
  expect(tamed(text)).toBe(shown);
});

test('whatever is written, no sequence but colour and the drawing of a line is left', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('', '\u001B[1m', '\u001B[', '\u001B'),
      (text, more) => {
        const rest = tamed(text + more + text).replaceAll(/\u001B\[[\d;]*[mK]/g, '');
        expect(rest).not.toMatch(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]/);
      },
    ),
  );
});
