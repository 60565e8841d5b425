import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rules } from '../../../src/app/rules.ts';
import { parseArguments } from '../../../src/cli/parse-arguments.ts';
import { loadSettings } from '../../../src/config/load.ts';
import type { Settings } from '../../../src/domain/settings.ts';
import { jobs } from '../../../src/jobs/index.ts';
import { cronErrors } from '../../../src/lib/cron/cron.ts';

const root = join(import.meta.dirname, '../../..');
const { settings } = await loadSettings(join(root, 'conf/config.example.yaml'), { env: {} });
const [instance] = settings.instances;
const planned = jobs.flatMap((job) => {
  const schedule = job.schedule?.(settings, instance!) ?? null;
  return schedule === null ? [] : [{ job, schedule }];
});

test('jobs have names of their own', () => {
  const names = jobs.map(({ name }) => name);
  expect(names.filter((name) => !/^[a-z]+(-[a-z]+)*$/.test(name))).toEqual([]);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test('the list has every job there is', () => {
  const listed = new Set(jobs.map(({ name }) => name));
  const named = readdirSync(join(root, 'src/jobs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && path !== 'index.ts' && path !== 'job.ts')
    .map((path) => readFileSync(join(root, 'src/jobs', path), 'utf8'))
    .flatMap((text) => [...text.matchAll(/: (?:Job<[^=]*>|BackupJob) = \{\s+name: '([^']+)'/g)])
    .map(([, name]) => name ?? '');
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((name) => !listed.has(name))).toEqual([]);
});

test('what a person types for one is a command', async () => {
  const wrong: string[] = [];
  for (const { command } of jobs)
    if (command !== null) await parseArguments(command.split(' '), 80).catch(() => wrong.push(command));
  expect(wrong).toEqual([]);
});

test('their rules are registered, and so is what a failure raises', () => {
  const ids = new Set(rules.map(({ id }) => id));
  const wanted = jobs.flatMap((job) => [
    ...job.rules.map(({ id }) => id),
    ...(job.effect === 'look' ? [] : [`${job.name}-failed`]),
  ]);
  expect(wanted.filter((id) => !ids.has(id))).toEqual([]);
  // And nothing is registered for a failure that no job has.
  // What a poll of the server sees is no failure of a job.
  const ofJobs = rules.filter(({ page }) => page !== 'docs/findings/watch.md').map(({ id }) => id);
  const failures = ofJobs.filter((id) => id.endsWith('-failed'));
  expect(failures.filter((id) => !wanted.includes(id))).toEqual([]);
});

test('what they cause are rules that exist', () => {
  const ids = new Set(rules.map(({ id }) => id));
  const caused = jobs.flatMap(({ causes = [] }) => causes);
  expect(caused.length).toBeGreaterThan(0);
  expect(caused.filter((id) => !ids.has(id))).toEqual([]);
});

test('those that come round say when', () => {
  const names = planned.map(({ job }) => job.name);
  expect(names).toEqual(expect.arrayContaining(['backup', 'verify', 'drill', 'check-aof', 'watch-backups']));
  expect(planned.filter(({ schedule }) => cronErrors(schedule.cron).length > 0)).toEqual([]);
});

test('a schedule that can be set stands in the example of the configuration', () => {
  const example = readFileSync(join(root, 'conf/config.example.yaml'), 'utf8');
  const without = Object.entries(settings).map(([name, section]: [string, unknown]) => [
    name,
    typeof section === 'object' && section !== null && 'schedule' in section
      ? { ...section, schedule: null }
      : section,
  ]);
  const off: Settings = Object.fromEntries(without);
  const settable = planned.filter(({ job }) => job.schedule?.(off, instance!) === null);
  expect(settable.map(({ job }) => job.name)).toEqual(expect.arrayContaining(['backup', 'verify', 'drill']));
  expect(settable.filter(({ schedule }) => !example.includes(`schedule: "${schedule.cron}"`))).toEqual([]);
});
