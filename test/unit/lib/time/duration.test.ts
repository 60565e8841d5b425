import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatDuration, parseDuration, writeDuration } from '../../../../src/lib/time/duration.ts';

it.each([
  ['0s', 0],
  ['500ms', 500],
  ['15s', 15_000],
  ['5m', 300_000],
  ['6h', 21_600_000],
  ['7d', 604_800_000],
])('reads %s', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

it.each([
  '',
  '5',
  's',
  '-5s',
  '1.5h',
  '5 m',
  '5M',
  '5min',
  '1h30m',
  ' 5s',
  '5s\n',
  '99999999999999999d',
  '٣s',
])('does not take %j for a duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

it('writes what it reads', () => {
  expect([0, 1, 1500, 90_000, 46_800_000, 604_800_000].map(writeDuration)).toEqual([
    '0s',
    '1ms',
    '1500ms',
    '90s',
    '13h',
    '7d',
  ]);
  fc.assert(fc.property(fc.nat(), (ms) => parseDuration(writeDuration(ms)) === ms));
});

it.each([
  [0, '0ms'],
  [349.6, '350ms'],
  [999.4, '999ms'],
  [999.6, '1.0s'],
  [5_249, '5.2s'],
  [59_949, '59.9s'],
  [59_950, '1m 00s'],
  [125_000, '2m 05s'],
  [3_599_499, '59m 59s'],
  [3_599_500, '1h 00m'],
  [3_720_000, '1h 02m'],
  [86_399_999, '1d 00h'],
  [273_600_000, '3d 04h'],
  [-125_000, '-2m 05s'],
  [Infinity, '–'],
])('shows %d ms as %s', (ms, shown) => {
  expect(formatDuration(ms)).toBe(shown);
});
