import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { restoreSteps, rollbackSteps } from '../../../src/backup/restore/journal.ts';
import { runAgent, takeBackup, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { runRestoreChild } from '../../support/restore/kill-restore.ts';
import type { StartAt } from '../../support/restore/restore-child.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { everything, sampled } from '../../support/house/tier.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { serviceUser } from '../../support/servers/server-user.ts';
import { findBuild, startServer } from '../../support/servers/redis-server.ts';

/** One of each way in which data lies on a disk. */
const places = [
  { engine: 'redis', version: '8.0', aof: false, moves: 2, back: 2 },
  { engine: 'redis', version: '6.0', aof: true, moves: 4, back: 4 },
  { engine: 'redis', version: '7.0', aof: true, moves: 6, back: 6 },
] as const;

type Place = (typeof places)[number];
const nameOf = ({ engine, version, aof }: Place): string => `${engine}-${version}, AOF ${aof ? 'on' : 'off'}`;
const list = (step: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${step} ${index + 1} of ${count}`);

/** What a restore comes to; that this is all is a test of its own. */
function stepsOf({ aof, moves }: Place): string[] {
  return restoreSteps
    .filter((step) => step !== 'save' || !aof)
    .flatMap((step) => (step === 'place' ? [step, ...list(step, moves)] : [step]));
}

function rollbackOf({ back }: Place): string[] {
  return rollbackSteps.flatMap((step) => (step === 'put-back' ? [step, ...list(step, back)] : [step]));
}

/** One of several moves of files, which are alike. */
const isMove = (step: string): boolean => / \d+ of \d+$/.test(step);

/**
 * Which of `steps` a usual run tries. At the last place what ends a restore (`every`) is tried at each step and each
 * third move, the rest at the moves behind those and at each third step; at the other places, which differ by what is moved,
 * at the move in the middle, and at those steps that the last one lacks.
 */
function tried(place: Place, steps: string[], every = false): string[] {
  const [, , whole] = places;
  if (everything) return steps;
  if (place === whole) {
    const moves = steps.filter(isMove);
    const own = moves.length === steps.length ? sampled(moves, 5) : thirdOf(moves, every ? 0 : 1);
    const named = steps.filter((step) => !isMove(step));
    const kept = new Set([...(every ? named : sampled(named, 3)), ...own]);
    return steps.filter((step) => kept.has(step));
  }
  const nameless = (step: string): string => step.replace(/ of \d+$/, '');
  const known = new Set([...stepsOf(whole), ...rollbackOf(whole)].map(nameless));
  const moves = steps.filter(isMove);
  const middle = moves[Math.floor((moves.length - 1) / 2)];
  return steps.filter((step) => step === middle || !known.has(nameless(step)));
}

function thirdOf(steps: string[], from: number): string[] {
  return steps.filter((_, at) => at % 3 === from);
}

interface Case {
  server: ManagedServer;
  config: TestConfig;
  /** DEBUG DIGEST of what the backup holds, and of what the server holds when the restore begins. */
  backedUp: string;
  before: string;
}

async function prepare(
  { engine, version, aof }: Place,
  start?: (server: ManagedServer) => string[],
): Promise<Case> {
  const build = findBuild(engine, version);
  if (build === undefined) throw new Error(`no ${engine} ${version} here: scripts/fetch-servers`);
  const server = await manageServer({ build, config: { appendonly: aof ? 'yes' : 'no' } });
  const instance =
    start === undefined
      ? server.instance
      : { ...server.instance, service: { start: start(server), ...serviceUser } };
  const config = writeConfig({ instances: [instance], settings: { verify: { load: false } } });
  await server.call('MSET', 'a', '1', 'b', '2', 'c', '3');
  await server.call('RPUSH', 'list', ...Array.from({ length: 200 }, (_, index) => index));
  const backedUp = await digest(server);
  await backUpOnce(`${engine}-${version}`, server, config);
  // There is a dump.rdb, and it is not the newest data.
  await server.call('DEL', 'b');
  await server.call('MSET', 'a', 'changed', 'new', 'x');
  return { server, config, backedUp, before: await digest(server) };
}

const backups = new Map<string, string>();
afterAll(() => backups.forEach(removeTempFolder));

/** All servers of a place begin with the same data: the first one's backup serves them all. */
async function backUpOnce(place: string, server: ManagedServer, config: TestConfig): Promise<void> {
  const kept = backups.get(place);
  if (kept === undefined) {
    await takeBackup(config, '--no-verify');
    const folder = makeTempFolder();
    cpSync(config.repository, join(folder, 'repository'), { recursive: true });
    backups.set(place, folder);
  } else {
    cpSync(join(kept, 'repository'), config.repository, { recursive: true });
    // As a backup leaves it.
    await server.call('SAVE');
  }
}

async function digest(server: { call: ManagedServer['call'] }): Promise<string> {
  return String(await server.call('DEBUG', 'DIGEST'));
}

/** What a server would load that somebody starts now, from a copy. */
async function digestOnDisk({ server }: Case, place: Place): Promise<string> {
  const copy = mkdtempSync(join(dirname(server.dir), 'copy-'));
  execFileSync('cp', ['-a', `${server.dir}/.`, copy]);
  await using other = await startServer({
    build: server.build,
    config: { dir: copy, appendonly: place.aof ? 'yes' : 'no' },
  });
  return await digest(other);
}

async function settleAgain({ server, config }: Case, ...args: string[]): Promise<Record<string, unknown>> {
  const result = await runAgent(['--json', 'restore', '--yes', ...args], { config });
  // Compared as a whole, so that a failure shows what was said.
  expect({ code: result.code, ...result.json.error }).toEqual({ code: 0 });
  await server.reconnect();
  return result.json;
}

describe.each(places.map((place) => ({ place, name: nameOf(place) })))('on $name', ({ place }) => {
  test('every step of a restore has its test', async () => {
    const { server, config, backedUp } = await prepare(place);
    const { steps, result } = await runRestoreChild({ config: config.path, undo: false, killAt: undefined });
    expect(steps).toEqual(stepsOf(place));
    expect(result).toMatchObject({ outcome: 'restored' });
    await server.reconnect();
    expect(await digest(server)).toBe(backedUp);
  });

  test.each(tried(place, stepsOf(place), true))('killed at %s, a second restore ends it', async (killAt) => {
    const at = await prepare(place);
    const killed = await runRestoreChild({ config: at.config.path, undo: false, killAt });
    expect(killed).toMatchObject({ signal: 'SIGKILL', result: undefined });
    expect([at.before, at.backedUp]).toContain(await digestOnDisk(at, place));
    const { outcome, interrupted } = await settleAgain(at);
    const placed = stepsOf(place).indexOf(killAt) >= stepsOf(place).indexOf('place');
    expect(outcome).toBe(placed ? 'finished' : 'restored');
    expect(interrupted).toMatch(placed ? /: finished now$/ : /: rolled back now$/);
    expect(await digest(at.server)).toBe(at.backedUp);
    await at.server.restart();
    expect(await digest(at.server)).toBe(at.backedUp);
    // One that began anew is undone like any other, and wherever it was killed, one that was ended is undone alike.
    if (!placed || (!everything && !killAt.startsWith('place'))) return;
    await settleAgain(at, '--undo');
    expect(await digest(at.server)).toBe(at.before);
  });

  test.each(tried(place, stepsOf(place)))('killed at %s, an undo takes it back', async (killAt) => {
    const at = await prepare(place);
    await runRestoreChild({ config: at.config.path, undo: false, killAt });
    const { outcome } = await settleAgain(at, '--undo');
    // What was only to be noted is done: then it is an undo like any other.
    expect(outcome).toBe(killAt === 'commit' ? 'undone' : 'rolled-back');
    expect(await digest(at.server)).toBe(at.before);
    // It was not even asked to save before that.
    if (stepsOf(place).indexOf(killAt) < stepsOf(place).indexOf('stop')) return;
    await at.server.restart();
    expect(await digest(at.server)).toBe(at.before);
  });

  test.each(tried(place, list('place', place.moves)))(
    'killed at %s and started by somebody, a second restore loses nothing',
    async (killAt) => {
      const at = await prepare(place);
      await runRestoreChild({ config: at.config.path, undo: false, killAt });
      await at.server.start();
      expect([at.before, at.backedUp]).toContain(await digest(at.server));
      await at.server.call('SET', 'written meanwhile', 'x');
      expect(await settleAgain(at)).toMatchObject({ outcome: 'finished' });
      // Kept where the server had the new data already, set aside with the old data else.
      await at.server.call('DEL', 'written meanwhile');
      expect(await digest(at.server)).toBe(at.backedUp);
      await at.server.restart();
      expect(await digest(at.server)).toBe(at.backedUp);
    },
  );

  test.each(tried(place, ['place', ...list('place', place.moves), 'start']))(
    'started by somebody at %s, it serves the backup in the end',
    async (step) => {
      const { server, config, backedUp } = await prepare(place);
      const task = { config: config.path, undo: false, killAt: undefined };
      const { result } = await runRestoreChild({ ...task, startAt: startBy(server, step) });
      expect(result).toMatchObject({ outcome: 'restored' });
      await server.reconnect();
      expect(await digest(server)).toBe(backedUp);
      await server.restart();
      expect(await digest(server)).toBe(backedUp);
    },
  );

  // At the end of its load it opens what it writes to: it would make that, and a manifest, in what has been placed since.
  test('started by somebody, it still loads when the next files are moved, and is not let to its end', async () => {
    const { server, config, backedUp } = await prepare(place);
    const task = { config: config.path, undo: false, killAt: undefined };
    const [step = '', loadedAt = ''] = [place.moves / 2, place.moves].map(
      (move) => `place ${move} of ${place.moves}`,
    );
    const { command, url } = startBy(server, step);
    const slowly = [...command, '--key-load-delay', '200000'];
    const { result } = await runRestoreChild({ ...task, startAt: { step, loadedAt, url, command: slowly } });
    expect(result).toMatchObject({ outcome: 'restored' });
    await server.reconnect();
    expect(await digest(server)).toBe(backedUp);
  });

  describe('on its way back from data that is not what it should be', () => {
    test('every step has its test', async () => {
      const { server, config, before } = await prepare(place, startsWrongOnce);
      const { steps, result } = await runRestoreChild({
        config: config.path,
        undo: false,
        killAt: undefined,
      });
      expect(steps).toEqual(
        [...stepsOf(place).slice(0, -1), ...rollbackOf(place)].filter((step) => step !== 'commit'),
      );
      expect(result).toMatchObject({ reason: 'rolled-back' });
      await server.reconnect();
      expect(await digest(server)).toBe(before);
    });

    test.each(tried(place, list('put-back', place.back)))(
      'started by somebody at %s, it serves the old data in the end',
      async (step) => {
        const { server, config, before } = await prepare(place, startsWrongOnce);
        const task = { config: config.path, undo: false, killAt: undefined };
        const { result } = await runRestoreChild({ ...task, startAt: startBy(server, step) });
        expect(result).toMatchObject({ reason: 'rolled-back' });
        await server.reconnect();
        expect(await digest(server)).toBe(before);
      },
    );

    test.each(tried(place, rollbackOf(place), true))(
      'killed at %s, the next run brings the old data back',
      async (killAt) => {
        const at = await prepare(place, startsWrongOnce);
        const killed = await runRestoreChild({ config: at.config.path, undo: false, killAt });
        expect(killed).toMatchObject({ signal: 'SIGKILL' });
        const { outcome } = await settleAgain(at, '--undo');
        expect(outcome).toBe('rolled-back');
        expect(await digest(at.server)).toBe(at.before);
        await at.server.restart();
        expect(await digest(at.server)).toBe(at.before);
      },
    );
  });
});

function startBy({ build, configFile, url }: ManagedServer, step: string): StartAt {
  return { step, command: [build.server, configFile], url };
}

/** A start command that once starts the server on other, empty files. */
function startsWrongOnce(server: ManagedServer): string[] {
  const script = join(dirname(server.dir), 'start');
  const flag = `${script}.wrong`;
  writeFileSync(flag, '');
  writeFileSync(
    script,
    `#!/bin/sh
if [ -e ${flag} ]; then rm ${flag}; exec "$@" --dbfilename nothing.rdb --appendonly no; fi
exec "$@"
`,
  );
  chmodSync(script, 0o755);
  expect(existsSync(script)).toBe(true);
  return [script, server.build.server, server.configFile];
}
