import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  copyBackup,
  editManifest,
  idsIn,
  runAgent,
  takeBackup,
  writeConfig,
  type EditableManifest,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';
import { removeTempFolder } from '../../support/house/temp-folder.ts';

let server: TestServer;
let config: TestConfig;
let good: string;

/** What each test begins with a copy of. */
let first: TestConfig;

function configured(): TestConfig {
  return writeConfig(
    { server, settings: { backup: { retention: { days: 1, keep_min: 1 } } } },
    { keep: true },
  );
}

beforeAll(async () => {
  server = await startServer();
  await server.call('DEBUG', 'POPULATE', 1000, 'key', 50);
  first = configured();
  good = await takeBackup(first, '--no-verify', '--no-prune');
  copyBackup(first, good, bad);
});
afterAll(async () => {
  removeTempFolder(first.folder);
  await server.stop();
});

/** A repository with one good backup, and two days in the past a copy of it to be spoilt. */
beforeEach(() => {
  config = configured();
  onTestFinished(() => removeTempFolder(config.folder));
  for (const part of ['repository', 'state'] as const) cpSync(first[part], config[part], { recursive: true });
});

const bad = '20200101T000000Z-0bad';
const inBad = (name: string): string => join(config.repository, 'main', bad, name);
const artefact = 'dump.rdb.zst';

/** Every command that reads the repository, each with its exit status; none may break down. */
async function survey(): Promise<Survey> {
  const list = await runAgent(['backups', 'list', '--json'], { config });
  const listed = await runAgent(['backups', 'list'], { config });
  const show = await runAgent(['backups', 'show', bad], { config });
  const verify = await runAgent(['backups', 'verify', '--all', '--load', '--json'], { config });
  const verified = await runAgent(['backups', 'verify', '--all', '--quick'], { config });
  const one = await runAgent(['backups', 'verify', bad], { config });
  const latest = await runAgent(['backups', 'verify', '--quick'], { config });
  expect([list.code, listed.code, latest.code]).toEqual([0, 0, 0]);
  expect(verified.code).toBe(verify.code);
  const states: Record<string, string> = {};
  for (const { id, state } of list.json.backups) states[id] = state;
  const verdicts: Record<string, string> = {};
  const summaries: Record<string, string> = {};
  for (const { id, verdict, summary } of verify.json.verdicts)
    [verdicts[id], summaries[id]] = [verdict, summary];
  expect(verdicts[good]).toBe('ok');
  expect(verify.json.foreign).toEqual(list.json.foreign);
  return {
    state: states[bad],
    verdict: verdicts[bad],
    summary: summaries[bad],
    foreign: list.json.foreign,
    codes: { show: show.code, all: verify.code, one: one.code },
  };
}

interface Survey {
  state: string | undefined;
  verdict: string | undefined;
  summary: string | undefined;
  foreign: string[];
  codes: { show: number; all: number; one: number };
}

/** A further backup, with its proof and prune, goes as ever. */
async function nextBackup(): Promise<string> {
  const { code, json } = await runAgent(['backup', '--json'], { config });
  expect({ code, json }).toMatchObject({ code: 0, json: { verification: { verdict: 'ok' } } });
  return json.backup.id;
}

