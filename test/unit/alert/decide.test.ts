import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decide, retireUnwatched, type Policy } from '../../../src/alert/decide.ts';
import { recordAlerts } from '../../../src/alert/record.ts';
import type { Finding } from '../../../src/domain/finding.ts';
import { endedAlerts, unsettledAlerts } from '../../../src/state/alerts/alerts.ts';
import { outboxDepth, waitingFor } from '../../../src/state/alerts/outbox.ts';
import { addSilence, endSilence, silences } from '../../../src/state/alerts/silences.ts';
import { migrations } from '../../../src/state/db/migrations/index.ts';
import { openState, type State } from '../../../src/state/db/open.ts';
import { inTransaction } from '../../../src/state/db/transaction.ts';
import { day, findingOf, hour, minute, second } from '../../support/alerts/engine-world.ts';
import { ManualClock } from '../../support/clocks/manual-clock.ts';
import { memoryLog } from '../../support/agent/memory-log.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

const clock = new ManualClock();
let directory: string;
let state: State;
let now: number;

beforeEach(() => {
  directory = makeTempFolder();
  state = open();
  now = Date.parse('2026-11-21T12:00:00Z');
});
afterEach(() => {
  state.close();
  removeTempFolder(directory);
});

const open = (): State => openState(directory, { clock, log: memoryLog() });

const policy: Policy = {
  settings: {
    channels: [{ name: 'hook', type: 'exec', command: ['/bin/true'], timeout: second }],
    routes: [],
    digest: null,
    links: null,
    escalation: [],
    windows: [],
    group_wait: 30 * second,
    group_interval: 5 * minute,
    repeat: { critical: 4 * hour, high: 12 * hour, warning: day },
    give_up_after: day,
  },
  rules: new Map(),
  timezone: 'UTC',
  nextDigest: () => null,
  work: () => [],
};

function look(findings: Finding[]): boolean {
  const evaluated = [{ rules: ['disk', 'memory'] }];
  return inTransaction(state, () =>
    recordAlerts(state, { instance: 'main', evaluated, findings }, new Map(), now),
  );
}

/** What waits, in words. */
const waiting = (): string[] =>
  waitingFor(state, 'hook').flatMap(({ notice }) =>
    notice.items.map(({ change, rule }) => `${change} ${rule}`),
  );

test('puts a notice into the outbox once, whoever asks again, and its end after a restart', () => {
  expect(look([findingOf('disk')])).toBe(true);
  expect(look([findingOf('disk')])).toBe(false);
  expect(decide(state, policy, now)).toBe(now + 4 * hour);
  expect(decide(state, policy, now + minute)).toBe(now + 4 * hour);
  expect(waiting()).toEqual(['fired disk']);
  state.close();
  state = open();
  now += hour;
  look([]);
  decide(state, policy, now);
  expect(waiting()).toEqual(['fired disk', 'resolved disk']);
  expect(decide(state, policy, now)).toBeNull();
  expect(unsettledAlerts(state)).toEqual([]);
  expect(endedAlerts(state, 0, 10)).toMatchObject([{ id: 1, rule: 'disk', resolved_at: now }]);
  const keys = waitingFor(state, 'hook').map(({ notice }) => notice.key);
  expect(new Set(keys).size).toBe(2);
});

test('keeps nothing that never fired, and lets go of what everybody knows', () => {
  const slow = new Map([['disk', { for: hour }]]);
  const pending = { instance: 'main', evaluated: [{ rules: ['disk'] }], findings: [findingOf('disk')] };
  recordAlerts(state, pending, slow, now);
  expect(unsettledAlerts(state)).toHaveLength(1);
  recordAlerts(state, { ...pending, findings: [] }, slow, now);
  expect(state.db.prepare('SELECT COUNT(*) AS n FROM alerts').get()).toEqual({ n: 0 });
});

test('without a channel nothing waits, and what is over is settled', () => {
  const none = { ...policy, settings: { ...policy.settings, channels: [] } };
  look([findingOf('disk'), findingOf('memory')]);
  decide(state, none, now);
  look([findingOf('memory')]);
  decide(state, none, now);
  expect(outboxDepth(state)).toEqual([]);
  expect(unsettledAlerts(state)).toMatchObject([{ rule: 'memory' }]);
  decide(state, policy, now + minute);
  expect(waiting()).toEqual(['fired memory']);
});

