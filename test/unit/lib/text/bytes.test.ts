import { expect, it } from 'vitest';
import { formatBytes, parseBytes } from '../../../../src/lib/text/bytes.ts';

it.each([
  ['0', 0],
  ['10', 10],
  ['10b', 10],
  ['1k', 1000],
  ['1kb', 1024],
  ['5M', 5_000_000],
  ['5MB', 5 * 1024 ** 2],
  ['1g', 10 ** 9],
  ['1Gb', 2 ** 30],
])('reads %s as Redis does', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});

it.each(['', 'k', '-1', '1.5g', '1 gb', '1t', '1gib', '99999999999999999gb'])(
  'does not take %j for a size',
  (text) => {
    expect(parseBytes(text)).toBeUndefined();
  },
);

it.each([
  [0, '0 B'],
  [512, '512 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [10_188, '9.9 KiB'],
  [10_189, '10 KiB'],
  [1024 * 1023.4, '1023 KiB'],
  [1024 * 1023.6, '1.0 MiB'],
  [1.4 * 2 ** 30, '1.4 GiB'],
  [23 * 2 ** 20, '23 MiB'],
  [2 ** 60, '1024 PiB'],
  [-2048, '-2.0 KiB'],
  [NaN, '–'],
])('shows %d as %s', (bytes, shown) => {
  expect(formatBytes(bytes)).toBe(shown);
});