describe('an artefact', () => {
  test.each<[string, () => void, RegExp]>([
    ['cut short', () => truncateSync(inBad(artefact), 20), /has 20 bytes instead of \d+/],
    ['empty', () => truncateSync(inBad(artefact), 0), /has 0 bytes instead of \d+/],
    ['longer', () => appendFileSync(inBad(artefact), 'x'), /has \d+ bytes instead of \d+/],
  ])('%s: seen by its length', async (_, spoil, problem) => {
    spoil();
    const { summary, ...seen } = await survey();
    expect(summary).toMatch(problem);
    expect(seen).toEqual({
      state: 'damaged',
      verdict: 'damaged',
      foreign: [],
      codes: { show: 0, all: 6, one: 6 },
    });
    // Old and of no use: it goes, once there is a newer good one.
    const next = await nextBackup();
    expect(idsIn(config)).toEqual([good, next]);
  });

  test('with a flipped bit: seen when it is read', async () => {
    const bytes = readFileSync(inBad(artefact));
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 4;
    writeFileSync(inBad(artefact), bytes);
    const { summary, ...seen } = await survey();
    expect(summary).toMatch(/^dump.rdb.zst is damaged/);
    expect(seen).toMatchObject({ verdict: 'damaged', codes: { all: 6, one: 6 } });
    expect((await runAgent(['backups', 'list'], { config })).stdout).toMatch(new RegExp(`${bad}.* damaged`));
    expect(await runAgent(['status'], { config })).toMatchObject({
      code: 3,
      stdout: expect.stringContaining(`backup ${bad}: dump.rdb.zst is damaged`),
    });
    await nextBackup();
    // What was said of it goes with it.
    expect(await runAgent(['status'], { config })).toMatchObject({ code: 0 });
  });

  test('that is gone', async () => {
    rmSync(inBad(artefact));
    const { summary, ...seen } = await survey();
    expect(summary).toBe('dump.rdb.zst is missing');
    expect(seen).toEqual({
      state: 'damaged',
      verdict: 'missing',
      foreign: [],
      codes: { show: 0, all: 6, one: 6 },
    });
  });

  test('replaced by a symbolic link: not followed, and its target is left alone', async () => {
    const target = join(config.folder, 'elsewhere');
    writeFileSync(target, readFileSync(inBad(artefact)));
    rmSync(inBad(artefact));
    symlinkSync(target, inBad(artefact));
    expect(await survey()).toMatchObject({ state: 'damaged', verdict: 'missing', codes: { all: 6 } });
    await nextBackup();
    expect(existsSync(target)).toBe(true);
  });

  test('the newest one damaged: verify without an id does not pass over it', async () => {
    truncateSync(join(config.repository, 'main', good, artefact), 9);
    expect(await runAgent(['backups', 'verify'], { config })).toMatchObject({ code: 6 });
  });
});

