import { describe, expect, test } from 'vitest';
import { countWarnings } from '../../../src/maintain/log-lines.ts';
import { isRotated } from '../../../src/maintain/logrotate.ts';

const at = '1234:M 29 Nov 2026 08:00:00.123';

describe('the warnings of a log', () => {
  test('are counted by what they say, whatever numbers and names stand in them', () => {
    const { warnings, lines } = countWarnings([
      `${at} # Connection with replica 10.0.1.7:6379 lost.`,
      `${at} # Connection with replica 10.0.1.8:6380 lost.`,
      `${at} # Error moving temp DB file 'temp-77.rdb' on the final destination`,
      `${at} * Background saving started by pid 99`,
      `${at} # Redis version=7.0.15, bits=64, just started`,
    ]);
    expect(lines).toBe(5);
    expect(warnings).toEqual([
      { fingerprint: 'Connection with replica * lost.', count: 2 },
      { fingerprint: "Error moving temp DB file '*' on the final destination", count: 1 },
    ]);
  });

  test('of a file that is no log, nothing is kept: it may hold our own secrets', () => {
    expect(countWarnings(['hunter2', 'AGE-SECRET-KEY-1XYZ', '# a comment', `x${at} # text`])).toEqual({
      warnings: [],
      lines: 0,
    });
  });

  test('are bounded', () => {
    const words = Array.from({ length: 1000 }, (_, index) => {
      const word = String.fromCharCode(
        ...String(index)
          .split('')
          .map((digit) => 97 + Number(digit)),
      );
      return `${at} # ${word} ${'y'.repeat(9000)}`;
    });
    const { warnings } = countWarnings(words);
    expect(warnings).toHaveLength(200);
    expect(Math.max(...warnings.map(({ fingerprint }) => fingerprint.length))).toBeLessThanOrEqual(160);
  });
});

describe('logrotate', () => {
  const debian = '/var/log/redis/redis-server*.log {\n  weekly\n  rotate 12\n}\n';
  test.for<[path: string, text: string, rotated: boolean]>([
    ['/var/log/redis/redis-server.log', debian, true],
    ['/var/log/redis/other.log', debian, false],
    ['/var/log/redis/sub/redis-server.log', debian, false],
    ['/srv/a.log', '# /srv/a.log {', false],
    ['/srv/a.log', '"/srv/a.log" /srv/b.log\n{\n}', true],
    ['/srv/a+b(1).log', '/srv/a+b(1).log { daily }', true],
  ])('%s', ([path, text, rotated]) => {
    expect(isRotated(path, [text])).toBe(rotated);
  });
});