test('what is not watched any more is over, and said to be', () => {
  look([findingOf('disk'), findingOf('memory')]);
  decide(state, policy, now);
  retireUnwatched(state, { instances: ['main'], rules: new Set(['memory']) }, now + hour);
  decide(state, policy, now + hour);
  expect(waiting().slice(2)).toEqual(['open memory', 'resolved disk']);
  expect(waitingFor(state, 'hook')[1]?.notice.items[1]?.resolution).toBe('unwatched');
});

test('a silence holds back until it ends or is ended', () => {
  const id = addSilence(state, {
    match: { rule: 'disk' },
    from: now,
    until: now + day,
    author: 'kim',
    why: 'new disk',
  });
  look([findingOf('disk')]);
  expect(decide(state, policy, now)).toBe(now + day);
  expect(waiting()).toEqual([]);
  expect(endSilence(state, id, now + minute)).toBe(true);
  expect(endSilence(state, id, now + minute)).toBe(false);
  expect(silences(state, { now: now + minute, span: 0 })).toEqual([]);
  decide(state, policy, now + minute);
  expect(waiting()).toEqual(['fired disk']);
});

test('a digest is due at its times, also after one was missed and after the clock was set back', () => {
  const daily = (at: number): number => Math.floor(at / day + 1) * day;
  const digest = {
    ...policy,
    settings: { ...policy.settings, digest: '0 0 * * *' },
    nextDigest: daily,
  };
  look([findingOf('disk', { severity: 'warning' })]);
  expect(decide(state, digest, now)).toBe(daily(now));
  expect(waiting()).toEqual([]);
  now += 3 * day;
  expect(decide(state, digest, now)).toBe(daily(now));
  expect(decide(state, digest, now)).toBe(daily(now));
  expect(waiting()).toEqual(['fired disk']);
  now -= 2 * day;
  expect(decide(state, digest, now)).toBe(daily(now));
  decide(state, digest, daily(now));
  expect(waiting()).toEqual(['fired disk', 'open disk']);
});

test('what is open at an upgrade has been so since it was first seen', () => {
  state.close();
  removeTempFolder(directory);
  directory = makeTempFolder();
  const old = new DatabaseSync(join(directory, 'state.db'));
  const index = migrations.findIndex((step) => step.includes('CREATE TABLE alerts ('));
  for (const step of migrations.slice(0, index)) old.exec(step);
  old.exec(`PRAGMA user_version = ${index}`);
  const finding = { ...findingOf('disk'), evidence: JSON.stringify({ free: 3 }) };
  old
    .prepare(
      `INSERT INTO episodes (instance, rule, resource, severity, summary, remedy, evidence, first_seen, last_seen)
       VALUES (:instance, :rule, :resource, :severity, :summary, :remedy, :evidence, 1000, 2000)`,
    )
    .run(finding);
  old.close();
  state = open();
  decide(state, policy, now);
  expect(waitingFor(state, 'hook')[0]?.notice.items).toMatchObject([
    { ...findingOf('disk'), evidence: { free: 3 }, change: 'fired', fired_at: 1000 },
  ]);
});

test('what fires and stays as it is, is not written anew at every look; what changes is', () => {
  const finding = findingOf('disk');
  look([finding]);
  const written = (found: Finding[]): boolean => {
    const changes = (): number => Number(state.db.prepare('SELECT total_changes() AS n').get()?.['n']);
    const before = changes();
    now += 15 * second;
    look(found);
    return changes() > before;
  };
  expect(written([finding])).toBe(false);
  expect(written([{ ...finding, summary: 'worse' }])).toBe(true);
  expect(written([{ ...finding, summary: 'worse', evidence: { bytes: 1 } }])).toBe(true);
  expect(written([{ ...finding, summary: 'worse', evidence: { bytes: 1 } }])).toBe(false);
  expect(unsettledAlerts(state)).toMatchObject([{ summary: 'worse', evidence: { bytes: 1 } }]);
  now += 10 * minute;
  expect(written([{ ...finding, summary: 'worse', evidence: { bytes: 1 } }])).toBe(true);
  expect(written([])).toBe(true);
});