describe('a manifest', () => {
  test.each<[string, (manifest: EditableManifest) => void]>([
    ['of another backup', (manifest) => (manifest.id = good)],
    ['of another instance', (manifest) => (manifest.instance = 'other')],
    ['with an artefact outside its folder', (manifest) => (manifest.artefacts[0].name = '../../secret')],
    ['with no artefact', (manifest) => (manifest.artefacts = [])],
    ['with a negative length', (manifest) => (manifest.artefacts[0].stored.bytes = -1)],
    ['with a schema that is none', (manifest) => (manifest.schema = 'one')],
    ['with a time that is none', (manifest) => (manifest.requested_at = '2026-02-30T00:00:00Z')],
    ['without its keyspace', (manifest) => delete manifest.keyspace],
    ['with escape sequences', (manifest) => (manifest.kind = '\u001b]0;owned\u0007\n')],
  ])('%s', async (_, edit) => {
    editManifest(config, bad, edit);
    expect(await survey()).toMatchObject({
      state: 'damaged',
      verdict: 'damaged',
      codes: { show: 6, all: 6, one: 6 },
    });
  });

  test.each<[string, string | Buffer]>([
    ['empty', ''],
    ['no JSON', '{"schema": 1, \u001b[2J\r\n'],
    ['not text', Buffer.from([0xff, 0xfe, 0x00, 0x01])],
    ['null', 'null'],
    ['2 MiB long', `{"schema": 1, "x": "${'x'.repeat(2 * 1024 * 1024)}"}`],
    ['deeply nested', '['.repeat(500_000)],
  ])('%s', async (_, content) => {
    writeFileSync(inBad('manifest.json'), content);
    const { summary, ...seen } = await survey();
    expect(seen).toMatchObject({ state: 'damaged', verdict: 'damaged', codes: { show: 6, all: 6, one: 6 } });
    expect(summary?.length).toBeLessThan(300);
    await nextBackup();
    expect(idsIn(config)).not.toContain(bad);
  });

  test('that says hostile things: shown, and harmless', async () => {
    editManifest(config, bad, (manifest) => {
      manifest.writer.host = '\u001b[31mevil\u0007\u202e\n\u009b2J';
      manifest.server.version = '\r\u001b[2K9.9.9';
      manifest.verified.summary = '\u001b]8;;http://x\u0007click';
    });
    const show = await runAgent(['backups', 'show', bad], { config });
    expect(show).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('\\x1b[31mevil\\x07\\u{202e}\\x0a'),
    });
    const { json } = await runAgent(['backups', 'show', bad, '--json'], { config });
    expect(json.manifest.writer.host).toBe('\u001b[31mevil\u0007\u202e\n\u009b2J');
    expect(await survey()).toMatchObject({
      state: 'complete',
      verdict: 'ok',
      codes: { show: 0, all: 0, one: 0 },
    });
  });

  test('with absurd figures', async () => {
    editManifest(config, bad, (manifest) => {
      manifest.duration_seconds = 1e308;
      manifest.server.used_memory = Number.MAX_SAFE_INTEGER;
      manifest.keyspace.databases['99999'] = { keys: Number.MAX_SAFE_INTEGER, expires: 0 };
    });
    // No memory to load it, so what it claims of its keys is not compared.
    expect(await survey()).toMatchObject({ state: 'complete', codes: { show: 0 } });
  });

  test('that is a folder', async () => {
    rmSync(inBad('manifest.json'));
    mkdirSync(inBad('manifest.json'));
    writeFileSync(inBad('manifest.json/x'), '');
    expect(await survey()).toMatchObject({
      state: 'incomplete',
      verdict: 'incomplete',
      foreign: [`main/${bad}/manifest.json/x`],
      codes: { show: 1, all: 0, one: 1 },
    });
  });

  test('that is a symbolic link', async () => {
    const target = join(config.folder, 'manifest.json');
    writeFileSync(target, readFileSync(inBad('manifest.json')));
    rmSync(inBad('manifest.json'));
    symlinkSync(target, inBad('manifest.json'));
    expect(await survey()).toMatchObject({ state: 'incomplete', codes: { show: 1, all: 0, one: 1 } });
    await nextBackup();
    expect(existsSync(target)).toBe(true);
  });

  test('a proof beside it that cannot be read, or has a strange name', async () => {
    writeFileSync(inBad('verify-20260101T000000000Z-loaded-ok.json'), '{');
    writeFileSync(inBad('verify-99999999T000000000Z-loaded-ok.json'), '{}');
    writeFileSync(inBad('verify-20260101T000000000Z-dreamt-ok.json'), '{}');
    const { foreign, codes } = await survey();
    expect(foreign).toEqual([
      `main/${bad}/verify-20260101T000000000Z-dreamt-ok.json`,
      `main/${bad}/verify-99999999T000000000Z-loaded-ok.json`,
    ]);
    expect(codes).toEqual({ show: 0, all: 0, one: 0 });
  });
});

describe('a newer agent’s backup', () => {
  beforeEach(() => {
    editManifest(config, bad, (manifest) => {
      manifest.schema = 3;
      delete manifest.artefacts;
    });
    writeFileSync(inBad('appendonly.tar.zst'), 'x');
  });

  test('is shown as newer, and neither judged nor touched', async () => {
    const { summary, ...seen } = await survey();
    expect(summary).toBe(`backup ${bad} was written by a newer redis-agent (schema 3)`);
    expect(seen).toEqual({
      state: 'newer',
      verdict: 'newer',
      foreign: [],
      codes: { show: 7, all: 0, one: 1 },
    });
    await nextBackup();
    const { json } = await runAgent(['backups', 'prune', '--yes', '--json'], { config });
    expect(json.decisions.map(({ id }: { id: string }) => id)).not.toContain(bad);
    expect(
      ['manifest.json', artefact, 'appendonly.tar.zst'].filter((name) => !existsSync(inBad(name))),
    ).toEqual([]);
  });
});

