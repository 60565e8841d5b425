import { afterEach, beforeEach, expect, test } from 'vitest';
import { ownWork } from '../../../../src/app/alerts/own-work.ts';
import { openState, type State } from '../../../../src/state/db/open.ts';
import { takeLock } from '../../../../src/state/locks/lock.ts';
import { finishRun, startRun } from '../../../../src/state/runs.ts';
import { memoryLog } from '../../../support/agent/memory-log.ts';
import { ManualClock } from '../../../support/clocks/manual-clock.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const clock = new ManualClock();
const now = Date.parse('2026-11-21T12:00:00Z');
let directory: string;
let state: State;

beforeEach(() => {
  directory = makeTempFolder();
  state = openState(directory, { clock, log: memoryLog() });
});
afterEach(() => {
  state.close();
  removeTempFolder(directory);
});

const seen = (at: number): { name: string; until: number }[] =>
  ownWork(state, { instances: ['main'], directory }, at).map(({ name, until }) => ({ name, until }));

test('a restore explains what it causes while it holds its lock and a little longer', () => {
  expect(seen(now)).toEqual([]);
  const lock = takeLock(directory, { instance: 'main', kind: 'repository', job: 'restore', clock });
  const id = startRun(state, { instance: 'main', job: 'restore', startedAt: now });
  expect(seen(now + 1000)).toEqual([{ name: 'restore', until: Infinity }]);
  finishRun(state, id, { finishedAt: now + 60_000, outcome: 'failed', summary: '' });
  lock.release();
  expect(seen(now + 61_000)).toEqual([{ name: 'restore', until: now + 150_000 }]);
  expect(seen(now + 48 * 60 * 60 * 1000)).toEqual([]);
});

test('one that died with its process explains nothing', () => {
  startRun(state, { instance: 'main', job: 'restore', startedAt: now });
  expect(seen(now + 1000)).toEqual([{ name: 'restore', until: now }]);
});

test('nor do jobs that do nothing to the server', () => {
  startRun(state, { instance: 'main', job: 'backup', startedAt: now });
  expect(seen(now + 1000)).toEqual([]);
});
