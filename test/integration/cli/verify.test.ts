import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import {
  canBeNobody,
  copyBackup,
  editManifest,
  idsIn,
  runAgent,
  spawnAgent,
  takeBackup,
  writeConfig,
  type ConfigOptions,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { takeLock } from '../../../src/state/locks/lock.ts';
import { openState } from '../../../src/state/db/open.ts';
import { lastRun } from '../../../src/state/runs.ts';
import { digestOf } from '../../support/data/artefacts.ts';
import { s3Repository, startFaultyS3 } from '../../support/stores/faulty-s3.ts';
import { memoryLog } from '../../support/agent/memory-log.ts';
import { rdbOf } from '../../support/rdb/rdb.ts';
import { findBuild, startServer } from '../../support/servers/redis-server.ts';

const verify = ['backups', 'verify'];

async function populated(options: ConfigOptions = {}): Promise<{
  config: TestConfig;
  server: Awaited<ReturnType<typeof startServer>>;
  options: ConfigOptions;
}> {
  const server = await startServer();
  await server.call('DEBUG', 'POPULATE', 500);
  return { config: writeConfig({ server, ...options }), server, options: { server, ...options } };
}

/** What age-keygen writes. */
async function makeIdentity(): Promise<{ identity: string; recipient: string }> {
  const { generateIdentity, identityToRecipient } = await import('age-encryption');
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  return { identity: `# created: today\n# public key: ${recipient}\n${identity}`, recipient };
}

test('--deep decodes every value', async () => {
  const { config, server } = await populated();
  await server.call('HSET', 'packed', 'field', 'value');
  await takeBackup(config, '--no-verify');
  expect(await runAgent([...verify, '--deep', '--json'], { config })).toMatchObject({
    code: 0,
    json: {
      verdicts: [{ verdict: 'ok', summary: expect.stringMatching(/^every value decoded, /) as unknown }],
    },
  });
  expect(await runAgent([...verify, '--deep', '--quick'], { config })).toMatchObject({ code: 2 });
});

describe('a backup that the running server cannot load', () => {
  const newer = findBuild('redis', '8.0');
  const older = findBuild('redis', '6.0');
  test.skipIf(newer === undefined || older === undefined)('is none that is damaged', async () => {
    const server = await startServer({ build: newer! });
    await server.call('SET', 'key', 'value');
    const config = writeConfig({ server });
    const id = await takeBackup(config, '--no-verify');
    config.rewrite({ server: await startServer({ build: older! }) });
    const { code, json } = await runAgent([...verify, '--load', '--json'], { config });
    expect({ code, verdicts: json.verdicts }).toMatchObject({
      code: 0,
      verdicts: [
        {
          id,
          verdict: 'ok',
          summary: expect.stringMatching(/; redis 6\.0\.\d+, which runs now, cannot load it$/),
        },
      ],
    });
  });
});

test('a download that ends early leaves a backup unproven, and is not damage that is written down', async () => {
  const { store, faults } = await startFaultyS3();
  const { config, options } = await populated();
  config.rewrite({ ...options, ...s3Repository(config, store, faults.endpoint) });
  const id = await takeBackup(config, '--no-verify');
  // The manifest comes whole.
  faults.plan('GetObject', { kind: 'cut-download', after: 1000 }, { skip: 1 });
  const all = await runAgent([...verify, '--all', '--json'], { config });
  expect(all).toMatchObject({ code: 1, json: { verdicts: [{ id, verdict: 'unproven' }] } });
  faults.reset();
  faults.plan('GetObject', { kind: 'cut-download', after: 1000 }, { skip: 1 });
  const drill = await runAgent(['drill', '--json'], { config });
  expect(drill).toMatchObject({ code: 5, json: { error: { reason: 'truncated' } } });
  faults.reset();
  expect((await runAgent(['backups', 'show', id, '--json'], { config })).json).toMatchObject({
    verifications: [{ level: 'written', ok: true }],
  });
  expect(await runAgent([...verify, '--json'], { config })).toMatchObject({ code: 0 });
});

test('all is --all, not one more id', async () => {
  const { config } = await populated();
  const id = await takeBackup(config, '--no-verify');
  expect((await runAgent([...verify, 'all', '--json'], { config })).json).toMatchObject({
    all: true,
    verdicts: [{ id }],
  });
  const state = openState(config.state, { clock: systemClock, log: memoryLog() });
  expect(lastRun(state, 'main', 'verify', 'ok')).toBeDefined();
  state.close();
});

/** Puts a dump of these records in a backup's place. */
function replaceDump(config: TestConfig, id: string, dump: Buffer, version?: string): void {
  writeFileSync(join(config.repository, 'main', id, 'dump.rdb'), dump);
  editManifest(config, id, (manifest) => {
    manifest.artefacts[0].plain = manifest.artefacts[0].stored = digestOf(dump);
    manifest.server.version = version ?? manifest.server.version;
  });
}

test('--deep does not claim to have decoded what only a newer agent can read', async () => {
  const { config } = await populated({ uncompressed: true });
  const id = await takeBackup(config, '--no-verify');
  // One key of a type of Redis 8.6.
  replaceDump(config, id, rdbOf(Buffer.from([26, 1, 0x6b, 0]), 'REDIS0013'), '8.6.0');
  config.rewrite({ uncompressed: true });
  const summary =
    /^decoded, not every value of it: a stream of Redis 8\.6 .*, SHA-256 and CRC64 right; no deeper/;
  expect(await runAgent([...verify, '--deep', '--json'], { config })).toMatchObject({
    code: 0,
    json: { verdicts: [{ level: 'decoded', summary: expect.stringMatching(summary) as unknown }] },
  });
});

test('data of a module that the scratch server lacks makes the proof less deep, and no failure', async () => {
  const { config } = await populated({ uncompressed: true });
  const id = await takeBackup(config, '--no-verify');
  // A key of a module's type: the id of the type, and the end of its parts.
  replaceDump(config, id, rdbOf(Buffer.from([7, 1, 0x6b, 0x81, 1, 2, 3, 4, 5, 6, 7, 8, 0])));
  const { code, json } = await runAgent([...verify, '--all', '--load', '--json'], { config });
  expect({ code, verdicts: json.verdicts }).toMatchObject({
    code: 0,
    verdicts: [
      { verdict: 'ok', level: 'checked', summary: expect.stringMatching(/; no deeper: .* lacks a module: /) },
    ],
  });
});

describe('the server is down', () => {
  test('the tool of its version on PATH still proves, and loads', async () => {
    const { config, server } = await populated();
    await takeBackup(config, '--no-verify');
    await server.kill('SIGKILL');
    expect(await runAgent([...verify, '--json'], { config })).toMatchObject({
      code: 0,
      json: { verdicts: [{ verdict: 'ok', level: 'checked' }] },
    });
    expect(await runAgent([...verify, '--load', '--json'], { config })).toMatchObject({
      code: 0,
      json: { verdicts: [{ verdict: 'ok', level: 'loaded' }] },
    });
  });

  test('a tool that is killed says nothing of the backup', async () => {
    const { config, server } = await populated();
    await takeBackup(config, '--no-verify');
    await server.kill('SIGKILL');
    const bin = join(config.folder, 'bin');
    mkdirSync(bin);
    // As where memory runs out.
    const script = `#!/bin/sh\n[ "$1" = --version ] && echo ' v=${server.build.version} ' || kill -KILL $$\n`;
    writeFileSync(join(bin, 'redis-check-rdb'), script, { mode: 0o755 });
    const tools = { redis_check_rdb: join(bin, 'redis-check-rdb') };
    config.rewrite({ instances: [{ name: 'main', url: server.url, tools }] });
    const { code, json } = await runAgent([...verify, '--load', '--json'], { config });
    const summary = /; no deeper: redis-check-rdb was ended by SIGKILL before it was done$/;
    expect({ code, verdicts: json.verdicts }).toMatchObject({
      code: 0,
      verdicts: [{ verdict: 'ok', level: 'decoded', summary: expect.stringMatching(summary) as unknown }],
    });
  });

  test('without any tool it is proven by decoding, and says so', async () => {
    const { config, server } = await populated();
    const id = await takeBackup(config, '--no-verify');
    await server.kill('SIGKILL');
    // Of a release that no host has, so that what packages have put there does not matter.
    editManifest(config, id, (manifest) => {
      manifest.server.version = server.build.version.replace(/\d+$/, '999');
    });
    const { code, json } = await runAgent([...verify, '--load', '--json'], { config });
    expect({ code, json }).toMatchObject({
      code: 0,
      json: {
        verdicts: [
          {
            verdict: 'ok',
            level: 'decoded',
            summary: expect.stringMatching(
              /^decoded, SHA-256 and CRC64 right; no deeper: no redis-check-rdb of version/,
            ),
          },
        ],
      },
    });
  });
});

describe('encrypted backups', () => {
  test('without the identity: proven by their stored bytes, and said so', async () => {
    const { recipient } = await makeIdentity();
    const { config } = await populated({ encryption: { recipients: [recipient] } });
    const { code, json } = await runAgent(['backup', '--json'], { config });
    expect({ code, json }).toMatchObject({
      code: 0,
      json: {
        backup: { artefacts: [{ name: 'dump.rdb.zst.age', encryption: { recipients: [recipient] } }] },
        verification: {
          verdict: 'ok',
          level: 'stored',
          summary:
            'every stored byte is right (SHA-256); no deeper: this host has no repository.encryption.age_identity',
        },
      },
    });
  });

  test('with it: proven to the end', async () => {
    const { identity, recipient } = await makeIdentity();
    const { config } = await populated({ encryption: { recipients: [recipient], identity } });
    const { code, json } = await runAgent(['backup', '--json'], { config });
    expect({ code, json }).toMatchObject({
      code: 0,
      json: { verification: { verdict: 'ok', level: 'loaded' } },
    });
  });

  test('with another one: fails, naming the key that it takes', async () => {
    const [right, wrong] = [await makeIdentity(), await makeIdentity()];
    const encryption = { recipients: [right.recipient], identity: wrong.identity };
    const { config } = await populated({ encryption });
    const { code, stdout, stderr } = await runAgent(['backup'], { config });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      `redis-agent: backup ${idsIn(config)[0]} is stored, but then: dump.rdb.zst.age: it cannot be decrypted: no age identity is one of its recipients; set repository.encryption.age_identity to the key of ${right.recipient}\n`,
    );
    // The backup itself is there and sound, as far as can be told.
    expect(await runAgent([...verify, '--quick'], { config })).toMatchObject({ code: 0 });
  });

  test('after a change of keys the older ones do not keep the others from being proven', async () => {
    const [first, second] = [await makeIdentity(), await makeIdentity()];
    const { config, options } = await populated({ encryption: { recipients: [first.recipient] } });
    const older = await takeBackup(config, '--no-verify');
    config.rewrite({ ...options, encryption: { recipients: [second.recipient], identity: second.identity } });
    const newer = await takeBackup(config, '--no-verify');
    const { code, json } = await runAgent([...verify, '--all', '--json'], { config });
    expect({ code, json }).toMatchObject({
      code: 1,
      json: {
        verdicts: [
          {
            id: older,
            verdict: 'unproven',
            summary: expect.stringContaining(`to the key of ${first.recipient}`),
          },
          { id: newer, verdict: 'ok', level: 'checked' },
        ],
      },
    });
    expect(await runAgent(['status'], { config })).toMatchObject({
      code: 3,
      stdout: expect.stringContaining(`backup ${older} cannot be proven`),
    });
  });

  test('an identity file without an identity', async () => {
    const { recipient } = await makeIdentity();
    const { config } = await populated({
      encryption: { recipients: [recipient], identity: '# nothing here' },
    });
    expect(await runAgent(['backup'], { config })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('age_identity'),
    });
  });
});

