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
import { openFindings } from '../../../src/state/episodes.ts';
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
  const old = stateBefore('CREATE TABLE alerts (');
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

/** The state as it was before that step of the schema. */
function stateBefore(step: string): DatabaseSync {
  state.close();
  removeTempFolder(directory);
  directory = makeTempFolder();
  const old = new DatabaseSync(join(directory, 'state.db'));
  const index = migrations.findIndex((each) => each.includes(step));
  for (const each of migrations.slice(0, index)) old.exec(each);
  old.exec(`PRAGMA user_version = ${index}`);
  return old;
}

test('what has another name since an upgrade is the same alert, told and over as if nothing had happened', () => {
  const before: [rule: string, evidence: object, now: string][] = [
    ['save-broken', { changes: 3 }, 'PER04 rdb_last_bgsave_status'],
    ['aof-broken', { last_write: 'failed' }, 'PER04 aof_last_write_status'],
    ['aof-replay', { dropped: 400 }, 'PER07 aof-replay'],
    ['certificate-expiry', { stale: false, threshold_days: 21 }, 'TLS04 certificate'],
    ['disk', {}, 'disk main'],
  ];
  const old = stateBefore('UPDATE OR REPLACE episodes');
  const insert = old.prepare(
    `INSERT INTO episodes (instance, rule, resource, severity, summary, remedy, evidence, first_seen, last_seen)
     VALUES ('main', ?, 'main', 'high', 'wrong', 'mend it', ?, 1000, 2000)`,
  );
  for (const [rule, evidence] of before) insert.run(rule, JSON.stringify(evidence));
  // An audit of an older version had it open too.
  insert.run('PER07', '{}');
  old.exec(`UPDATE episodes SET resource = 'aof-replay' WHERE rule = 'PER07'`);
  const alert = {
    ...findingOf('disk'),
    state: 'firing',
    since: 1000,
    seen_at: 2000,
    fired_at: 1000,
    cleared_at: null,
  };
  const more = {
    resolved_at: null,
    resolution: null,
    unknown_since: null,
    flips: [],
    flapping_since: null,
    ack: null,
  };
  const told = [{ channel: 'hook', severity: 'high', at: now - hour, flapping: false, resolved: false }];
  for (const [rule, evidence] of before)
    old
      .prepare(
        `INSERT INTO alerts (instance, rule, resource, state, body) VALUES ('main', ?, 'main', 'firing', ?)`,
      )
      .run(
        rule,
        JSON.stringify({
          ...alert,
          ...more,
          rule,
          resource: 'main',
          severity: 'high',
          evidence,
          told,
          settled_at: null,
        }),
      );
  old.close();
  state = open();
  const names = before.map(([, , name]) => name).toSorted();
  expect(
    openFindings(state, 'main')
      .map(({ rule, resource }) => `${rule} ${resource}`)
      .toSorted(),
  ).toEqual(names);
  const alerts = unsettledAlerts(state);
  expect(alerts.map(({ rule, resource }) => `${rule} ${resource}`).toSorted()).toEqual(names);
  // Nobody is told anew, and the end of one is told by its new name.
  decide(state, policy, now);
  expect(waiting()).toEqual([]);
  inTransaction(state, () =>
    recordAlerts(
      state,
      {
        instance: 'main',
        evaluated: [{ rules: ['PER04'] }],
        findings: [{ ...findingOf('PER04'), resource: 'rdb_last_bgsave_status', severity: 'high' }],
      },
      new Map(),
      now,
    ),
  );
  now += 5 * minute;
  decide(state, policy, now);
  // The others are only named beside it.
  expect(waiting().filter((each) => !each.startsWith('open'))).toEqual(['resolved PER04']);
});

test('a silence by the name that a rule had holds back what it is called now, and nothing else of it', () => {
  const save = { ...findingOf('PER04'), resource: 'rdb_last_bgsave_status' };
  const write = { ...findingOf('PER04'), resource: 'aof_last_write_status' };
  addSilence(state, {
    match: { rule: 'save-broken', resource: 'main' },
    from: now,
    until: now + hour,
    author: 'kim',
    why: 'disk swap',
  });
  inTransaction(state, () =>
    recordAlerts(
      state,
      { instance: 'main', evaluated: [{ rules: ['PER04'] }], findings: [save, write] },
      new Map(),
      now,
    ),
  );
  now += minute;
  decide(state, policy, now);
  expect(
    waitingFor(state, 'hook').flatMap(({ notice }) => notice.items.map(({ resource }) => resource)),
  ).toEqual(['aof_last_write_status']);
});

test('a route by the name that a rule had takes what it is called now', () => {
  const routes = [
    { match: { rule: 'aof-*' }, to: ['hook'] },
    { match: {}, to: [] },
  ];
  const findings = [
    { ...findingOf('PER04'), resource: 'rdb_last_bgsave_status' },
    { ...findingOf('PER04'), resource: 'aof_last_write_status' },
    { ...findingOf('PER07'), resource: 'aof-replay' },
  ];
  inTransaction(state, () =>
    recordAlerts(
      state,
      { instance: 'main', evaluated: [{ rules: ['PER04', 'PER07'] }], findings },
      new Map(),
      now,
    ),
  );
  now += minute;
  decide(state, { ...policy, settings: { ...policy.settings, routes } }, now);
  expect(
    waitingFor(state, 'hook')
      .flatMap(({ notice }) => notice.items.map(({ resource }) => resource))
      .toSorted(),
  ).toEqual(['aof-replay', 'aof_last_write_status']);
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
