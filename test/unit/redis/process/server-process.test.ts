import { expect, test } from 'vitest';
import { isAsOld } from '../../../../src/redis/process/server-process.ts';

const now = Date.UTC(2026, 10, 30);
const told = (uptime: string, at?: number): ReadonlyMap<string, string> =>
  new Map([
    ['uptime_in_seconds', uptime],
    ...(at === undefined ? [] : [['server_time_usec', String(at * 1000)] as const]),
  ]);

test.each([
  ['just now', told('100', now), 101, true],
  ['told a minute ago', told('40', now - 60_000), 100, true],
  ['of another process', told('40', now), 100, false],
  ['of a server that tells no time (6.0)', told('98'), 100, true],
  ['of one that tells no time, and late', told('40'), 100, false],
  ['without any', new Map(), 100, false],
] as const)('an uptime %s', (_, info, age, is) => {
  expect(isAsOld(info, age, now)).toBe(is);
});
