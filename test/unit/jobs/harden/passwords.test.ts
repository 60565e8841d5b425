import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makePasswords } from '../../../../src/jobs/harden/apply/passwords.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

test('a link in the place of the folder leads nowhere, and is told of', () => {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  mkdirSync(join(folder, 'elsewhere'));
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'passwords'));
  expect(() => makePasswords(folder, 'main', ['worker'])).toThrow(
    expect.objectContaining({ code: 'refused', reason: 'passwords' }),
  );
  expect(readdirSync(join(folder, 'elsewhere'))).toEqual([]);
});