describe('a repository that changes meanwhile', () => {
  test('a backup that is pruned while all are verified is no damage', async () => {
    const { config } = await populated();
    const last = await takeBackup(config, '--no-verify');
    const first = '20200101T000000Z-0001';
    copyBackup(config, last, first);
    let pruned = false;
    const onStderr = (text: string): void => {
      if (pruned || !text.includes('reading')) return;
      pruned = true;
      rmSync(join(config.repository, 'main', last), { recursive: true });
    };
    const { code, stdout } = await runAgent([...verify, '--all'], { config, terminal: '', onStderr });
    expect(pruned).toBe(true);
    expect(code).toBe(0);
    expect(stdout).toContain(first);
    expect(stdout).not.toContain(last);
    expect(idsIn(config)).toEqual([first]);
  });

  test.skipIf(!canBeNobody)(
    'one file that cannot be read does not keep the others from being proven',
    async () => {
      const { config } = await populated();
      const last = await takeBackup(config, '--no-verify');
      const first = '20200101T000000Z-0001';
      copyBackup(config, last, first);
      execFileSync('chown', ['-R', '65534:65534', config.folder]);
      const closed = join(config.repository, 'main', first, 'dump.rdb.zst');
      chownSync(closed, 0, 0);
      chmodSync(closed, 0o600);
      const all = await spawnAgent([...verify, '--all', '--json'], { config, nobody: true }).ended;
      expect(all).toMatchObject({
        code: 1,
        json: {
          verdicts: [
            {
              id: first,
              verdict: 'unproven',
              summary: expect.stringContaining('permission denied for nobody'),
            },
            { id: last, verdict: 'ok' },
          ],
        },
      });
      const one = await spawnAgent([...verify, first], { config, nobody: true }).ended;
      expect(one).toMatchObject({
        code: 5,
        stderr: expect.stringMatching(/permission denied for nobody; \S+ belongs to root/),
      });
    },
  );

  test('a damaged one does not keep the others, before and after it, from being proven', async () => {
    const { config } = await populated();
    const last = await takeBackup(config, '--no-verify');
    const [first, bad] = ['20200101T000000Z-0001', '20200102T000000Z-0001'];
    copyBackup(config, last, first);
    copyBackup(config, last, bad);
    const stored = join(config.repository, 'main', bad, 'dump.rdb.zst');
    truncateSync(stored, statSync(stored).size >> 1);
    expect(await runAgent([...verify, '--all', '--json'], { config })).toMatchObject({
      code: 6,
      json: {
        verdicts: [
          { id: first, verdict: 'ok' },
          { id: bad, verdict: 'damaged' },
          { id: last, verdict: 'ok' },
        ],
      },
    });
  });

  test('a repository that has gone', async () => {
    const { config } = await populated();
    await takeBackup(config);
    rmSync(config.repository, { recursive: true });
    writeFileSync(config.repository, '');
    for (const args of [['--all'], []])
      expect(await runAgent([...verify, ...args], { config })).toMatchObject({
        code: 5,
        stderr: `redis-agent: cannot open filesystem ${config.repository}: it is no folder; check repository.path\n`,
      });
  });
});

