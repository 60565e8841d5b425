import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

/** The highest that systemd's own audit may give a unit, from 0 to 10. What is left out is argued in the unit. */
const limits = {
  'systemd/redis-agent.service': 1.7,
  'systemd/redis-agent-enforce.service': 1.7,
  'systemd/redis-agent-restore@.service': 1.9,
  'systemd/redis-agent-apply@.service': 1.7,
  'systemd/redis-agent-switch@.service': 1.9,
  'systemd/redis-agent-etc@.service': 1.4,
  'conf/units/hands@.service': 0.9,
};

/** The audit of files is new in 250. */
function version(): number {
  try {
    return Number(/^systemd (\d+)/.exec(execFileSync('systemd-analyze', ['--version']).toString())?.[1] ?? 0);
  } catch {
    return 0;
  }
}

test.skipIf(version() < 250).each(Object.entries(limits))('%s is confined: %d at most', (path, limit) => {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const text = readFileSync(join(import.meta.dirname, '../../..', path), 'utf8');
  const unit = basename(path);
  // What init fills in.
  writeFileSync(
    join(folder, unit),
    text.replaceAll(/@(?:USER|GROUP)@/g, 'redis').replace('@DIRS@', '-/var/lib/redis'),
  );
  const said = execFileSync(
    'systemd-analyze',
    ['security', '--offline=true', '--no-pager', join(folder, unit)],
    { env: { ...process.env, LC_ALL: 'C.UTF-8' } },
  ).toString();
  const score = Number(/Overall exposure level for \S+: ([0-9.]+)/.exec(said)?.[1]);
  expect(score).toBeGreaterThan(0);
  expect(score).toBeLessThanOrEqual(limit);
});

test('no line of a unit has more rights than the unit', () => {
  for (const path of Object.keys(limits)) {
    const text = readFileSync(join(import.meta.dirname, '../../..', path), 'utf8');
    expect(text).toMatch(/^ExecStart=\//m);
    expect(text.match(/^Exec\w+=[^/].*/gm) ?? []).toEqual([]);
  }
});
