import { expect, test } from 'vitest';
import { appliedUsers, appliedValues, hasChangedNothing } from '../../../src/harden/applied.ts';

const change = (token: number, kind: string, detail: unknown, outcome = 'done') => ({
  kind,
  outcome,
  at: 5,
  token: `${token}`,
  detail,
});
const set = (to: string) => ({ changes: [{ directive: 'timeout', to, class: 'run time', run_time: '0' }] });
const values = (...history: ReturnType<typeof change>[]) =>
  appliedValues(history.toReversed()).map(({ directive, to, token }) => [directive, to, token].join(' '));

test('the newest word counts; one that is taken back does not, and what was said before does again', () => {
  const [first, second] = [change(1, 'apply', set('300')), change(2, 'apply', set('600'))];
  expect(values(first, second)).toEqual(['timeout 600 2']);
  expect(values(first, second, change(3, 'rollback', { ...set('600'), undoes: '2' }))).toEqual([
    'timeout 300 1',
  ]);
  expect(values(first, change(3, 'rollback', { ...set('300'), undoes: '1' }))).toEqual([]);
  expect(values(first, change(3, 'rollback', { ...set('300'), undoes: '1' }, 'failed'))).toEqual([
    'timeout 300 1',
  ]);
  expect(values(first, change(2, 'enforce', set('5')), change(3, 'apply', set('9'), 'rolled-back'))).toEqual([
    'timeout 300 1',
  ]);
});

test('rollbacks of before do not say what they take back: all that they name is taken back', () => {
  expect(
    values(change(1, 'apply', set('300')), change(2, 'apply', set('600')), change(3, 'rollback', set('600'))),
  ).toEqual([]);
});

test('what was right already counts, and who has set it is still named', () => {
  const held = { changes: [], held: [{ directive: 'timeout', to: '300', accept: { at_least: '60' } }] };
  const none = change(2, 'apply', held);
  expect(values(none)).toEqual(['timeout 300 2']);
  expect(appliedValues([none, change(1, 'apply', set('300'))])).toMatchObject([
    { token: '1', class: 'run time', accept: { at_least: '60' } },
  ]);
  expect(
    [none, change(1, 'apply', set('300')), change(3, 'rollback', { undoes: '1' })].map(hasChangedNothing),
  ).toEqual([true, false, false]);
});

test('users: changed ones, and those that were right already', () => {
  const one = change(1, 'apply', {
    users: [{ user: 'web', after: 'a' }],
    held_users: [{ user: 'worker', mark: 'b' }],
  });
  const marks = (...history: unknown[]) =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made above
    appliedUsers((history as ReturnType<typeof change>[]).toReversed()).map(
      ({ user, mark }) => `${user} ${mark}`,
    );
  expect(marks(one)).toEqual(['web a', 'worker b']);
  expect(marks(one, change(2, 'apply', { users: [{ user: 'web', after: 'c' }] }))).toEqual([
    'web c',
    'worker b',
  ]);
  expect(marks(one, change(2, 'rollback', { undoes: '1' }))).toEqual([]);
});
