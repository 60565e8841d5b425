import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import {
  editManifest,
  runAgent,
  spawnAgent,
  takeBackup,
  writeConfig,
  canBeNobody,
  copyBackup,
  type TestConfig,
} from '../../support/agent/cli.ts';
import {
  manageServer,
  type ManagedOptions,
  type ManagedServer,
} from '../../support/servers/managed-server.ts';
import { serviceUser } from '../../support/servers/server-user.ts';
import { findBuild, startServer, type ServerBuild } from '../../support/servers/redis-server.ts';

interface Prepared {
  server: ManagedServer;
  config: TestConfig;
  id: string;
  /** DEBUG DIGEST of the backup, and of what came after. */
  backedUp: string;
  before: string;
}

/** A server with a backup and newer data; `service` replaces how it is started. */
async function prepare(
  options: ManagedOptions = {},
  service?: (server: ManagedServer) => unknown,
): Promise<Prepared> {
  const server = await manageServer(options);
  const instance = service === undefined ? server.instance : { ...server.instance, service: service(server) };
  const config = writeConfig({ instances: [instance] });
  await server.call('MSET', 'a', '1', 'b', '2', 'c', '3');
  const backedUp = await digest(server);
  const id = await takeBackup(config, '--no-verify');
  await server.call('SET', 'new', 'x');
  return { server, config, id, backedUp, before: await digest(server) };
}

async function digest(server: { call: ManagedServer['call'] }): Promise<string> {
  return String(await server.call('DEBUG', 'DIGEST'));
}

async function restore(config: TestConfig, ...args: string[]): ReturnType<typeof runAgent> {
  const method = args.includes('--undo') ? [] : ['--method', 'files'];
  return await runAgent(['--json', 'restore', '--yes', ...method, ...args], { config });
}

function buildOf(engine: 'redis' | 'valkey', version: string): ServerBuild {
  const build = findBuild(engine, version);
  if (build === undefined) throw new Error(`no ${engine} ${version} here: scripts/fetch-servers`);
  return build;
}

function remove(path: string): void {
  rmSync(path, { recursive: true });
}

/** A start command that the first time does something else with `$1` (server) and `$2` (configuration). */
function startingOnce(first: string): (server: ManagedServer) => { start: string[] } {
  return (server) => {
    const script = join(dirname(server.dir), 'start');
    writeFileSync(`${script}.once`, '');
    writeFileSync(
      script,
      `#!/bin/sh\nif [ -e ${script}.once ]; then rm ${script}.once; ${first}; fi\nexec "$@"\n`,
    );
    chmodSync(script, 0o755);
    return { start: [script, server.build.server, server.configFile], ...serviceUser };
  };
}

test('on redis-7.0: a server that holds fewer keys than it should goes back to the old data', async () => {
  const wrong = 'exec "$1" "$2" --dbfilename nothing.rdb --appendonly no';
  const { server, config, before } = await prepare({ build: buildOf('redis', '7.0') }, startingOnce(wrong));
  const { code, json } = await restore(config);
  expect({ code, ...json.error }).toMatchObject({ code: 'failed', reason: 'rolled-back' });
  expect(json.error.message).toMatch(
    /^the server does not serve backup \S+: no key was loaded|0 keys were loaded instead of 3/,
  );
  expect(json.error.message).toContain('the old data is in its place and served');
  await server.reconnect();
  expect(await digest(server)).toBe(before);
  // What did not serve is kept too, and named.
  const kept = readdirSync(server.dir).filter((name) => name.includes('.from-restore-'));
  expect(kept).toHaveLength(1);
  expect(json.error.hint).toContain(
    `what did not serve is kept, to be removed by hand: ${join(server.dir, kept[0]!)}`,
  );
});

test('on redis-6.0: the same by its key counts, since it does not tell what it has loaded', async () => {
  const wrong = 'exec "$1" "$2" --dbfilename nothing.rdb --appendonly no';
  const { server, config, before } = await prepare({ build: buildOf('redis', '6.0') }, startingOnce(wrong));
  const { json } = await restore(config);
  expect(json.error.message).toContain('database 0 holds 0 keys instead of 3');
  await server.reconnect();
  expect(await digest(server)).toBe(before);
});

