import { describe, expect, test } from 'vitest';
import { nextRun } from '../../../../src/lib/cron/next-run.ts';

/** The next runs after a moment, as ISO 8601. */
function runs(expression: string, timezone: string, after: string, count: number): string[] {
  const found: string[] = [];
  let at = Date.parse(after);
  while (found.length < count) {
    const next = nextRun(expression, timezone, at);
    if (next === undefined) break;
    found.push(new Date(next).toISOString().replace(':00.000Z', 'Z'));
    at = next;
  }
  return found;
}

test('the moment after, never the moment itself', () => {
  expect(runs('0 */6 * * *', 'UTC', '2026-11-21T06:00:00Z', 3)).toEqual([
    '2026-11-21T12:00Z',
    '2026-11-21T18:00Z',
    '2026-11-22T00:00Z',
  ]);
  expect(runs('0 6 * * *', 'UTC', '2026-11-21T05:59:59.999Z', 1)).toEqual(['2026-11-21T06:00Z']);
});

test.for<[expression: string, expected: string]>([
  ['15 * * * *', '2026-11-21T12:15Z'],
  ['59 23 31 12 *', '2026-12-31T23:59Z'],
  ['0 4 1 */3 *', '2027-01-01T04:00Z'],
  ['30 3 * * 0', '2026-11-22T03:30Z'],
  ['30 3 * * sun', '2026-11-22T03:30Z'],
  // Day of month and of week both have to match.
  ['0 0 1 * 1', '2027-02-01T00:00Z'],
  ['0 0 29 2 *', '2028-02-29T00:00Z'],
  ['0 0 L * *', '2026-11-30T00:00Z'],
  ['0 0 * * 1#1', '2026-12-07T00:00Z'],
  ['20 10 12 21 11 *', '2026-11-21T12:10:20.000Z'],
  ['*/20 * * * * *', '2026-11-21T12:07:20.000Z'],
])('%s', ([expression, expected]) => {
  expect(runs(expression, 'UTC', '2026-11-21T12:07:10Z', 1)).toEqual([expected]);
});

test('a day that never comes', () => {
  expect(nextRun('0 0 1 * 1#2', 'UTC', Date.parse('2026-11-21T12:00:00Z'))).toBeUndefined();
});

describe('clocks put forward', () => {
  // Berlin, 2026-03-29: 02:00 is 03:00, at 01:00 UTC.
  test('what falls into the hour that is left out is due at the first moment after it, once', () => {
    expect(runs('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:00Z',
      '2026-03-30T00:30Z',
    ]);
    expect(runs('*/10 2 * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', 2)).toEqual([
      '2026-03-29T01:00Z',
      '2026-03-30T00:00Z',
    ]);
    // What is due then anyway is not due twice.
    expect(runs('0 2,3 * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', 2)).toEqual([
      '2026-03-29T01:00Z',
      '2026-03-30T00:00Z',
    ]);
  });

  test('every hour is every hour', () => {
    expect(runs('15 * * * *', 'Europe/Berlin', '2026-03-28T23:30:00Z', 3)).toEqual([
      '2026-03-29T00:15Z',
      '2026-03-29T01:15Z',
      '2026-03-29T02:15Z',
    ]);
  });

  test('at midnight, and over a whole day', () => {
    // Beirut, 2026-03-29: 00:00 is 01:00, at 22:00 UTC. Apia had no 2011-12-30.
    expect(runs('30 0 * * *', 'Asia/Beirut', '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-28T22:00Z',
      '2026-03-29T21:30Z',
    ]);
    expect(runs('0 12 * * *', 'Pacific/Apia', '2011-12-29T23:00:00Z', 2)).toEqual([
      '2011-12-30T10:00Z',
      '2011-12-30T22:00Z',
    ]);
  });
});

describe('clocks put back', () => {
  // Berlin, 2026-10-25: 03:00 is 02:00, at 01:00 UTC.
  test('what falls into the hour that comes twice is due once, the first time', () => {
    expect(runs('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
    ]);
    expect(runs('0 */6 * * *', 'Europe/Berlin', '2026-10-24T21:00:00Z', 3)).toEqual([
      '2026-10-24T22:00Z',
      '2026-10-25T05:00Z',
      '2026-10-25T11:00Z',
    ]);
  });

  test('every hour is every hour', () => {
    expect(runs('15 * * * *', 'Europe/Berlin', '2026-10-24T23:30:00Z', 4)).toEqual([
      '2026-10-25T00:15Z',
      '2026-10-25T01:15Z',
      '2026-10-25T02:15Z',
      '2026-10-25T03:15Z',
    ]);
    expect(runs('*/30 * * * *', 'America/New_York', '2026-11-01T05:15:00Z', 3)).toEqual([
      '2026-11-01T05:30Z',
      '2026-11-01T06:00Z',
      '2026-11-01T06:30Z',
    ]);
  });

  test('by half an hour, and over midnight', () => {
    // Lord Howe, 2026-04-05: 02:00 is 01:30, at 15:00 UTC the day before. Havana, 2026-11-01: 01:00 is 00:00, at 05:00 UTC.
    expect(runs('45 1 * * *', 'Australia/Lord_Howe', '2026-04-04T12:00:00Z', 2)).toEqual([
      '2026-04-04T14:45Z',
      '2026-04-05T15:15Z',
    ]);
    expect(runs('0 0 * * *', 'America/Havana', '2026-10-31T12:00:00Z', 2)).toEqual([
      '2026-11-01T04:00Z',
      '2026-11-02T05:00Z',
    ]);
  });
});

test('every run of an hourly schedule is an hour after the last, in any zone', () => {
  for (const timezone of ['Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu', 'Africa/Casablanca']) {
    let at = Date.parse('2026-01-01T00:30:00Z');
    const gaps = new Set<number>();
    for (let count = 0; count < 9000; count += 500) {
      const first = nextRun('0 * * * *', timezone, at) ?? 0;
      gaps.add((nextRun('0 * * * *', timezone, first) ?? 0) - first);
      at += 500 * 3_600_000;
    }
    expect([timezone, ...gaps]).toEqual([timezone, 3_600_000]);
  }
});

test.each(['UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/St_Johns'])(
  'the host’s own time zone is as that of its name: %s',
  (name) => {
    const before = process.env['TZ'];
    process.env['TZ'] = name;
    try {
      for (let day = 0; day < 800; day += 1) {
        const after = Date.UTC(2026, 0, 1, 0, 17) + day * 11 * 3_600_000;
        expect(nextRun('30 2 * * *', undefined, after)).toBe(nextRun('30 2 * * *', name, after));
      }
    } finally {
      if (before === undefined) delete process.env['TZ'];
      else process.env['TZ'] = before;
    }
  },
);
