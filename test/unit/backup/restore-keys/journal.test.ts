import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  nothingDone,
  openKeyJournal,
  whatIsLeft,
  type KeyProgress,
} from '../../../../src/backup/restore-keys/journal.ts';
import { noCounts } from '../../../../src/backup/restore-keys/tally.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const progress: KeyProgress = {
  reading: 1,
  from: 700,
  doubtful_to: 1700,
  deferred: [3],
  counts: { ...noCounts(), written: 650 },
  server: 'a',
  temporary: [':one'],
};

test('goes on where the same server has confirmed', () => {
  expect(whatIsLeft(progress, 'a', 650)).toEqual(progress);
});

test('writes everything again into another process, and takes for its own what is there', () => {
  const anew = { ...nothingDone, doubtful_to: 1700, counts: noCounts(), temporary: [':one'] };
  expect(whatIsLeft(progress, 'b', 650)).toEqual({ ...anew, server: 'b' });
  // The same one, but it has not all of the keys that it has confirmed.
  expect(whatIsLeft(progress, 'a', 649)).toEqual({ ...anew, server: 'a' });
  // The second reading comes when the first has been through the whole dump.
  expect(whatIsLeft({ ...progress, reading: 2 }, 'b', 650).doubtful_to).toBe(Number.MAX_SAFE_INTEGER);
});

test('gives back what was written, for the same restore only, and nothing when it is removed', async () => {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const journal = openKeyJournal(folder, { source: 'x' });
  expect(journal.read()).toBeUndefined();
  expect(existsSync(join(folder, 'restore-keys'))).toBe(false);
  journal.write(progress);
  expect(openKeyJournal(folder, { source: 'x' }).read()).toMatchObject(progress);
  expect(openKeyJournal(folder, { source: 'y' }).read()).toBeUndefined();
  journal.remove();
  expect(journal.read()).toBeUndefined();
});
