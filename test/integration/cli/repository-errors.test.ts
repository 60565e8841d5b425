import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  canBeNobody,
  idsIn,
  runAgent,
  spawnAgent,
  takeBackup,
  writeConfig,
  type AgentResult,
  type ConfigOptions,
  type TestConfig,
} from '../../support/agent/cli.ts';
import {
  startFaultServer,
  type Fault,
  type FaultServer,
  type S3Call,
} from '../../support/stores/fault-server.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';
import { startFauxqs, type S3TestServer } from '../../support/stores/s3-servers.ts';
import { isRoot, tinyFileSystem } from '../backup/snapshot/support.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
  // 3 MiB that do not compress.
  for (let count = 0; count < 4; count++)
    await server.call('SET', `key:${count}`, randomBytes(768 * 1024).toString('latin1'));
});
afterAll(async () => {
  await server.stop();
});

/** One line that matches, exit status 5. */
function expectRefused({ code, stdout, stderr }: AgentResult, text: RegExp): void {
  expect(stderr).toMatch(text);
  expect({ code, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({
    code: 5,
    stdout: '',
    lines: 1,
  });
}

const fromRepository = [
  ['backup'],
  ['backups', 'list'],
  ['backups', 'verify', '--all'],
  ['backups', 'prune', '--yes'],
];

describe('a folder', () => {
  test('that is a file', async () => {
    const config = writeConfig({ server });
    writeFileSync(config.repository, 'in the way');
    for (const args of fromRepository)
      expectRefused(
        await runAgent(args, { config }),
        /^redis-agent: cannot open filesystem \S+repository: it is no folder; check repository.path\n$/,
      );
    const { code, json } = await runAgent(['backup', '--json'], { config });
    expect({ code, json }).toMatchObject({
      code: 5,
      json: { error: { code: 'repository', reason: 'unavailable' } },
    });
    // Seen by those who only look at the status, also when the folder is there again.
    const status = await runAgent(['status', '--json'], { config });
    expect(status).toMatchObject({ code: 5, json: [{ backups: { code: 'repository' } }] });
    rmSync(config.repository);
    expect(await runAgent(['status', '--json'], { config })).toMatchObject({
      code: 3,
      json: [{ findings: expect.arrayContaining([expect.objectContaining({ rule: 'backup-failed' })]) }],
    });
    await takeBackup(config);
  });

  test('the prefix of the instance is a file', async () => {
    const config = writeConfig({ server });
    await takeBackup(config);
    rmSync(join(config.repository, 'main'), { recursive: true });
    writeFileSync(join(config.repository, 'main'), 'in the way');
    expectRefused(await runAgent(['backup'], { config }), /^redis-agent: cannot put main\/.*: /);
    expect(statSync(join(config.repository, 'main')).isFile()).toBe(true);
  });

  test.skipIf(!canBeNobody)('that this user may not write, enter or read', async () => {
    const config = writeConfig({ server });
    execFileSync('mkdir', [config.repository, config.state]);
    execFileSync('chown', ['65534:65534', config.state, config.path]);
    // The server's folder must be open, or that is what is said first.
    chmodSync(server.dir, 0o755);
    const run = (args: string[]): Promise<AgentResult> => spawnAgent(args, { config, nobody: true }).ended;
    chmodSync(config.repository, 0o755);
    expectRefused(
      await run(['backup']),
      /permission denied for nobody; \S+repository belongs to root:root, mode 0755: give nobody access/,
    );
    chmodSync(config.repository, 0o700);
    for (const args of fromRepository)
      expectRefused(
        await run(args),
        /permission denied for nobody; \S+repository belongs to root:root, mode 0700/,
      );
    expect(readdirSync(config.repository)).toEqual([]);
  });

  test.skipIf(!isRoot)('full before the backup: told before anything is stored', async () => {
    const repository = tinyFileSystem('2m');
    const config = writeConfig({ server, repository: { type: 'filesystem', path: repository } });
    expectRefused(
      await runAgent(['backup'], { config }),
      / has \S+ \S+ free, and a backup needs about .*; free some space/,
    );
    // Whoever then asks what is wrong is told the same.
    expect(await runAgent(['check'], { config })).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(
        /room to store\s+failed\s+.* free, and a backup needs about .*; free some/,
      ),
    });
    expect(readdirSync(repository)).toEqual([]);
    // The same with more room.
    execFileSync('mount', ['-o', 'remount,size=16m', repository]);
    await takeBackup(config);
  });

  test.skipIf(!isRoot)('what compression has saved so far is not counted on without it', async () => {
    await using soft = await startServer({ config: { rdbcompression: 'no' } });
    for (let count = 0; count < 6; count++) await soft.call('SETRANGE', `key:${count}`, 2 ** 20, 'x');
    const path = tinyFileSystem('6m');
    const options = { server: soft, repository: { type: 'filesystem', path } };
    const config = writeConfig(options);
    await takeBackup(config);
    config.rewrite({ ...options, uncompressed: true });
    expectRefused(await runAgent(['backup'], { config }), /, and a backup needs about 7\.0 MiB; /);
    execFileSync('mount', ['-o', 'remount,size=9m', path]);
    await takeBackup(config);
  });

  test.skipIf(!isRoot)(
    'full in the middle of it: no half backup is listed, and the next one goes well',
    async () => {
      const repository = tinyFileSystem('16m');
      const config = writeConfig({ server, repository: { type: 'filesystem', path: repository } });
      const first = await takeBackup(config);
      const ballast = join(repository, 'ballast');
      let filled = false;
      // When it begins to store, there is room no more.
      const onStderr = (text: string): void => {
        if (filled || !text.includes('storing')) return;
        filled = true;
        execFileSync('sh', ['-c', `dd if=/dev/zero of=${ballast} bs=64k 2>/dev/null || :`]);
      };
      const result = await runAgent(['backup', '--no-color'], { config, terminal: '', onStderr });
      expect({ filled, stderr: result.stderr }).toMatchObject({ filled: true });
      expect(result.code).toBe(5);
      expect(result.stderr).toContain('no space left on the file system; free space');
      expect(readdirSync(join(repository, 'main'))).toEqual([first]);
      expect(await runAgent(['backups', 'list'], { config })).toMatchObject({ code: 0 });
      rmSync(ballast);
      await takeBackup(config);
      expect(
        readdirSync(repository, { recursive: true }).filter((name) => String(name).includes('.tmp-')),
      ).toEqual([]);
    },
  );

  test.skipIf(!isRoot)('full when only the manifest is missing: the artefact is taken back', async () => {
    const repository = tinyFileSystem('8m');
    const config = writeConfig({ server, repository: { type: 'filesystem', path: repository } });
    // Two folders, the artefact, the report and the configuration, each with its temporary name while it is written: no room for more.
    execFileSync('mount', ['-o', 'remount,nr_inodes=11', repository]);
    const free = (): number =>
      Number(execFileSync('stat', ['-f', '-c', '%d', repository], { encoding: 'utf8' }).trim());
    while (free() > 6) writeFileSync(join(repository, `ballast-${free()}`), '');
    expectRefused(
      await runAgent(['backup'], { config }),
      /manifest.json in .*: no space left on the file system/,
    );
    expect(existsSync(join(repository, 'main'))).toBe(false);
    execFileSync('mount', ['-o', 'remount,nr_inodes=100', repository]);
    await takeBackup(config);
  });
});

