import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NoticeItem } from '../../../../src/domain/alert.ts';
import type { Severity } from '../../../../src/domain/finding.ts';
import { pendingGap } from '../../../../src/alert/engine/observe.ts';
import {
  day,
  everySeverity,
  findingOf,
  hour,
  minute,
  second,
  timing,
  World,
} from '../../../support/alerts/engine-world.ts';

interface Look {
  after: number;
  seen: 'yes' | 'no' | 'unknown';
}

/** When it fires and when that is over, read from the looks alone: what the rule's two durations mean. */
function oracle(looks: Look[], rule: { for: number; keepFiring: number }): string[] {
  const told: string[] = [];
  let now = 0;
  let firing = false;
  /** Since when the condition has held, or has not held while firing; and its last look. */
  let since: number | undefined;
  let last = 0;
  for (const { after, seen } of looks) {
    now += after;
    if (seen === 'unknown') continue;
    if (!firing) {
      if (seen === 'no') since = undefined;
      else {
        if (since === undefined || now - last > pendingGap) since = now;
        last = now;
        if (now - since >= rule.for) {
          firing = true;
          since = undefined;
          told.push(`fires at ${now / second}`);
        }
      }
    } else if (seen === 'yes') since = undefined;
    else {
      since ??= now;
      if (now - since >= rule.keepFiring) {
        firing = false;
        since = undefined;
        told.push(`over at ${now / second}`);
      }
    }
  }
  return told;
}

