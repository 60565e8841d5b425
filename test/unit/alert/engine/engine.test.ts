import { describe, expect, test } from 'vitest';
import { day, findingOf, hour, minute, second, World } from '../../../support/alerts/engine-world.ts';

describe('the alert engine', () => {
  test('tells a critical finding at once, and its end after the interval', () => {
    const world = new World();
    world.see(['disk'], [findingOf('disk')]);
    world.pass(0);
    expect(world.lines()).toEqual(['mail main: fired disk (critical)']);
    world.now += minute;
    world.see(['disk'], []);
    world.pass(0);
    expect(world.notices).toHaveLength(1);
    world.pass(5 * minute);
    expect(world.lines().slice(1)).toEqual(['mail main: resolved disk (critical)']);
    expect(world.notices[1]?.thread).toBe(world.notices[0]?.thread);
    expect(world.notices[1]?.items[0]).toMatchObject({ resolved_at: world.notices[0]!.at + minute });
    world.pass(30 * day);
    expect(world.notices).toHaveLength(2);
    expect(world.alerts.filter(({ settled_at: settled }) => settled === null)).toEqual([]);
  });

  test('waits with what is not critical for others of the same instance, and tells them in one notice', () => {
    const world = new World();
    world.see(['a', 'b'], [findingOf('a', { severity: 'warning' })]);
    world.pass(20 * second);
    world.see(['a', 'b'], [findingOf('a', { severity: 'warning' }), findingOf('b', { severity: 'high' })]);
    world.pass(9 * second);
    expect(world.notices).toEqual([]);
    world.pass(second);
    expect(world.notices).toHaveLength(1);
    expect(world.lines()).toEqual(['mail main: fired b (high)', 'mail main: fired a (warning)']);
  });

  test('never pushes info', () => {
    const world = new World();
    world.see(['a'], [findingOf('a', { severity: 'info' })]);
    world.pass(2 * day);
    world.see(['a'], []);
    world.pass(2 * day);
    expect(world.notices).toEqual([]);
  });

  test.each([
    ['critical', 4 * hour],
    ['high', 12 * hour],
    ['warning', day],
  ] as const)('repeats what stays %s', (severity, every) => {
    const world = new World();
    world.see(['a'], [findingOf('a', { severity })]);
    world.pass(3 * every + 5 * minute);
    expect(world.lines()).toEqual([
      `mail main: fired a (${severity})`,
      ...Array.from({ length: 3 }, () => `mail main: repeated a (${severity})`),
    ]);
  });

  test('escalates one alert when it becomes worse, and is silent when it becomes better', () => {
    const world = new World();
    world.see(['memory'], [findingOf('memory', { severity: 'warning' })]);
    world.pass(minute);
    world.see(['memory'], [findingOf('memory', { severity: 'critical' })]);
    world.pass(minute);
    world.see(['memory'], [findingOf('memory', { severity: 'warning' })]);
    world.pass(hour);
    expect(world.lines()).toEqual([
      'mail main: fired memory (warning)',
      'mail main: raised memory (critical)',
    ]);
  });

  test('waits for as long as the rule says, before it fires and before it is over', () => {
    const world = new World();
    world.rules = new Map([['memory', { for: 2 * minute, keepFiring: 5 * minute }]]);
    const seen: string[] = [];
    for (const wrong of [true, true, false, true, true, true, false, true, false, false, false]) {
      world.see(['memory'], wrong ? [findingOf('memory')] : []);
      seen.push(world.alerts.at(-1)?.state ?? 'none');
      world.pass(2 * minute - 1);
      world.now += 1;
    }
    expect(seen).toEqual([
      'pending',
      'firing',
      'recovering',
      'firing',
      'firing',
      'firing',
      'recovering',
      'firing',
      'recovering',
      'recovering',
      'recovering',
    ]);
    world.see(['memory'], []);
    world.pass(5 * minute);
    expect(world.lines()).toEqual([
      'mail main: fired memory (critical)',
      'mail main: resolved memory (critical)',
    ]);
  });

  test('forgets what was over before it fired, and begins anew after an hour of which nothing is known', () => {
    const world = new World();
    world.rules = new Map([['memory', { for: 30 * minute }]]);
    world.see(['memory'], [findingOf('memory')]);
    world.see(['memory'], []);
    expect(world.alerts).toEqual([]);
    world.see(['memory'], [findingOf('memory')]);
    world.now += 59 * minute;
    world.see(['memory'], [findingOf('memory')]);
    expect(world.alerts[0]?.state).toBe('firing');
    world.see(['memory'], []);
    world.now += hour;
    world.see(['memory'], [findingOf('memory')]);
    world.now += 61 * minute;
    world.see(['memory'], [findingOf('memory')]);
    expect(world.alerts.at(-1)).toMatchObject({ state: 'pending', since: world.now });
  });

  test('neither begins nor ends what nobody can tell', () => {
    const world = new World();
    world.see(['a', 'b'], [findingOf('a')]);
    world.see(['a', 'b'], [findingOf('b')], ['a', 'b']);
    expect(world.alerts).toMatchObject([{ rule: 'a', state: 'firing', unknown_since: world.now }]);
    world.see(['b'], []);
    expect(world.alerts).toMatchObject([{ rule: 'a', state: 'firing' }]);
  });

  test('tells of flapping once, then once an hour, and of its end when it has been calm for an hour', () => {
    const world = new World();
    for (let turn = 0; turn < 36; turn += 1) {
      world.see(['a'], turn % 2 === 0 ? [findingOf('a')] : []);
      world.pass(10 * minute);
    }
    const changes = world.lines().map((line) => line.split(' ')[2]);
    expect(changes.slice(0, 4)).toEqual(['fired', 'resolved', 'fired', 'flapping']);
    expect(changes.length).toBeLessThanOrEqual(10);
    expect(new Set(changes.slice(3))).toEqual(new Set(['flapping']));
    world.pass(hour + 5 * minute);
    const last = world.lines().at(-1);
    expect(last).toBe('mail main: resolved a (critical)');
    expect(world.alerts.every(({ state }) => state === 'resolved')).toBe(true);
  });

  test('holds back what follows from something else, and tells it when that is over', () => {
    const world = new World();
    world.rules = new Map([['memory', { inhibitedBy: ['down'] }]]);
    world.see(['down', 'memory'], [findingOf('memory'), findingOf('down')]);
    world.pass(hour);
    expect(world.lines()).toEqual(['mail main: fired down (critical)']);
    world.see(['down'], []);
    world.pass(5 * minute);
    expect(world.lines().slice(1).toSorted()).toEqual([
      'mail main: fired memory (critical)',
      'mail main: resolved down (critical)',
    ]);
  });

  test('tells nothing of what came and went within a silence, and what outlives it', () => {
    const world = new World();
    const silence = { id: 1, match: { rule: 'a*' }, author: 'kim', why: 'disk swap' };
    world.silences = [{ ...silence, from: world.now, until: world.now + hour }];
    world.see(['aa', 'ab', 'b'], [findingOf('aa'), findingOf('ab'), findingOf('b')]);
    world.pass(10 * minute);
    world.see(['aa'], []);
    world.pass(49 * minute);
    expect(world.lines()).toEqual(['mail main: fired b (critical)']);
    world.pass(2 * minute);
    expect(world.lines()).toContain('mail main: fired ab (critical)');
    world.pass(day);
    expect(world.lines().filter((line) => line.includes(' aa '))).toEqual([]);
  });

  test('tells the end within a silence where the beginning was told', () => {
    const world = new World();
    world.see(['a'], [findingOf('a')]);
    world.pass(minute);
    world.silences = [{ id: 1, match: {}, author: 'kim', why: 'x', from: world.now, until: world.now + day }];
    world.see(['a'], []);
    world.pass(hour);
    expect(world.lines()).toEqual(['mail main: fired a (critical)', 'mail main: resolved a (critical)']);
  });

  test('tells nothing of what the agent itself causes, and what is left of it afterwards', () => {
    const world = new World();
    const own = { instance: 'main', name: 'restore', rules: ['down', 'loading'], from: world.now };
    world.work = [{ ...own, until: Infinity }];
    world.see(['down', 'loading', 'disk'], [findingOf('down'), findingOf('loading'), findingOf('disk')]);
    world.see(['down'], [findingOf('down', { instance: 'other' })], [], 'other');
    world.pass(10 * minute);
    expect(world.lines()).toEqual(['mail main: fired disk (critical)', 'mail other: fired down (critical)']);
    // It is over, and the next look finds one of the two gone.
    world.work = [{ ...own, until: world.now + minute }];
    world.see(['down', 'loading', 'disk'], [findingOf('loading'), findingOf('disk')]);
    world.pass(2 * minute);
    expect(world.lines().slice(2)).toEqual([
      'mail main: fired loading (critical)',
      'mail main: open disk (critical)',
    ]);
    world.pass(3 * hour);
    expect(world.lines().filter((line) => line.startsWith('mail main') && line.includes(' down '))).toEqual(
      [],
    );
  });

  test('keeps a maintenance window in its own time zone', () => {
    const world = new World();
    // 2026-11-22 is a Sunday; 02:00 in Berlin is 01:00 UTC.
    world.now = Date.parse('2026-11-22T00:59:00Z');
    world.settings.windows = [
      { days: [0], from: 120, to: 240, timezone: 'Europe/Berlin', reason: 'updates', instances: ['main'] },
    ];
    world.see(['a'], [findingOf('a')]);
    world.pass(minute);
    world.see(['b'], [findingOf('b')]);
    world.see(['b'], [findingOf('b', { instance: 'other' })], [], 'other');
    world.pass(hour);
    expect(world.lines()).toEqual(['mail main: fired a (critical)', 'mail other: fired b (critical)']);
    world.pass(hour);
    expect(world.lines().at(-2)).toBe('mail main: fired b (critical)');
    expect(world.notices.at(-1)?.at).toBe(Date.parse('2026-11-22T03:00:00Z'));
  });

  test('goes by the first route that matches, and sends the end where the beginning went', () => {
    const world = new World();
    world.channels = ['mail', 'chat', 'pager'];
    world.settings.routes = [
      { match: { rule: 'noise-*' }, to: [] },
      { match: { severity: 'critical' }, to: ['pager', 'chat'] },
    ];
    world.see(['noise-a', 'b'], [findingOf('noise-a'), findingOf('b')]);
    world.see(['c'], [findingOf('c', { severity: 'high' })]);
    world.pass(minute);
    expect(world.lines().toSorted()).toEqual([
      'chat main: fired b (critical)',
      'chat main: fired c (high)',
      'mail main: fired c (high)',
      'pager main: fired b (critical)',
      'pager main: fired c (high)',
    ]);
    world.settings.routes = [{ match: {}, to: [] }];
    world.see(['noise-a', 'b', 'c'], []);
    world.pass(hour);
    expect(world.lines().filter((line) => line.includes('resolved'))).toHaveLength(5);
  });

  test('puts off what comes outside of the hours of its route, and drops nothing', () => {
    const world = new World();
    world.now = Date.parse('2026-11-21T22:00:00Z');
    world.settings.routes = [{ match: { hours: { from: 8 * 60, to: 18 * 60 } }, to: ['mail'] }];
    world.see(['a', 'b'], [findingOf('a'), findingOf('b')]);
    world.pass(hour);
    world.see(['a'], []);
    world.pass(9 * hour - minute);
    expect(world.lines()).toEqual([]);
    world.pass(minute);
    expect(world.lines()).toEqual(['mail main: fired b (critical)', 'mail main: passed a (critical)']);
  });

  test('asks others when nobody acknowledges, and nobody more when somebody does', () => {
    const world = new World();
    world.channels = ['mail', 'pager', 'boss'];
    world.settings.routes = [{ match: {}, to: ['mail'] }];
    world.settings.escalation = [
      { after: 30 * minute, severity: 'critical', to: ['pager'] },
      { after: hour, severity: 'critical', to: ['boss'] },
    ];
    world.see(['a', 'b'], [findingOf('a'), findingOf('b', { severity: 'high' })]);
    world.pass(31 * minute);
    world.alerts = world.alerts.map((alert) => ({
      ...alert,
      ack: { by: 'kim', at: world.now, severity: alert.severity },
    }));
    world.pass(day);
    expect(world.lines().filter((line) => !line.includes('open'))).toEqual([
      'mail main: fired a (critical)',
      'mail main: fired b (high)',
      'pager main: fired a (critical)',
    ]);
    world.see(['b'], [findingOf('b', { severity: 'critical' })]);
    world.pass(0);
    expect(world.lines()).toContain('mail main: raised b (critical)');
    expect(world.alerts.find(({ rule }) => rule === 'b')?.ack).toBeNull();
  });

  test('tells warnings once a day where they are wanted so', () => {
    const world = new World();
    world.digest = { due: false };
    world.see(
      ['a', 'b', 'c'],
      [findingOf('a', { severity: 'warning' }), findingOf('b', { severity: 'warning' }), findingOf('c')],
    );
    world.pass(hour);
    world.see(['b'], []);
    world.pass(hour);
    expect(world.lines()).toEqual(['mail main: fired c (critical)']);
    world.digest = { due: true };
    world.advance();
    world.digest = { due: false };
    expect(world.notices[1]).toMatchObject({ kind: 'digest' });
    expect(world.lines().slice(1)).toEqual([
      'mail : fired a (warning)',
      'mail : open c (critical)',
      'mail : passed b (warning)',
    ]);
  });

  test('tells what is open when a channel appears, in one notice', () => {
    const world = new World();
    world.channels = [];
    world.see(['a', 'b'], [findingOf('a'), findingOf('b')]);
    world.see(['b'], []);
    world.pass(day);
    world.channels = ['mail'];
    world.pass(minute);
    expect(world.notices).toHaveLength(1);
    expect(world.lines()).toEqual(['mail main: fired a (critical)']);
  });

  test('tells ten thousand findings in one notice', () => {
    const world = new World();
    const findings = Array.from({ length: 10_000 }, (_, index) =>
      findingOf('a', { resource: `key-${index}` }),
    );
    world.see(['a'], findings);
    world.advance();
    expect(world.notices).toMatchObject([{ more: 9800 }]);
    expect(world.notices[0]?.items).toHaveLength(200);
  });
});
