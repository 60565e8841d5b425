import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  copyBackup,
  idsIn,
  manifestPath,
  runAgent,
  takeBackup,
  writeConfig,
  type TestConfig,
} from '../../support/agent/cli.ts';
import {
  backUp,
  checkStored,
  expectOk,
  inBucket,
  makeAgeKey,
  type AgeKey,
} from '../../support/restore/prove-path.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';
import { startFauxqs } from '../../support/stores/s3-servers.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

const keys = makeTempFolder();
let server: TestServer;
let ageKey: AgeKey;

beforeAll(async () => {
  ageKey = makeAgeKey(keys);
  server = await startServer({ config: { appendonly: 'yes' } });
  await server.call('DEBUG', 'POPULATE', 2000, 'key', 100);
});
afterAll(async () => {
  await server.stop();
  removeTempFolder(keys);
});

const forms = [
  ['rdb', 'dump.rdb', 'cp dump.rdb DIRECTORY'],
  ['rdb', 'dump.rdb.age', 'age -d -i IDENTITY dump.rdb.age > dump.rdb'],
  ['aof', 'aof.tar', 'tar -xf aof.tar'],
  ['aof', 'aof.tar.age', 'age -d -i IDENTITY aof.tar.age | tar -x'],
] as const;

describe.each(forms)('a backup of kind %s, stored as %s', (kind, name, byHand) => {
  let config: TestConfig;
  let id: string;
  const fileOf = (one: string): string => join(config.repository, 'main', one, name);

  const configure = (uncompressed: boolean): TestConfig => {
    const encryption = name.endsWith('.age') ? { encryption: ageKey.encryption } : {};
    const settings = { backup: { retention: { days: 1, keep_min: 1 } } };
    return writeConfig({ server, uncompressed, settings, ...encryption });
  };

  beforeEach(async () => {
    config = configure(true);
    id = await takeBackup(config, '--kind', kind);
  });

  const verdictOf = async (one: string, ...more: string[]): Promise<unknown> => {
    const { code, json } = await runAgent(['--json', 'backups', 'verify', one, ...more], { config });
    return { code, ...json.verdicts[0] };
  };

  test('is proven, shown, fetched and unpacked by the line that is shown', async () => {
    expect(readdirSync(join(config.repository, 'main', id))).toContain(name);
    expect(await verdictOf(id, '--quick')).toMatchObject({ code: 0, level: 'stored' });
    expect(await verdictOf(id, '--deep', '--load')).toMatchObject({ code: 0, level: 'loaded' });
    const shown = await runAgent(['backups', 'show', id], { config });
    expect(shown.stdout).toMatch(/^compressed +no$/m);
    expect(shown.stdout).toContain(byHand);

    const target = join(config.folder, 'out');
    const fetched = await runAgent(['--json', 'restore', id, '--to', target], { config });
    expectOk(fetched);
    const folder = join(config.folder, 'by-hand');
    mkdirSync(folder);
    const line = byHand.replace('IDENTITY', ageKey.file).replace('DIRECTORY', folder);
    const stored = readFileSync(fileOf(id));
    writeFileSync(join(folder, name), stored);
    if (!byHand.startsWith('cp')) execFileSync('sh', ['-c', line], { cwd: folder });
    for (const [ours, theirs] of fetchedFiles(kind, fetched.json.file, folder))
      expect({ ours, same: readFileSync(ours).equals(readFileSync(theirs)) }).toEqual({ ours, same: true });
  });

  test('is found damaged where a byte is another or the end is missing', async () => {
    const bad = '20200101T000000Z-0001';
    for (const share of [0, 0.6, 0.999]) {
      copyBackup(config, id, bad);
      const bytes = readFileSync(fileOf(bad));
      bytes[Math.floor(bytes.length * share)]! ^= 1;
      writeFileSync(fileOf(bad), bytes);
      for (const depth of [['--quick'], []])
        expect(await verdictOf(bad, ...depth)).toMatchObject({
          code: 6,
          verdict: 'damaged',
          // Of a tar archive that is read as it comes, its own framing may tell first.
          summary: expect.stringMatching(new RegExp(`^${name} is damaged: |archive`)),
        });
      const target = join(config.folder, 'never');
      const fetched = await runAgent(['--json', 'restore', bad, '--to', target], { config });
      expect(fetched).toMatchObject({ code: 6, json: { error: { code: 'damaged' } } });
      expect(existsSync(target)).toBe(false);
      truncateSync(fileOf(bad), Math.floor(bytes.length * share));
      expect(await verdictOf(bad)).toMatchObject({ code: 6, verdict: 'damaged' });
    }
  });

  test('is kept and pruned beside compressed ones, which are read all the same', async () => {
    const old = '20200101T000000Z-0002';
    copyBackup(config, id, old);
    const before = config;
    config = configure(false);
    renameSync(before.repository, config.repository);
    const compressed = await takeBackup(config, '--kind', kind);
    const listed = await runAgent(['--json', 'backups', 'list'], { config });
    expect(listed.json).toMatchObject({ foreign: [] });
    const verified = await runAgent(['--json', 'backups', 'verify', '--all'], { config });
    expect(verified.json.verdicts).toMatchObject([{ verdict: 'ok' }, { verdict: 'ok' }]);
    // The old one went with the backup that has been proven since.
    expect(idsIn(config)).toEqual([id, compressed]);
    expect(existsSync(fileOf(old))).toBe(false);
  });
});