describe('the alert engine, against what it is to mean', () => {
  test('begins and ends where a reading of the looks says so', () => {
    // Slow enough that it never flaps: that is another rule.
    const looks = fc.array(
      fc.record({
        after: fc.integer({ min: 20, max: 100 }).map((minutes) => minutes * minute),
        seen: fc.constantFrom<Look['seen']>('yes', 'yes', 'no', 'unknown'),
      }),
      { maxLength: 60 },
    );
    const span = fc.constantFrom(0, 30 * minute, 45 * minute, 2 * hour);
    fc.assert(
      fc.property(looks, fc.record({ for: span, keepFiring: span }), (all, rule) => {
        const world = new World();
        const start = world.now;
        world.rules = new Map([['a', rule]]);
        for (const { after, seen } of all) {
          world.now += after;
          world.see(['a'], seen === 'yes' ? [findingOf('a')] : [], seen === 'unknown' ? ['a'] : []);
        }
        const spoken = world.alerts
          .filter(({ fired_at: fired }) => fired !== null)
          .flatMap(({ fired_at: fired, resolved_at: end }) => [
            `fires at ${((fired ?? 0) - start) / second}`,
            ...(end === null ? [] : [`over at ${(end - start) / second}`]),
          ]);
        expect(spoken).toEqual(oracle(all, rule));
      }),
    );
  });

  type Step =
    | { do: 'see'; rules: string[]; severity: Severity }
    | { do: 'pass'; ms: number }
    | { do: 'jump'; ms: number }
    | { do: 'crash' }
    | { do: 'ack' }
    | { do: 'silence'; ms: number; rule: string };

  const names = ['a', 'b', 'c', 'follows'];
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('see' as const),
        rules: fc.subarray(names),
        severity: fc.constantFrom(...everySeverity),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 3 * hour }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('pass' as const),
        ms: fc.integer({ min: 1, max: 60 * second }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('jump' as const),
        ms: fc.integer({ min: -2 * day, max: 2 * day }),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ do: 'crash' as const }) },
    { weight: 1, arbitrary: fc.constant({ do: 'ack' as const }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('silence' as const),
        ms: fc.integer({ min: 1, max: 3 * hour }),
        rule: fc.constantFrom(...names),
      }),
    },
  );

  function play(world: World, steps: readonly Step[]): void {
    for (const each of steps) {
      if (each.do === 'see')
        world.see(
          names,
          each.rules.map((rule) => findingOf(rule, { severity: each.severity })),
        );
      if (each.do === 'pass') world.pass(each.ms);
      if (each.do === 'jump') world.now += each.ms;
      if (each.do === 'crash') world.advance({ crash: true });
      if (each.do === 'ack')
        world.alerts = world.alerts.map((alert) => ({
          ...alert,
          ack: { by: 'kim', at: world.now, severity: alert.severity },
        }));
      if (each.do === 'silence')
        world.silences.push({
          id: 1,
          match: { rule: each.rule },
          from: world.now,
          until: world.now + each.ms,
          author: 'kim',
          why: '-',
        });
    }
  }

  /** What one channel heard of one episode, in order. */
  function stories(world: World): Map<string, NoticeItem['change'][]> {
    const all = new Map<string, NoticeItem['change'][]>();
    for (const { channel, items } of world.notices)
      for (const { episode, change } of items) {
        const key = `${channel} ${episode}`;
        all.set(key, [...(all.get(key) ?? []), change]);
      }
    return all;
  }

  function worldOf(): World {
    const world = new World();
    world.channels = ['mail', 'chat'];
    world.settings.routes = [
      { match: { severity: 'high' }, to: ['mail', 'chat'] },
      { match: { rule: 'c' }, to: ['chat'] },
    ];
    world.settings.escalation = [{ after: hour, severity: 'critical', to: ['chat'] }];
    world.rules = new Map([
      ['b', { for: 2 * minute, keepFiring: 5 * minute }],
      ['follows', { inhibitedBy: ['a'] }],
    ]);
    return world;
  }

  const story = /^(?:passed|(?:fired|flapping)(?: (?:raised|repeated|open|flapping))*(?: resolved)?)$/;

  test('tells each beginning once and its end once, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const world = worldOf();
        play(world, steps);
        for (const changes of stories(world).values()) expect(changes.join(' ')).toMatch(story);
        // Then all is well, and it stays so.
        world.see(names, []);
        world.pass(2 * hour);
        world.see(names, []);
        world.pass(4 * day);
        for (const changes of stories(world).values()) {
          expect(changes.join(' ')).toMatch(story);
          expect(['passed', 'resolved']).toContain(changes.at(-1));
        }
        expect(world.alerts.filter(({ settled_at: settled }) => settled === null)).toEqual([]);
        expect(world.advance()).toMatchObject({ notices: [], alerts: [], next: null });
      }),
      { numRuns: 150 },
    );
  });

  test('loses no episode that was not held back, and says everything to everybody it routes to', () => {
    const calm = fc.array(
      step.filter(({ do: what }) => what !== 'silence' && what !== 'jump' && what !== 'ack'),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(calm, (steps) => {
        const world = worldOf();
        world.settings.routes = [];
        play(world, steps);
        world.see(names, []);
        world.pass(2 * hour);
        world.see(names, []);
        world.pass(4 * day);
        const heard = stories(world);
        for (const { id, rule, severity, fired_at: fired, settled_at } of world.alerts) {
          if (fired === null || rule === 'follows' || severity === 'info') continue;
          expect(settled_at).not.toBeNull();
          for (const channel of world.channels) expect(heard.get(`${channel} ${id}`)).toBeDefined();
        }
      }),
      { numRuns: 100 },
    );
  });

  test('lets nobody hear of one instance more often than the interval, except of what becomes critical', () => {
    const forward = fc.array(
      step.filter(({ do: what }) => what !== 'jump'),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(forward, (steps) => {
        const world = worldOf();
        world.settings.escalation = [];
        play(world, steps);
        const last = new Map<string, number>();
        const tooSoon: unknown[] = [];
        for (const { channel, at, items } of world.notices) {
          const urgent = items.some(
            ({ change, severity }) =>
              severity === 'critical' && /^(?:fired|raised|passed|flapping)$/.test(change),
          );
          if (!urgent && at - (last.get(channel) ?? -Infinity) < timing.interval) tooSoon.push(items);
          last.set(channel, at);
        }
        expect(tooSoon).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});
