import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drillName } from '../../../src/backup/drill-mark.ts';
import type { DrillRecord } from '../../../src/domain/drill.ts';
import { editManifest, runAgent, takeBackup, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { backedUp, beside, checkLine, drill, findingsOf, leftIn } from '../../support/restore/drills.ts';
import { addOverdue, fillServer, hasFieldExpiry, overdue } from '../../support/data/data-set.ts';
import { inBucket, makeAgeKey, type AgeKey } from '../../support/restore/prove-path.ts';
import { edgeBuilds, startServer } from '../../support/servers/redis-server.ts';
import { sampleDrill } from '../../support/data/sample-drill.ts';
import { startFauxqs, type S3TestServer } from '../../support/stores/s3-servers.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

const keyFolder = makeTempFolder();
let ageKey: AgeKey;
beforeAll(() => {
  ageKey = makeAgeKey(keyFolder);
});
afterAll(() => removeTempFolder(keyFolder));

describe.each(edgeBuilds())('on $name', (build) => {
  test('every value of a full server, and keys and fields whose time is over', async () => {
    const server = await startServer({ build });
    await fillServer(server);
    await addOverdue(server);
    if (hasFieldExpiry(build)) {
      await server.call('HSET', 'fields', 'stays', 'x', 'goes', 'x');
      await server.call('HPEXPIRE', 'fields', 1500, 'FIELDS', 1, 'goes');
    }
    const config = writeConfig({ server });
    const id = await takeBackup(config, '--no-verify');
    await expect.poll(() => server.call('HEXISTS', 'fields', 'goes'), { interval: 20 }).toBe(0);
    const { code, json } = await drill(config);
    expect({ code, json }).toMatchObject({
      code: 0,
      json: {
        backup: id,
        ok: true,
        server: { engine: build.engine, version: build.version },
        compared: { differences: [], incomplete: 0 },
      },
    });
    expect(json.keys).toBe(json.compared.keys);
    expect(json.keys).toBeGreaterThan(400 + 2 * overdue.keys);
    expect(leftIn(config)).toEqual([]);
  });
});

test('the server is down: by the programs of its version on PATH', async () => {
  const { config, server } = await backedUp();
  await server.kill('SIGKILL');
  expect(await drill(config)).toMatchObject({ code: 0, json: { server: { version: server.build.version } } });
});

test('what it found is kept beside the backup and shown', async () => {
  const { config, id } = await backedUp();
  expect(await checkLine(config)).toMatchObject({
    verdict: 'warning',
    detail: 'no restore was ever rehearsed',
  });
  const { code, json } = await drill(config, id);
  expect(code).toBe(0);
  const { instance, ...record }: DrillRecord & { instance: string } = json;
  expect(instance).toBe('main');
  const { seconds } = record;
  expect(record).toMatchObject({
    schema: 1,
    backup: id,
    ok: true,
    keys: 502,
    compared: { keys: 502, elements: 502, incomplete: 0, differences: [] },
  });
  const { fetch, decode, check, load } = seconds;
  expect(record.recovery_seconds).toBeCloseTo(fetch + decode + (check ?? 0) + (load ?? 0), 3);
  expect(seconds.total).toBeGreaterThanOrEqual(record.recovery_seconds ?? Infinity);

  const [name = ''] = beside(config, id, 'drill-');
  expect(name).toMatch(/^drill-\d{8}T\d{9}Z-ok\.json$/);
  const folder = join(config.repository, 'main', id);
  expect(JSON.parse(readFileSync(join(folder, name), 'utf8'))).toEqual(record);
  expect(beside(config, id, 'verify-')).toEqual([expect.stringMatching(/-loaded-ok\.json$/)]);

  const show = await runAgent(['backups', 'show', id], { config });
  expect(show.stdout).toMatch(
    /^drill +\S+ \S+ in .*: 502 keys loaded, every value and expiry as in the backup$/m,
  );
  const status = await runAgent(['status'], { config });
  expect(status.stdout).toMatch(new RegExp(`^drill +${id} restored in \\S+ \\(`, 'm'));
  expect((await runAgent(['status', '--json'], { config })).json[0]).toMatchObject({
    drill: { outcome: 'held', backup: id, recovery_seconds: record.recovery_seconds },
    findings: [],
  });
  expect(await checkLine(config)).toMatchObject({ verdict: 'ok' });
  // It is no foreign object, and goes with its backup.
  expect((await runAgent(['backups', 'verify', '--all', '--json'], { config })).json.foreign).toEqual([]);
});

describe('what lies beside a backup, on a host without a history', () => {
  async function withRecord(overrides: Partial<DrillRecord>): Promise<{ config: TestConfig; id: string }> {
    const { config, id } = await backedUp();
    const record = sampleDrill({ backup: id, ...overrides });
    const folder = join(config.repository, 'main', id);
    writeFileSync(join(folder, drillName(record)), JSON.stringify(record));
    return { config, id };
  }

  test('an old drill is overdue', async () => {
    const { config, id } = await withRecord({ at: '2020-01-01T04:00:00.000Z' });
    expect(await checkLine(config)).toMatchObject({
      verdict: 'warning',
      detail: expect.stringMatching(/^the last one was \d+d \d+h ago \(limit 184d 00h\)$/) as unknown,
    });
    const { json } = await runAgent(['status', '--json'], { config });
    expect(json[0].drill).toMatchObject({ outcome: 'held', backup: id });
  });

  test('one that failed is told of', async () => {
    const summary = 'loaded, but it is \u001b[31mnot';
    const { config } = await withRecord({ ok: false, summary, at: new Date().toISOString() });
    expect(await checkLine(config)).toMatchObject({ verdict: 'failed' });
    // Whoever can write there writes no escape sequence to a terminal.
    expect((await runAgent(['status'], { config })).stdout).toContain('it is \\x1b[31mnot');
    expect((await runAgent(['backups', 'show', 'latest'], { config })).stdout).toContain('DRILL FAILED');
  });
});

describe('the plan of a restore', () => {
  async function expected(
    config: TestConfig,
  ): Promise<{ seconds: number; drill: { backup: string } } | null> {
    const { code, json } = await runAgent(['restore', '--method', 'files', '--dry-run', '--json'], {
      config,
    });
    expect(code).toBe(0);
    return json.plan.expected;
  }

  test('says how long it should take, also on a new host', async () => {
    const { config, id } = await backedUp();
    expect(await expected(config)).toBeNull();
    const { json } = await drill(config);
    const first = await expected(config);
    expect(first).toMatchObject({
      drill: { backup: id, recovery_seconds: json.recovery_seconds, bytes: json.bytes },
    });
    expect(first?.seconds).toBeGreaterThan(0);
    rmSync(config.state, { recursive: true });
    expect(await expected(config)).toEqual(first);
    const shown = await runAgent(['restore', '--method', 'files', '--dry-run'], { config });
    expect(shown.stdout).toMatch(/^time: about \S+; the drill of \S+ took \S+ for /m);
  });

  test('a record that cannot be read costs the figure and nothing else', async () => {
    const { config, id } = await backedUp();
    await drill(config);
    rmSync(config.state, { recursive: true });
    const [name = ''] = beside(config, id, 'drill-');
    writeFileSync(join(config.repository, 'main', id, name), '{"schema": 1');
    expect(await expected(config)).toBeNull();
    const show = await runAgent(['backups', 'show', id], { config });
    expect({ code: show.code, stdout: show.stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^drill .* cannot be read/m),
    });
  });
});

