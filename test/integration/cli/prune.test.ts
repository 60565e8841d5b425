import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  copyBackup,
  idsIn,
  runAgent,
  takeBackup,
  writeConfig,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { startServer } from '../../support/servers/redis-server.ts';

let config: TestConfig;
let taken: string;

/** Four old backups and a new one, of which the retention keeps two. */
beforeEach(async () => {
  const server = await startServer();
  await server.call('SET', 'key', 'value');
  const retention = { days: 1, keep_min: 2 };
  config = writeConfig({ server, settings: { backup: { retention } } });
  taken = await takeBackup(config);
  for (const id of old) copyBackup(config, taken, id);
});

const old = [
  '20200101T000000Z-0001',
  '20200102T000000Z-0002',
  '20200103T000000Z-0003',
  '20200104T000000Z-0004',
];
const prune = ['backups', 'prune'];

describe('backups prune', () => {
  test('without a terminal and without --yes: refused, and nothing is removed', async () => {
    expect(await runAgent(prune, { config })).toMatchObject({
      code: 2,
      stdout: '',
      stderr:
        'redis-agent: this asks before it goes on, and there is no terminal to ask on; say --yes when that is what you want\n',
    });
    const { code, json } = await runAgent([...prune, '--json'], { config });
    expect({ code, json }).toMatchObject({ code: 2, json: { error: { code: 'usage' } } });
    expect(idsIn(config)).toEqual([...old, taken]);
  });

  test('--dry-run removes nothing and prints the plan that --yes executes', async () => {
    const dry = await runAgent([...prune, '--dry-run', '--json'], { config });
    expect(dry).toMatchObject({ code: 0, json: { dry_run: true, removed: [], freed_bytes: 0 } });
    expect(idsIn(config)).toEqual([...old, taken]);
    const text = await runAgent([...prune, '--dry-run'], { config });
    expect(text.stdout).toContain('nothing was removed');

    const wet = await runAgent([...prune, '--yes', '--json'], { config });
    expect(wet).toMatchObject({ code: 0, json: { dry_run: false, removed: old.slice(0, 3) } });
    expect(wet.json.decisions).toEqual(dry.json.decisions);
    expect(wet.json.decisions.map(({ keep }: { keep: boolean }) => keep)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(idsIn(config)).toEqual([old[3], taken]);
    // And again: nothing is left to do, so nothing is asked.
    expect(await runAgent(prune, { config })).toMatchObject({ code: 0 });
  });

  test.each([
    ['y\n', [old[3]]],
    ['yes\r', [old[3]]],
    ['n\n', old],
    ['\n', old],
    ['yep\n', old],
    ['\u0004', old],
  ])('on a terminal it asks: %j', async (terminal, left) => {
    const { code, stderr } = await runAgent(prune, { config, terminal });
    expect(code).toBe(0);
    expect(stderr).toContain('Remove 3 of 5 backups of main? [y/N]');
    expect(idsIn(config)).toEqual([...left, taken]);
  });

  test('Ctrl-C at the question', async () => {
    expect(await runAgent(prune, { config, terminal: '\u0003' })).toMatchObject({ code: 130, stdout: '' });
    expect(idsIn(config)).toEqual([...old, taken]);
  });

  test('a signal at the question', async () => {
    const stop = new AbortController();
    const { AgentError } = await import('../../../src/domain/errors.ts');
    const onStderr = (text: string): void => {
      if (text.includes('[y/N]')) stop.abort(new AgentError('interrupted', 'interrupted by SIGTERM'));
    };
    expect(await runAgent(prune, { config, terminal: '', signal: stop.signal, onStderr })).toMatchObject({
      code: 130,
    });
    expect(idsIn(config)).toEqual([...old, taken]);
  });
});

test('backups of one second sort in the order in which they were taken', async () => {
  const ids = [taken];
  for (let count = 0; count < 6; count++) ids.push(await takeBackup(config, '--no-verify', '--no-prune'));
  expect(idsIn(config)).toEqual([...old, ...ids]);
});

test('the newest proven one stays, also when all that was looked at since are its stored bytes', async () => {
  const server = await startServer();
  const retention = { days: 1, keep_min: 2 };
  const mine = writeConfig({ server, settings: { backup: { retention } } });
  const proven = await takeBackup(mine);
  copyBackup(mine, proven, '20200103T000000Z-0003');
  await runAgent(['backups', 'verify', '20200103T000000Z-0003', '--quick'], { config: mine });
  const newest = await takeBackup(mine, '--no-verify', '--no-prune');
  for (const [from, to] of [
    [newest, '20200102T000000Z-0002'],
    [newest, '20200104T000000Z-0004'],
  ] as const)
    copyBackup(mine, from, to);
  rmSync(join(mine.repository, 'main', proven), { recursive: true });
  // Found damaged inside, and its stored bytes, which are those that were stored, looked at since.
  copyBackup(mine, newest, '20200105T000000Z-0005');
  for (const mark of ['20200106T000000000Z-decoded-failed', '20200107T000000000Z-stored-ok'])
    writeFileSync(join(mine.repository, 'main/20200105T000000Z-0005', `verify-${mark}.json`), '{}');

  const { json } = await runAgent([...prune, '--yes', '--json'], { config: mine });
  expect(json.decisions).toMatchObject([
    { id: newest, keep: true },
    { id: '20200105T000000Z-0005', keep: false },
    { id: '20200104T000000Z-0004', keep: true },
    { id: '20200103T000000Z-0003', keep: true, reason: 'the newest proven one' },
    { id: '20200102T000000Z-0002', keep: false },
  ]);
});

test.each([
  ['whose dump is missing', (folder: string) => rmSync(join(folder, 'dump.rdb.zst'))],
  [
    'whose stored bytes were found wrong',
    (folder: string) => writeFileSync(join(folder, 'verify-20990101T000000000Z-stored-failed.json'), '{}'),
  ],
])('one %s counts for none that is kept', async (_, damage) => {
  damage(join(config.repository, 'main', '20200104T000000Z-0004'));
  const { json } = await runAgent([...prune, '--yes', '--json'], { config });
  expect(json.removed).toEqual([old[0], old[1], old[3]]);
  expect(idsIn(config)).toEqual([old[2], taken]);
});
