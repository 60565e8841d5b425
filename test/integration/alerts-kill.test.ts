import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeTempFolder, removeTempFolder } from '../support/house/temp-folder.ts';
import { sampled } from '../support/house/tier.ts';
import { childScript } from '../support/house/child-script.ts';

const script = childScript('alerts/tell-child');
let folder: string;

beforeAll(() => {
  folder = makeTempFolder();
});
afterAll(() => removeTempFolder(folder));

function tell(name: string, killAt: number): { signal: NodeJS.Signals | null; writes: number } {
  const { signal, stdout, stderr, status } = spawnSync(
    process.execPath,
    [script, join(folder, name), String(killAt)],
    { encoding: 'utf8' },
  );
  if (signal === null && status !== 0) throw new Error(stderr);
  return { signal, writes: Number(stdout) };
}

/** What was heard, each notice once: one that was sent again has the same key. */
const heard = (name: string): string[] => [
  ...new Set(
    readFileSync(join(folder, name, 'heard'), 'utf8')
      .trimEnd()
      .split('\n'),
  ),
];

const { writes } = (() => {
  const own = makeTempFolder();
  try {
    const { stdout } = spawnSync(process.execPath, [script, join(own, 'state'), '0'], { encoding: 'utf8' });
    return { writes: Number(stdout) };
  } finally {
    removeTempFolder(own);
  }
})();

describe('killed with -9 between two writes', () => {
  test('a run without it tells twice', () => {
    expect(tell('whole', 0)).toEqual({ signal: null, writes });
    expect(heard('whole').map((line) => line.split(' ')[1])).toEqual(['fired', 'resolved']);
    expect(writes).toBeGreaterThan(10);
  });

  test.each(
    sampled(
      Array.from({ length: writes }, (_, index) => index + 1),
      6,
    ),
  )('before write %d: it is told, and its end is, nothing twice but under the same key', (killAt) => {
    const name = `at-${killAt}`;
    expect(tell(name, killAt).signal).toBe('SIGKILL');
    expect(tell(name, 0).signal).toBeNull();
    expect(heard(name).map((line) => line.split(' ')[1])).toEqual(['fired', 'resolved']);
  });
});