test('nothing is staged or left behind, whatever the verdict', async () => {
  const { config } = await populated();
  const id = await takeBackup(config);
  const scratch = join(config.state, 'scratch');
  expect(readdirSync(scratch)).toEqual([]);
  const stored = join(config.repository, 'main', id, 'dump.rdb.zst');
  const bytes = readFileSync(stored);
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  writeFileSync(stored, bytes);
  expect(await runAgent([...verify, '--load'], { config })).toMatchObject({ code: 6 });
  expect(readdirSync(scratch)).toEqual([]);
  truncateSync(stored, 0);
  expect(await runAgent([...verify, '--load'], { config })).toMatchObject({ code: 6 });
  expect(existsSync(scratch)).toBe(true);
});

test('a backup is proven while all others are being verified, and counts as no run over all', async () => {
  const { config } = await populated();
  const clock = systemClock;
  const lock = takeLock(config.state, { instance: 'main', kind: 'verify', clock });
  try {
    expect(await runAgent(['backup', '--json'], { config })).toMatchObject({
      code: 0,
      json: { verification: { verdict: 'ok', level: 'loaded' } },
    });
  } finally {
    lock.release();
  }
  const state = openState(config.state, { clock, log: memoryLog() });
  expect(lastRun(state, 'main', 'prove', 'ok')).toBeDefined();
  expect(lastRun(state, 'main', 'verify', 'ok')).toBeUndefined();
  state.close();
  expect(await runAgent([...verify, '--all', '--json'], { config })).toMatchObject({ code: 0 });
});

test('a dump that loads, and holds other than the manifest says, is damaged', async () => {
  const { config } = await populated();
  const id = await takeBackup(config, '--no-verify');
  editManifest(config, id, (manifest) => {
    manifest.keyspace.databases = { 0: { keys: 501, expires: 0 } };
  });
  const { code, stdout } = await runAgent([...verify, id, '--load'], { config });
  expect(code).toBe(6);
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain('loaded, but database 0 holds 500 keys instead of 501');
});