test.each(['no', 'yes'])(
  'a server that does not come up goes back, with its own last words (AOF %s)',
  async (aof) => {
    const files = aof === 'yes' ? 'appendonlydir/*.base.rdb' : 'dump.rdb';
    const breaking = `for f in $(dirname "$2")/data/${files}; do printf broken > "$f.new"; mv "$f.new" "$f"; done`;
    const { server, config, before } = await prepare(
      { build: buildOf('redis', '8.0'), config: { appendonly: aof } },
      startingOnce(breaking),
    );
    const { code, json } = await restore(config);
    expect(code).toBe(1);
    expect(json.error).toMatchObject({ reason: 'rolled-back' });
    expect(json.error.message).toMatch(/ended with status 1/);
    expect(json.error.message).toMatch(/The server's log:\n {2}.*(?:Short read|Bad file format)/is);
    await server.reconnect();
    expect(await digest(server)).toBe(before);
  },
);

test('an RDB-only server whose configuration says appendonly yes is restored for its next start', async () => {
  const { server, config, backedUp, before } = await prepare({ build: buildOf('redis', '7.0') });
  server.configure({ appendonly: 'yes' });
  const planned = await runAgent(['--json', 'restore', '--method', 'files', '--dry-run'], { config });
  expect(planned.json.plan.layout.authority).toBe('multi');
  expect(planned.json.plan.notes.join()).toMatch(/appendonly is no now, and yes after the restart/);
  const restored = await restore(config);
  expect(restored).toMatchObject({ code: 0, json: { outcome: 'restored' } });
  await server.reconnect();
  expect(await digest(server)).toBe(backedUp);
  await server.restart();
  expect(await digest(server)).toBe(backedUp);
  // And back: the old data was in dump.rdb only, and a start that reads an AOF must find it all the same.
  expect(await restore(config, '--undo')).toMatchObject({ code: 0, json: { outcome: 'undone' } });
  await server.reconnect();
  expect(await digest(server)).toBe(before);
  await server.restart();
  expect(await digest(server)).toBe(before);
});

test('the same when what was restored does not serve', async () => {
  const wrong = 'exec "$1" "$2" --dbfilename nothing.rdb --appendonly no';
  const { server, config, before } = await prepare({ build: buildOf('redis', '7.0') }, startingOnce(wrong));
  server.configure({ appendonly: 'yes' });
  expect(await restore(config)).toMatchObject({ code: 1, json: { error: { reason: 'rolled-back' } } });
  await server.reconnect();
  expect(await server.call('CONFIG', 'GET', 'appendonly')).toEqual(['appendonly', 'yes']);
  expect(await digest(server)).toBe(before);
});

test('a server that runs with an AOF and whose configuration says no', async () => {
  const { server, config, backedUp, before } = await prepare({ build: buildOf('redis', '8.0') });
  await server.call('CONFIG', 'SET', 'appendonly', 'yes');
  await expect
    .poll(async () => String(await server.call('INFO', 'persistence')))
    .toContain('aof_rewrite_in_progress:0');
  await server.call('SET', 'only in the AOF', 'x');
  await server.call('DEL', 'only in the AOF');
  expect(await restore(config)).toMatchObject({ code: 0 });
  await server.reconnect();
  expect(await digest(server)).toBe(backedUp);
  // Turned on again without a rewrite, nothing old may be in the AOF's place.
  expect(existsSync(join(server.dir, 'appendonlydir'))).toBe(false);
  expect(await restore(config, '--undo')).toMatchObject({ code: 0 });
  await server.reconnect();
  expect(await digest(server)).toBe(before);
});

test.each(['7.0', '6.0'])('on redis-%s: other file names, and leftovers of another time', async (version) => {
  const names = {
    appendfilename: '"my journal.aof"',
    dbfilename: '"my data.rdb"',
    ...(version === '6.0' ? {} : { appenddirname: '"my aofs"' }),
  };
  const { server, config, backedUp } = await prepare({
    build: buildOf('redis', version),
    config: { appendonly: 'yes', ...names },
  });
  // One file where 7.0 has a folder, and a folder where 6.0 knows none.
  if (version === '6.0') mkdirSync(join(server.dir, 'appendonlydir'));
  else writeFileSync(join(server.dir, 'my journal.aof'), '*3\r\n$3\r\nSET\r\n$3\r\nold\r\n$1\r\nx\r\n');
  const { code, json } = await restore(config);
  expect({ code, json }).toMatchObject({ code: 0 });
  expect(json.set_aside).toHaveLength(3);
  await server.reconnect();
  expect(await digest(server)).toBe(backedUp);
  await server.restart();
  expect(await digest(server)).toBe(backedUp);
});

test('AOF off, with the folder of an AOF that once was', async () => {
  const { server, config, backedUp } = await prepare({ build: buildOf('redis', '8.0') });
  mkdirSync(join(server.dir, 'appendonlydir'));
  writeFileSync(join(server.dir, 'appendonly.aof'), 'old');
  const { json } = await restore(config);
  expect(
    json.set_aside.map((path: string) => path.replace(/.*\/(.*)\.before-restore-.*/, '$1')).toSorted(),
  ).toEqual(['appendonly.aof', 'appendonlydir', 'dump.rdb']);
  await server.reconnect();
  server.configure({ appendonly: 'yes' });
  await server.call('CONFIG', 'SET', 'appendonly', 'yes');
  expect(await digest(server)).toBe(backedUp);
});

test.each(['no', 'yes'])(
  'a server that is down, its state gone, and nothing in its folder (AOF %s)',
  async (aof) => {
    const { server, config, backedUp } = await prepare({ config: { appendonly: aof } });
    await server.kill();
    for (const name of readdirSync(server.dir)) if (name !== '') remove(join(server.dir, name));
    remove(config.state);
    const { code, json } = await restore(config);
    expect(code).toBe(0);
    expect(json.set_aside).toEqual([]);
    await server.reconnect();
    expect(await digest(server)).toBe(backedUp);
    await server.restart();
    expect(await digest(server)).toBe(backedUp);
  },
);

test('owner and mode of the files are those of the files before', async () => {
  const { server, config } = await prepare({ config: { appendonly: 'yes' } });
  chmodSync(join(server.dir, 'dump.rdb'), 0o604);
  await restore(config);
  expect(statSync(join(server.dir, 'dump.rdb')).mode & 0o777).toBe(0o604);
  const manifest = join(server.dir, 'appendonlydir/appendonly.aof.manifest');
  expect(readFileSync(manifest, 'utf8')).toMatch(/^file appendonly\.aof\.1\.base\.rdb seq 1 type b\n/);
});

test('a damaged backup, a full disk: refused before anything is touched', async () => {
  const { server, config, id, before } = await prepare();
  const pids = await server.pids();
  editManifest(config, id, (manifest) => (manifest.keyspace.databases[0].keys = 99));
  expect(await restore(config)).toMatchObject({ code: 6, json: { error: { code: 'damaged' } } });
  editManifest(config, id, (manifest) => (manifest.artefacts[0].plain.bytes = 2 ** 50));
  expect(await restore(config)).toMatchObject({
    code: 1,
    json: { error: { reason: 'full', message: expect.stringMatching(/ beside 64 MiB that stay free/) } },
  });
  expect(await server.pids()).toEqual(pids);
  expect(await digest(server)).toBe(before);
  expect(readdirSync(server.dir).filter((name) => name.includes('before'))).toEqual([]);
});

test('what speaks against it is said at once, and each with its flag', async () => {
  const { server, config, id, before } = await prepare({ build: buildOf('redis', '7.0') });
  const replica = await startServer({
    build: server.build,
    config: { replicaof: `127.0.0.1 ${new URL(server.url).port}` },
  });
  await expect
    .poll(() => replica.call('INFO', 'replication').then(String))
    .toContain('master_link_status:up');
  for (let key = 0; key < 200; key++) await server.call('SET', `key:${key}`, 'x');
  const older = '20200101T000000Z-0000';
  copyBackup(config, id, older);
  editManifest(config, older, (manifest) => {
    manifest.snapshot_at = '2020-01-01T00:00:00.000Z';
    manifest.rdb_version = 12;
  });
  remove(join(config.repository, 'main', id));
  server.configure({ maxmemory: '900kb' });
  const refused = await restore(config);
  expect(refused).toMatchObject({ code: 7, json: { error: { code: 'refused' } } });
  const flags = ['replicas', 'old', 'fewer-keys', 'newer-rdb', 'small-maxmemory'].map(
    (name) => `--allow-${name}`,
  );
  expect(refused.json.error.message).toContain('1 replica is attached, which copies whatever');
  expect(refused.json.error.hint).toMatch(new RegExp(`to insist: ${flags.join(' ')}$`));
  const planned = await runAgent(['restore', '--method', 'files', '--dry-run'], { config });
  expect(planned.code).toBe(0);
  for (const flag of flags) expect(planned.stdout).toContain(flag);
  expect(planned.stdout).toContain('nothing was changed');
  expect(await digest(server)).not.toBe(before);
  expect(await restore(config, ...flags)).toMatchObject({ code: 0 });
  const onReplica = writeConfig({
    instances: [{ name: 'main', url: replica.url }],
    repository: { type: 'filesystem', path: config.repository },
  });
  expect(await restore(onReplica, '--allow-old', '--allow-newer-rdb')).toMatchObject({
    code: 7,
    json: { error: { reason: 'replica' } },
  });
});

test('a server whose data is in another place than its next start reads is not taken for it', async () => {
  const { server, config } = await prepare();
  server.configure({ dbfilename: 'other.rdb' });
  expect(await restore(config)).toMatchObject({ code: 7, json: { error: { reason: 'moved' } } });
});

test('it asks, and a no changes nothing', async () => {
  const { server, config, before } = await prepare();
  const answer = await runAgent(['restore', '--method', 'files'], { config, terminal: 'n\n' });
  expect(answer.code).toBe(0);
  expect(answer.stderr).toContain('Restore main?');
  // The plan was seen before the question.
  expect(answer.stdout).toBe('nothing was changed\n');
  expect(await digest(server)).toBe(before);
  expect(await runAgent(['restore', '--method', 'files'], { config })).toMatchObject({ code: 2 });
});

test('only fetched: a file of one’s own, never over another', async () => {
  const { config, id } = await prepare();
  const target = join(config.folder, 'new/place');
  const { code, json } = await runAgent(['--json', 'restore', '--to', target], { config });
  expect(code).toBe(0);
  expect(json).toMatchObject({ backup: id, file: join(target, `${id}.rdb`) });
  expect(statSync(json.file).mode & 0o777).toBe(0o600);
  expect(readFileSync(json.file).subarray(0, 5).toString()).toBe('REDIS');
  const again = await runAgent(['--json', 'restore', '--to', target], { config });
  expect(again).toMatchObject({ code: 7, json: { error: { reason: 'exists' } } });
  expect(readdirSync(target)).toEqual([`${id}.rdb`]);
});

test.skipIf(!canBeNobody)('without the rights it says how to get them', async () => {
  const { server, config, before } = await prepare();
  execFileSync('chmod', ['-R', 'a+rX', config.repository, config.path]);
  execFileSync('chown', ['-R', '65534', config.state]);
  const result = await spawnAgent(['--json', 'restore', '--method', 'files', '--yes'], {
    config,
    nobody: true,
  }).ended;
  expect(result).toMatchObject({ code: 7, json: { error: { reason: 'rights' } } });
  expect(result.json.error.hint).toContain('sudo redis-agent restore');
  expect(await digest(server)).toBe(before);
});