/** What was fetched, and what a person has unpacked; the manifest of a set is written anew. */
function fetchedFiles(kind: 'rdb' | 'aof', fetched: string, folder: string): [string, string][] {
  if (kind === 'rdb') return [[fetched, join(folder, 'dump.rdb')]];
  const parts = readdirSync(fetched).filter((name) => !name.endsWith('.manifest'));
  expect(parts.length).toBeGreaterThan(1);
  return parts.map((name) => [join(fetched, name), join(folder, 'appendonlydir', name)]);
}

test('what an interrupted backup leaves goes with the next; what was decoded beside one stays', async () => {
  const config = writeConfig({ server, uncompressed: true });
  const [first, decoded, interrupted] = [
    await takeBackup(config),
    '20200101T000000Z-0001',
    '20990101T000000Z-0001',
  ];
  const dump = (id: string): string => join(config.repository, 'main', id, 'dump.rdb');
  for (const id of [decoded, interrupted]) {
    copyBackup(config, first, id);
    for (const name of readdirSync(join(config.repository, 'main', id)))
      if (name !== 'dump.rdb') rmSync(join(config.repository, 'main', id, name));
  }
  expect(existsSync(manifestPath(config, interrupted))).toBe(false);
  const listed = await runAgent(['--json', 'backups', 'list'], { config });
  expect(listed.json).toMatchObject({
    // What seems to come from the future comes last: when it was taken is not known.
    backups: [
      { id: first, state: 'complete' },
      { id: interrupted, state: 'incomplete' },
    ],
    foreign: [`main/${decoded}/dump.rdb`],
  });
  await takeBackup(config);
  expect(existsSync(dump(interrupted))).toBe(false);
  expect(existsSync(dump(decoded))).toBe(true);
});

test('in several parts into a bucket, and back', async () => {
  const fauxqs = await startFauxqs();
  onTestFinished(() => fauxqs.stop());
  await using large = await startServer({ config: { rdbcompression: 'no' } });
  for (let key = 0; key < 12; key++) await large.call('SETRANGE', `large:${key}`, 2 ** 20, `end ${key}`);
  for (const key of [undefined, ageKey]) {
    const encryption = key === undefined ? {} : { encryption: key.encryption };
    const place = inBucket(
      fauxqs,
      { server: large, uncompressed: true, ...encryption },
      { part_size: '5mb' },
    );
    const { id } = await backUp(place);
    const dump = checkStored(await place.read(id), { key, uncompressed: true });
    // More than two parts.
    expect(dump.length).toBeGreaterThan(12 * 2 ** 20);
    const fetched = await runAgent(['--json', 'restore', id, '--to', place.config.folder], place);
    expectOk(fetched);
    expect(readFileSync(fetched.json.file).equals(dump)).toBe(true);
  }
});