describe('S3', () => {
  let store: S3TestServer;
  let faults: FaultServer;
  beforeAll(async () => {
    store = await startFauxqs();
    faults = await startFaultServer(store.endpoint);
  });
  afterAll(async () => {
    await faults.stop();
    await store.stop();
  });

  function configure(overrides: Record<string, unknown> = {}): TestConfig {
    const config = writeConfig({ server });
    config.rewrite({ server, ...repositoryOf(config, overrides) });
    onTestFinished(() => faults.reset());
    return config;
  }

  function repositoryOf(config: TestConfig, overrides: Record<string, unknown>): ConfigOptions {
    return {
      repository: {
        type: 's3',
        bucket: store.bucket,
        prefix: config.folder.slice(1).replaceAll('/', '-'),
        endpoint: faults.endpoint,
        credentials: {
          access_key_id: config.secret('s3-id', 'AKIA-FOR-THIS-TEST'),
          secret_access_key: config.secret('s3-key', 'secret-key-for-this-test'),
        },
        ...overrides,
      },
    };
  }

  test('there is no such bucket', async () => {
    const config = configure({ bucket: 'no-such-bucket' });
    for (const args of fromRepository)
      expectRefused(
        await runAgent(args, { config }),
        /^redis-agent: cannot \w+ .*: there is no bucket no-such-bucket at http:\S+; create it, or check repository.bucket, region and endpoint\n$/,
      );
  });

  test.each<[string, S3Call, Fault, RegExp]>([
    [
      'denied',
      'ListObjects',
      { kind: 'answer', status: 403, code: 'AccessDenied' },
      /grant s3:ListBucket on /,
    ],
    [
      'the wrong key',
      'ListObjects',
      { kind: 'answer', status: 403, code: 'SignatureDoesNotMatch' },
      /does not accept the credentials \(SignatureDoesNotMatch\); check repository.credentials/,
    ],
    [
      'clocks apart',
      'ListObjects',
      { kind: 'answer', status: 403, code: 'RequestTimeTooSkewed' },
      /clocks of this host and of the server are too far apart; set this host’s clock/,
    ],
    [
      'may not write',
      'PutObject',
      { kind: 'answer', status: 403, code: 'AccessDenied' },
      /cannot put .*grant s3:PutObject on /,
    ],
  ])('%s', async (_, call, fault, text) => {
    const config = configure();
    faults.plan(call, fault);
    expectRefused(await runAgent(['backup'], { config }), text);
    faults.reset();
    const { json } = await runAgent(['backups', 'list', '--json'], { config });
    expect(json).toMatchObject({ backups: [], foreign: [] });
    await takeBackup(config);
  });

  test('nothing listens there', async () => {
    const config = configure({ endpoint: 'http://127.0.0.1:1' });
    expectRefused(
      await runAgent(['backup'], { config }),
      /cannot reach http:\/\/127.0.0.1:1: .*; check repository.endpoint and proxy, the network and the firewall/,
    );
    expect(idsIn(config)).toEqual([]);
  });

  test('something else than S3 answers there', async () => {
    const config = configure();
    faults.plan('ListObjects', { kind: 'answer', status: 200, body: '<html>welcome</html>' });
    for (const args of [['backup'], ['backups', 'list'], ['backups', 'verify', '--all']])
      expectRefused(
        await runAgent(args, { config }),
        /cannot list .*: the answer is not a listing of S3; check that/,
      );
    faults.plan('HeadObject', { kind: 'answer', status: 200, body: '' });
    expect(await runAgent(['check'], { config })).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(
        /repository\s+failed\s+cannot list .*: the answer is not a listing of S3/,
      ),
    });
  });
});
