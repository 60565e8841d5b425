import { chownSync, lstatSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ring } from '../../../../src/state/alerts/ring.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

function stateOf(uid: number): string {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  chownSync(folder, uid, uid);
  return folder;
}

test.skipIf(process.getuid?.() !== 0)(
  'root beside a daemon rings as the daemon’s user, and follows no link',
  () => {
    const state = stateOf(65_534);
    const path = join(state, 'alerts.ring');
    ring(state);
    expect(lstatSync(path)).toMatchObject({ uid: 65_534, gid: 65_534 });
    const target = join(stateOf(0), 'of root');
    writeFileSync(target, 'kept');
    rmSync(path);
    symlinkSync(target, path);
    expect(() => ring(state)).toThrow('ELOOP');
    expect(readFileSync(target, 'utf8')).toBe('kept');
  },
);

test('it says who has rung', () => {
  const state = stateOf(process.getuid?.() ?? 0);
  ring(state);
  expect(readFileSync(join(state, 'alerts.ring'), 'utf8')).toBe(`${process.pid}\n`);
});
