import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Finding } from '../../../src/domain/finding.ts';
import { episodesSince, forgetEpisodes, openFindings, recordFindings } from '../../../src/state/episodes.ts';
import { migrations } from '../../../src/state/db/migrations/index.ts';
import { takeLock } from '../../../src/state/locks/lock.ts';
import { inTransaction } from '../../../src/state/db/transaction.ts';
import { openState } from '../../../src/state/db/open.ts';
import { finishRun, forgetRuns, lastDetails, lastRun, startRun } from '../../../src/state/runs.ts';
import { ManualClock } from '../../support/clocks/manual-clock.ts';
import { memoryLog } from '../../support/agent/memory-log.ts';
import { childScript } from '../../support/house/child-script.ts';

const clock = new ManualClock();
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'redis-agent-test-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function open(log = memoryLog()): ReturnType<typeof openState> {
  return openState(directory, { clock, log });
}

const finding = (resource: string, severity: Finding['severity'] = 'warning'): Finding => ({
  instance: 'main',
  rule: 'backup-damaged',
  resource,
  severity,
  summary: 'bad',
  remedy: 'mend it',
  evidence: { bytes: 3 },
});

describe('the state database', () => {
  test('is private, and keeps what it was told', () => {
    const first = open();
    finishRun(first, startRun(first, { instance: 'main', job: 'backup', startedAt: 5 }), {
      finishedAt: 9,
      outcome: 'ok',
      summary: 'done',
    });
    startRun(first, { instance: 'main', job: 'backup', startedAt: 10 });
    first.close();
    expect(statSync(join(directory, 'state.db')).mode & 0o777).toBe(0o600);
    const again = open();
    expect(lastRun(again, 'main', 'backup')).toMatchObject({ started_at: 10, outcome: null });
    expect(lastRun(again, 'main', 'backup', 'ok')).toMatchObject({
      started_at: 5,
      finished_at: 9,
      summary: 'done',
    });
    expect(lastRun(again, 'other', 'backup')).toBeUndefined();
    forgetRuns(again, 10);
    expect(lastRun(again, 'main', 'backup', 'ok')).toBeUndefined();
    again.close();
  });

  test('keeps what runs came to, newest first', () => {
    const state = open();
    const run = (job: string, startedAt: number, end: { outcome?: 'failed'; detail?: unknown }): void =>
      finishRun(state, startRun(state, { instance: 'main', job, startedAt }), {
        finishedAt: startedAt + 1,
        outcome: 'ok',
        summary: 'done',
        ...end,
      });
    run('drill', 1, { detail: { held: 1 } });
    run('drill', 2, { detail: { held: 2 } });
    run('drill', 3, { detail: { held: 3 }, outcome: 'failed' });
    run('drill', 4, {});
    run('other', 5, { detail: { held: 5 } });
    expect(lastDetails(state, 'main', 'drill', 9)).toEqual([{ held: 2 }, { held: 1 }]);
    expect(lastDetails(state, 'main', 'drill', 1)).toEqual([{ held: 2 }]);
    expect(lastDetails(state, 'other', 'drill', 9)).toEqual([]);
    state.close();
  });

  test('a damaged one is set aside and made anew', () => {
    writeFileSync(
      join(directory, 'state.db'),
      'this is no database, and long enough to be looked at as one'.repeat(100),
    );
    const log = memoryLog();
    const state = open(log);
    expect(openFindings(state, 'main')).toEqual([]);
    state.close();
    expect(readdirSync(directory)).toContain(`state.db.damaged-${clock.now()}`);
    expect(log.entries).toMatchObject([{ level: 'warn' }]);
  });

  test('one of a newer version is left alone', () => {
    const state = open();
    state.db.exec('PRAGMA user_version = 999');
    state.close();
    expect(() => open()).toThrow(/written by a newer redis-agent/);
  });
});