describe('what is not ours', () => {
  test('lies there after everything that the agent does', async () => {
    const main = join(config.repository, 'main');
    const files = [
      join(config.repository, 'README'),
      join(main, 'notes.txt'),
      join(main, 'lost+found', 'x'),
      join(main, '20260101T000000Z', 'dump.rdb.zst'),
      inBad('NOTES'),
      inBad('dump.rdb'),
      inBad('.hidden'),
      join(main, 'line\nbreak\u001b[31m'),
      join(main, 'long'.repeat(60)),
      join(main, '20260101T000000Z-ffff\n', 'manifest.json'),
    ];
    for (const file of files) {
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, 'keep');
    }
    const notUtf8 = Buffer.concat([Buffer.from(`${main}/`), Buffer.from([0xff, 0xfe, 0x80])]);
    writeFileSync(notUtf8, 'keep');
    symlinkSync('/etc', join(main, 'link'));
    symlinkSync(join(main, good), join(main, '20210101T000000Z-abcd'));
    const { foreign, ...seen } = await survey();
    expect(seen).toMatchObject({ state: 'complete', verdict: 'ok', codes: { show: 0, all: 0, one: 0 } });
    expect(foreign).toEqual([
      'main/20200101T000000Z-0bad/NOTES',
      'main/20200101T000000Z-0bad/dump.rdb',
      'main/20260101T000000Z/dump.rdb.zst',
      `main/${'long'.repeat(60)}`,
      'main/notes.txt',
    ]);
    await nextBackup();
    // Pruned, all but what somebody has put beside it; and then the next one clears what was interrupted.
    expect(existsSync(inBad('manifest.json'))).toBe(false);
    await nextBackup();
    expect([...files, notUtf8].filter((file) => !existsSync(file))).toEqual([]);
    expect(await survey()).toMatchObject({ state: undefined });
    expect(await runAgent(['check'], { config })).toMatchObject({ code: 0 });
  });

  test('left-overs of a run that was killed go with the next one', async () => {
    rmSync(inBad('manifest.json'));
    writeFileSync(inBad('.tmp-0123456789abcdef'), 'half');
    writeFileSync(join(config.repository, 'main', good, '.tmp-0123456789abcdee'), 'half');
    expect(await survey()).toMatchObject({ state: 'incomplete', codes: { show: 1, all: 0, one: 1 } });
    await nextBackup();
    expect(existsSync(inBad(''))).toBe(false);
    expect(existsSync(join(config.repository, 'main', good, '.tmp-0123456789abcdee'))).toBe(false);
  });
});

describe('show', () => {
  test.each([
    ['20200101T000000Z-0000', 1, 'has no backup 20200101T000000Z-0000'],
    ['../../etc/passwd', 2, 'is no backup id'],
    ['\u001b[31m', 2, '"\\u001b[31m" is no backup id'],
    ['', 2, '"" is no backup id'],
  ])('%j is not there', async (id, code, text) => {
    expect(await runAgent(['backups', 'show', id], { config })).toMatchObject({
      code,
      stdout: '',
      stderr: expect.stringContaining(text),
    });
    expect((await runAgent(['backups', 'accept', id], { config })).code).toBe(code);
    expect((await runAgent(['backups', 'verify', id], { config })).code).toBeGreaterThan(0);
  });

  test('an empty repository', async () => {
    rmSync(config.repository, { recursive: true });
    expect(await runAgent(['backups', 'list'], { config })).toMatchObject({
      code: 0,
      stdout: `No backup of main in filesystem ${config.repository} yet; take one: redis-agent backup; if it had another name before: redis-agent backups list --fleet\n`,
    });
    expect(await runAgent(['backups', 'verify', '--all'], { config })).toMatchObject({ code: 0 });
    expect(await runAgent(['backups', 'prune', '--yes'], { config })).toMatchObject({ code: 0 });
    for (const command of ['show', 'verify', 'accept'])
      expect(await runAgent(['backups', command, 'latest'], { config })).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('has no backup in'),
      });
  });
});
