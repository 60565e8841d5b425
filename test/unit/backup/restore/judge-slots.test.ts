import { expect, test } from 'vitest';
import { judgeSlots } from '../../../../src/backup/restore/judge-slots.ts';
import type { ClusterPlace, SlotRange } from '../../../../src/domain/backup.ts';

const place = (slots: SlotRange[], moving: number[] = []): ClusterPlace => ({ node: 'x', slots, moving });
const judge = (now: ClusterPlace | undefined, then: ClusterPlace | undefined): string | undefined =>
  judgeSlots({ place: now }, { id: 'ID', cluster: then }, 'redis')?.why;

test('the same slots, however they are written, are nothing to refuse', () => {
  expect(
    judge(
      place([
        [0, 5],
        [6, 9],
      ]),
      place([[0, 9]]),
    ),
  ).toBeUndefined();
  expect(judgeSlots(undefined, { id: 'ID', cluster: place([[0, 9]]) }, 'redis')).toBeUndefined();
});

test('all else is', () => {
  expect(judge(place([[5, 20]]), place([[0, 9]]))).toMatch(/0-9, .* 5-20 now; 5 are elsewhere.*; 11 are new/);
  expect(judge(place([]), place([[0, 9]]))).toMatch(/has the slots none now; 10 are elsewhere/);
  expect(judge(place([[0, 9]]), undefined)).toMatch(/does not say/);
  expect(judge(undefined, place([[0, 9]]))).toMatch(/cannot be seen/);
  expect(judge(place([[0, 9]], [3]), place([[0, 9]]))).toMatch(/being moved.*3/);
  expect(judge(place([[0, 9]]), place([[0, 9]], [4]))).toMatch(/being moved.*4/);
});

test('Valkey deletes keys of slots that are elsewhere, and Redis does not', () => {
  const gone = { id: 'ID', cluster: place([[0, 9]]) };
  expect(judgeSlots({ place: place([[5, 9]]) }, gone, 'valkey')?.why).toMatch(
    /5 are elsewhere, and Valkey would delete/,
  );
  expect(judgeSlots({ place: place([[5, 9]]) }, gone, 'redis')?.why).toMatch(/would come back here/);
});
