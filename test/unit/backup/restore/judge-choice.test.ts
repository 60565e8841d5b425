import { describe, expect, test } from 'vitest';
import { judgeChoice } from '../../../../src/backup/restore/judge-guards.ts';
import { sampleManifest } from '../../../support/data/sample-manifest.ts';

const hour = 3_600_000;

interface Choice {
  age: number;
  latest?: boolean;
  keys?: number;
  exact?: boolean;
  encrypts?: boolean;
  now?: number;
}

function namesOf(options: Choice): string[] {
  const now = Date.parse('2026-01-01T12:00:00.000Z');
  const manifest = {
    ...sampleManifest(),
    snapshot_at: new Date(now - options.age).toISOString(),
    keyspace: { databases: { 0: { keys: options.keys ?? 100, expires: 0 } }, exact: options.exact ?? true },
  };
  const running =
    options.now === undefined ? undefined : { databases: { 0: { keys: options.now, expires: 0 } } };
  const facts = { now, running };
  return judgeChoice({
    facts,
    manifest,
    latest: options.latest ?? true,
    staleAfter: 26 * hour,
    encrypts: options.encrypts ?? false,
  }).map(({ name }) => name);
}

describe('is it the backup that somebody means?', () => {
  test('the newest, when it is not too old', () => {
    expect(namesOf({ age: 26 * hour })).toEqual([]);
    expect(namesOf({ age: 27 * hour })).toEqual(['old']);
  });

  test('not one in the clear, where backups are encrypted', () => {
    expect(namesOf({ age: 0, encrypts: true })).toEqual(['unencrypted']);
  });

  test('one that was named, however old', () => {
    expect(namesOf({ age: 1000 * hour, latest: false })).toEqual([]);
  });

  test('one from the future: the clock was put back', () => {
    expect(namesOf({ age: -5 * hour })).toEqual([]);
  });

  test('not one with far fewer keys than the server has, where that says anything', () => {
    expect(namesOf({ age: 0, keys: 100, now: 200 })).toEqual([]);
    expect(namesOf({ age: 0, keys: 99, now: 200 })).toEqual(['fewer-keys']);
    expect(namesOf({ age: 0, keys: 0, now: 99 })).toEqual([]);
  });

  test('nor one whose keys nobody could count', () => {
    expect(namesOf({ age: 0, keys: 0, exact: false, now: 100 })).toEqual(['fewer-keys']);
    expect(namesOf({ age: 0, keys: 0, exact: false, now: 99 })).toEqual([]);
  });
});