describe('a backup that does not hold', () => {
  async function expectBroken(config: TestConfig, id: string, summary: RegExp): Promise<void> {
    const { code, json } = await drill(config);
    expect({ code, json }).toMatchObject({
      code: 6,
      json: { ok: false, summary: expect.stringMatching(summary) },
    });
    expect(leftIn(config)).toEqual([]);
    expect(beside(config, id, 'drill-')).toEqual([expect.stringMatching(/-failed\.json$/)]);
    expect(beside(config, id, 'verify-')).toEqual([expect.stringMatching(/-loaded-failed\.json$/)]);
    expect(await findingsOf(config)).toEqual(['drill-broken critical']);
    expect(await checkLine(config)).toMatchObject({
      verdict: 'failed',
      detail: expect.stringMatching(summary),
    });
    expect((await runAgent(['status'], { config })).stdout).toContain(`${id} DOES NOT RESTORE`);
    expect((await runAgent(['drill'], { config })).stdout).toContain('DOES NOT RESTORE');
  }

  test('a count in its manifest is another, and all hashes are right', async () => {
    const { config, id } = await backedUp();
    editManifest(config, id, (manifest) => (manifest.keyspace.databases['0'].keys += 1));
    await expectBroken(config, id, /loaded, but database 0 holds 502 keys instead of 503$/);
    // The next one that holds closes the finding.
    editManifest(config, id, (manifest) => (manifest.keyspace.databases['0'].keys -= 1));
    expect(await drill(config)).toMatchObject({ code: 0 });
    expect(await findingsOf(config)).toEqual([]);
  });

  test('a flipped byte', async () => {
    const { config, id } = await backedUp();
    const file = join(config.repository, 'main', id, 'dump.rdb.zst');
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(file, bytes);
    await expectBroken(config, id, /dump\.rdb\.zst is damaged: its bytes have changed/);
  });
});

describe('encrypted', () => {
  test('with its key', async () => {
    const { config } = await backedUp({ encryption: ageKey.encryption });
    expect(await drill(config)).toMatchObject({ code: 0, json: { ok: true, keys: 502 } });
  });

  test('without it: skipped, and said why', async () => {
    const { config } = await backedUp({ encryption: { recipients: [ageKey.recipient] } });
    const { code, json } = await drill(config);
    expect({ code, json }).toMatchObject({
      code: 7,
      json: { error: { message: expect.stringMatching(/no repository\.encryption\.age_identity/) } },
    });
    expect(await findingsOf(config)).toEqual(['drill-skipped warning']);
  });
});

describe('in a bucket', () => {
  let s3: S3TestServer;
  beforeAll(async () => {
    s3 = await startFauxqs();
  });
  afterAll(() => s3.stop());

  test('encrypted, fetched from there; the record lies there too', async () => {
    const server = await startServer();
    await fillServer(server);
    const place = inBucket(s3, { server, encryption: ageKey.encryption });
    const id = await takeBackup(place.config, '--no-verify');
    expect(await drill(place.config)).toMatchObject({ code: 0, json: { ok: true, backup: id } });
    const names = [...(await place.read(id)).keys()];
    expect(names.filter((name) => name.startsWith('drill-'))).toHaveLength(1);
  });

  test('the bucket is away', async () => {
    const { config } = inBucket(
      { ...s3, endpoint: 'http://127.0.0.1:9' },
      { server: { url: 'redis://127.0.0.1:9' } },
    );
    expect(await drill(config)).toMatchObject({ code: 5 });
  });
});

test('the help names it', async () => {
  const { code, stdout } = await runAgent(['drill', '--help']);
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/Rehearse a restore/) });
});