describe('findings', () => {
  test('open once, stay while seen, close when the same evaluation no longer has them', () => {
    const state = open();
    const record = (
      now: number,
      resources: string[],
      scope?: string[],
    ): { opened: Finding[]; closed: Finding[] } =>
      recordFindings(
        state,
        { instance: 'main', evaluated: [{ rules: ['backup-damaged'], resources: scope }], now },
        resources.map((resource) => finding(resource)),
      );
    expect(record(1, ['a', 'b']).opened).toHaveLength(2);
    expect(record(2, ['a', 'b'])).toMatchObject({ opened: [], closed: [] });
    expect(openFindings(state, 'main')).toMatchObject([
      { resource: 'a', first_seen: 1, evidence: { bytes: 3 } },
      { resource: 'b' },
    ]);
    // An evaluation of a alone says nothing about b.
    expect(record(3, [], ['a']).closed).toMatchObject([{ resource: 'a' }]);
    expect(openFindings(state, 'main')).toMatchObject([{ resource: 'b' }]);
    expect(record(4, []).closed).toMatchObject([{ resource: 'b' }]);
    // A new episode, beside the old one, which is kept.
    expect(record(5, ['a']).opened).toMatchObject([{ resource: 'a', first_seen: 5 }]);
    expect(episodesSince(state, 0, 'main')).toMatchObject([
      { resource: 'a', first_seen: 5, closed_at: null },
      { resource: 'b', first_seen: 1, closed_at: 4 },
      { resource: 'a', first_seen: 1, closed_at: 3 },
    ]);
    forgetEpisodes(state, 4);
    expect(episodesSince(state, 0).map(({ closed_at }) => closed_at)).toEqual([null, 4]);
    expect(episodesSince(state, 5)).toHaveLength(1);
    state.close();
  });

  test('of what is found twice in one look the worst is told', () => {
    const state = open();
    const scope = { instance: 'main', evaluated: [{ rules: ['backup-damaged'] }], now: 1 };
    recordFindings(state, scope, [finding('a'), finding('a', 'critical'), finding('a')]);
    expect(openFindings(state, 'main')).toMatchObject([{ severity: 'critical' }]);
    state.close();
  });

  test('of a thousand that stay as they are few are written at each look, and each within ten minutes', () => {
    const state = open();
    const many = Array.from({ length: 1000 }, (_, at) => finding(`r${at}`));
    const look = (now: number): number => {
      const before = Number(state.db.prepare('SELECT total_changes() AS n').get()?.['n']);
      const evaluated = [{ rules: ['backup-damaged'] }];
      inTransaction(state, () => recordFindings(state, { instance: 'main', evaluated, now }, many));
      return Number(state.db.prepare('SELECT total_changes() AS n').get()?.['n']) - before;
    };
    expect(look(0)).toBe(1000);
    let [most, all] = [0, 0];
    for (let now = 15_000; now < 600_000; now += 15_000) {
      const written = look(now);
      [most, all] = [Math.max(most, written), all + written];
    }
    expect({ most, all }).toEqual({ most: 50, all: 1000 });
    const oldest = Math.min(...openFindings(state, 'main').map(({ last_seen }) => last_seen));
    expect(oldest).toBeGreaterThanOrEqual(300_000);
    // A clock that was set back is believed.
    expect(look(1000)).toBe(1000);
    state.close();
  });

  test('severity is an attribute, not identity', () => {
    const state = open();
    const scope = { instance: 'main', evaluated: [{ rules: ['backup-damaged'] }], now: 1 };
    recordFindings(state, scope, [finding('a')]);
    expect(recordFindings(state, scope, [finding('a', 'critical')])).toEqual({ opened: [], closed: [] });
    expect(openFindings(state, 'main')).toMatchObject([{ severity: 'critical' }]);
    state.close();
  });
});

describe('the schema', () => {
  test('open findings of the version before are episodes that go on', () => {
    const old = new DatabaseSync(join(directory, 'state.db'));
    for (const step of migrations.slice(0, 2)) old.exec(step);
    old.exec(`PRAGMA user_version = 2;
      INSERT INTO findings VALUES ('main', 'backup-damaged', 'a', 'critical', 'bad', 'mend it', '{"bytes":3}', 5, 9);
      INSERT INTO findings VALUES ('main', 'fetch-failed', 'main', 'critical', 'bad', 'mend it', '{}', 6, 7);`);
    old.close();
    const state = open();
    expect(openFindings(state, 'main')).toMatchObject([
      { ...finding('a', 'critical'), first_seen: 5, last_seen: 9 },
    ]);
    const evaluated = [{ rules: ['backup-damaged'] }];
    recordFindings(state, { instance: 'main', evaluated, now: 10 }, []);
    expect(episodesSince(state, 0)).toMatchObject([
      { rule: 'fetch-failed', closed_at: 7 },
      { rule: 'backup-damaged', first_seen: 5, closed_at: 10 },
    ]);
    state.close();
  });
});

describe('takeLock', () => {
  const backup = { instance: 'main', kind: 'backup', clock };

  test('excludes the same work and nothing else, and says who holds it', () => {
    const lock = takeLock(directory, backup);
    expect(() => takeLock(directory, backup)).toThrow(
      `another backup run of main is under way (backup, pid ${process.pid}, since 2026-11-21T12:00:00.000Z)`,
    );
    expect(() => takeLock(directory, { ...backup, job: 'drill' })).toThrow(/ \(backup, pid /);
    takeLock(directory, { ...backup, kind: 'verify' }).release();
    takeLock(directory, { ...backup, instance: 'other' }).release();
    lock.release();
    takeLock(directory, backup).release();
  });

  test('ends with its process, however that dies', async () => {
    const child = fork(childScript('agent/hold-lock'), [directory]);
    try {
      await once(child, 'message');
      expect(() => takeLock(directory, backup)).toThrow(`pid ${child.pid}`);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    takeLock(directory, backup).release();
  });
});
