import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findBrowser } from '../../../../src/lib/process/find-browser.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

test('a browser is a program of a known name, and no folder named by a relative path is looked in', () => {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const [first, second] = [join(folder, 'first'), join(folder, 'second')];
  for (const each of [first, second]) mkdirSync(each);
  for (const file of [join(first, 'chromium'), join(second, 'chromium-browser')]) writeFileSync(file, '');
  chmodSync(join(second, 'chromium-browser'), 0o755);
  const path = `.:first:${first}:${second}`;
  // What may not be run is none.
  expect(findBrowser(path)).toBe(join(second, 'chromium-browser'));
});
