import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findProfile } from '../../../src/formats/acl/profiles/index.ts';
import { profileRules } from '../../../src/formats/acl/profiles/rules.ts';
import { sha256 } from '../../../src/harden/read/hash.ts';
import { rotatePasswordJob } from '../../../src/jobs/harden/rotate-password-job.ts';
import { rotationSteps } from '../../../src/jobs/harden/rotate/journal.ts';
import { connectRedis, type Reply } from '../../../src/redis/connection/connect.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { knownSecrets, runAgent, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { openApp } from '../../support/agent/open-app.ts';
import { everything, sampled } from '../../support/house/tier.ts';
import { killRotation } from '../../support/rotation/kill-rotation.ts';
import { startWriter } from '../../support/rotation/writer.ts';
import {
  defaultBuild,
  edgeBuilds,
  startServer,
  type ServerBuild,
  type TestServer,
} from '../../support/servers/redis-server.ts';
import { shareCertificates } from '../../support/servers/certificates.ts';
import { freePort } from '../../support/servers/free-port.ts';
import { startSentinels, until } from '../../support/servers/sentinels.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { giveToServer } from '../../support/servers/server-user.ts';

const old = 'the-old-password-of-the-application';
const hashOf = (server: TestServer, user: string): Promise<string[]> =>
  server
    .call('ACL', 'GETUSER', user)
    .then((reply) =>
      Array.isArray(reply) ? [reply[reply.indexOf('passwords') + 1]].flat().map(String) : [],
    );
const read = (path: string): string => readFileSync(path, 'utf8');

function folder(): string {
  const made = makeTempFolder();
  onTestFinished(() => removeTempFolder(made));
  return made;
}

/** A server with an aclfile that has the user app, and a file with its password. */
async function withApp(
  build: ServerBuild,
  rules = '~* +@all',
): Promise<{ server: TestServer; aclfile: string; config: TestConfig; secretFile: string }> {
  const at = folder();
  const aclfile = join(at, 'users.acl');
  const channels = build.version.startsWith('6.0') ? '' : ' &*';
  const lines = `user default on nopass ~*${channels} +@all\r\n\nuser app on  >${old} ${rules}\nuser other on #${'b'.repeat(64)} ~o:* -@all +get`;
  writeFileSync(aclfile, lines, { mode: 0o640 });
  giveToServer(at);
  const server = await startServer({ build, config: { aclfile } });
  const config = writeConfig({ server });
  const secretFile = join(config.folder, 'app.secret');
  writeFileSync(secretFile, `${old}\n`, { mode: 0o640 });
  knownSecrets.add(old);
  return { server, aclfile, config, secretFile };
}

async function login(
  server: TestServer,
  username: string,
  password: string,
  ...words: string[]
): Promise<Reply> {
  const connection = await connectRedis({
    name: 'as the application',
    url: server.url,
    username,
    password: new Secret(password),
  });
  try {
    const [command = 'PING', ...args] = words;
    return await connection.call(command, ...args);
  } finally {
    connection.close();
  }
}

test('--by-hand: stops while both are valid, prints the line for the file, and goes on', async () => {
  const { server, aclfile, config, secretFile } = await withApp(defaultBuild());
  // From here on nobody can see where it keeps its users.
  rmSync(server.configFile);
  const ask = ['rotate-password', 'app', '--secret-file', secretFile, '--wait', '0', '--yes'];
  const refused = await runAgent(ask, { config });
  expect(refused.code).toBe(7);
  expect(refused.stderr).toContain('--by-hand');
  const plan = await runAgent([...ask, '--by-hand', '--dry-run', '--json'], { config });
  expect(plan.json).toMatchObject({ dry_run: true, waits: false, by_hand: [{ line: null }] });
  const first = await runAgent([...ask, '--by-hand'], { config });
  expect(first.code, first.stderr).toBe(0);
  const secret = read(secretFile).trim();
  const both = first.stdout.split('\n').find((line) => line.startsWith('user app on '));
  expect(both).toContain(`#${sha256(secret)}`);
  expect(both).toContain(`#${sha256(old)}`);
  expect(first.stdout).toContain('run the same command again');
  await login(server, 'app', old);
  await login(server, 'app', secret);
  // One that is started anew before its file was changed knows the old one alone: it is told again.
  await server.call('ACL', 'SETUSER', 'app', `!${sha256(secret)}`);
  const { json, code } = await runAgent([...ask, '--json'], { config });
  expect(code).toBe(0);
  expect(json).toMatchObject({ waits: false, refused: [] });
  expect(json.by_hand[0].line).toContain(`#${sha256(secret)}`);
  expect(json.by_hand[0].line).not.toContain(sha256(old));
  expect(read(secretFile).trim()).toBe(secret);
  expect(read(aclfile)).toContain(old);
  await login(server, 'app', secret);
  await expect(login(server, 'app', old)).rejects.toMatchObject({ code: 'redis' });
});

describe.each(edgeBuilds())('$name', (build) => {
  test('a writer goes on through it and loses nothing; the file is the same but for the hash', async () => {
    const { server, aclfile, config, secretFile } = await withApp(build);
    const before = { text: read(aclfile), stats: statSync(aclfile), secret: statSync(secretFile) };
    const dry = await runAgent(['rotate-password', 'app', '--secret-file', secretFile, '--dry-run'], {
      config,
    });
    expect(dry.stdout).toContain('app would get a new password on 1 server');
    expect(read(aclfile)).toBe(before.text);
    // Not even its inode is another, and nobody has heard of a new password.
    expect(statSync(aclfile)).toEqual(before.stats);
    // That it can be read was tried.
    const { ino, mtimeMs, ctimeMs } = before.secret;
    expect(statSync(secretFile)).toMatchObject({ ino, mtimeMs, ctimeMs });
    expect(await hashOf(server, 'app')).toEqual([sha256(old)]);
    expect(existsSync(join(config.state, 'rotations'))).toBe(false);
    const writer = await startWriter(server.port, 'app', secretFile);
    const { code, json } = await runAgent(
      ['rotate-password', 'app', '--secret-file', secretFile, '--wait', '2s', '--yes', '--json'],
      { config },
    );
    expect(code).toBe(0);
    // Fifteen never make a connection anew by themselves.
    expect(json.stragglers.length).toBe(15);
    expect(json.stragglers[0]).toMatchObject({ name: 'writer', node: `127.0.0.1:${server.port}` });
    const confirmed = writer.confirmed();
    await until(() => Promise.resolve(writer.confirmed() > confirmed + 200));
    await writer.stop();
    expect(writer.failures).toEqual([]);
    expect(await server.call('DBSIZE')).toBe(writer.confirmed());
    const secret = read(secretFile).trim();
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(await hashOf(server, 'app')).toEqual([sha256(secret)]);
    expect(read(aclfile)).toBe(
      before.text
        .replace(` >${old}`, '')
        .replace('~* +@all\nuser other', `~* +@all #${sha256(secret)}\nuser other`),
    );
    for (const [path, was] of [
      [aclfile, before.stats],
      [secretFile, before.secret],
    ] as const)
      expect([statSync(path).mode, statSync(path).uid, statSync(path).gid]).toEqual([
        was.mode,
        was.uid,
        was.gid,
      ]);
    await expect(login(server, 'app', old)).rejects.toThrow(/password/);
    await server.restart();
    expect(await login(server, 'app', secret)).toBe('PONG');
    // The reminder counts from it, and nothing is left of it.
    const history = await runAgent(['maintenance', 'history', '--json'], { config });
    expect(JSON.stringify(history.json)).toContain('rotate-password app');
    expect(readdirSync(join(config.state, 'rotations'))).toEqual([]);
  });

  test('who has the old one still is named, and nobody who was refused before that went', async () => {
    const { server, config, secretFile } = await withApp(build);
    const hook = join(folder(), 'tell');
    const wrong = `${build.cli} -p ${server.port} --user app --pass never-was-one PING`;
    writeFileSync(hook, `#!/bin/sh\ncat >/dev/null\n${wrong} >/dev/null 2>&1\nexit 0\n`, { mode: 0o755 });
    const words = ['--secret-file', secretFile, '--hook', hook, '--wait', '0', '--yes', '--json'];
    const quiet = await runAgent(['rotate-password', 'app', ...words], { config });
    expect(String(await server.call('ACL', 'LOG'))).toContain('auth');
    expect([quiet.code, quiet.json.refused]).toEqual([0, []]);
    // It connects anew at once, with the old one; the server adds that to the line of those of the hook.
    const stale = new Redis({
      port: server.port,
      username: 'app',
      password: read(secretFile).trim(),
      retryStrategy: () => 10,
    });
    stale.on('error', () => undefined);
    onTestFinished(() => stale.disconnect());
    await stale.ping();
    const { json, code } = await runAgent(['rotate-password', 'app', ...words], { config });
    expect(code).toBe(3);
    expect(json.refused[0]).toMatchObject({ node: `127.0.0.1:${server.port}`, times: expect.any(Number) });
  });
});

test('what somebody has taken back meanwhile is put there again by the same command', async () => {
  const { server, config, secretFile } = await withApp(defaultBuild());
  await killRotation({
    config: config.path,
    killAt: 'by-hand',
    moment: 'before',
    user: 'app',
    secretFiles: [secretFile],
    sentinels: [],
  });
  await server.call('ACL', 'SETUSER', 'app', `!${sha256(read(secretFile).trim())}`);
  const { code, stderr } = await runAgent(['rotate-password', 'app', '--wait', '0', '--yes'], { config });
  expect(stderr + code).toBe('0');
  expect(await login(server, 'app', read(secretFile).trim())).toBe('PONG');
});

describe('killed', () => {
  const moments = rotationSteps.flatMap((step) => [['before', step] as const, ['after', step] as const]);
  test.each(sampled(moments, 6))(
    '%s the work of %s: the password in the file logs in, and the same command ends it',
    async (moment, step) => {
      const { server, aclfile, config, secretFile } = await withApp(defaultBuild());
      await killRotation({
        config: config.path,
        killAt: step,
        moment,
        user: 'app',
        secretFiles: [secretFile],
        sentinels: [],
      });
      expect(await login(server, 'app', read(secretFile).trim())).toBe('PONG');
      expect((await hashOf(server, 'app')).length).toBeLessThanOrEqual(2);
      await server.restart();
      expect(await login(server, 'app', read(secretFile).trim())).toBe('PONG');
      const args =
        existsSync(join(config.state, 'rotations')) &&
        readdirSync(join(config.state, 'rotations')).some((name) => name.endsWith('.json'))
          ? []
          : ['--secret-file', secretFile];
      const { code, stderr } = await runAgent(['rotate-password', 'app', ...args, '--wait', '0', '--yes'], {
        config,
      });
      expect(stderr + code).toBe('0');
      const secret = read(secretFile).trim();
      expect(await hashOf(server, 'app')).toEqual([sha256(secret)]);
      expect(read(aclfile).match(/user app.*/)?.[0]).toBe(`user app on  ~* +@all #${sha256(secret)}`);
      expect(readdirSync(join(config.state, 'rotations'))).toEqual([]);
    },
  );
});

test.skipIf(process.getuid?.() !== 0)(
  'a full disk at each write: whoever reads the file gets in, and the same command ends it when there is room',
  async () => {
    const at = folder();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', at]);
    onTestFinished(() => void execFileSync('umount', ['--lazy', at]));
    const aclfile = join(at, 'users.acl');
    const secretFile = join(at, 'app.secret');
    const filler = join(at, 'filler');
    writeFileSync(aclfile, `user default on nopass ~* &* +@all\nuser app on >${old} ~* +@all\n`, {
      mode: 0o640,
    });
    giveToServer(at);
    writeFileSync(secretFile, `${old}\n`, { mode: 0o600 });
    giveToServer(at);
    knownSecrets.add(old);
    const server = await startServer({ config: { aclfile } });
    const app = await openApp(writeConfig({ server }));
    onTestFinished(() => app.close());
    const rotate = (fullAt?: string): Promise<unknown> =>
      app.run(
        rotatePasswordJob,
        app.instance(undefined),
        {
          user: 'app',
          secretFiles: [secretFile],
          sentinels: [],
          nodes: [],
          hooks: [],
          byHand: false,
          admin: undefined,
          own: { username: undefined, password: undefined },
          wait: 0,
          dryRun: false,
          by: 'test',
          onStep(step, moment) {
            if (step !== fullAt || moment !== 'before') return;
            try {
              for (;;) appendFileSync(filler, Buffer.alloc(4096, 1));
            } catch {
              // Full.
            }
          },
        },
        { signal: new AbortController().signal, progress: { report() {} } },
      );
    for (const step of ['keep', 'hand-over', 'keep-new']) {
      const before = read(aclfile);
      await expect(rotate(step), step).rejects.toThrow(/no space|ENOSPC/i);
      expect(await login(server, 'app', read(secretFile).trim()), step).toBe('PONG');
      expect(read(aclfile).split('\n').length, step).toBe(before.split('\n').length);
      expect(
        readdirSync(at).filter((name) => name.endsWith('.tmp')),
        step,
      ).toEqual([]);
      rmSync(filler);
      await rotate();
      const secret = read(secretFile).trim();
      expect(await hashOf(server, 'app'), step).toEqual([sha256(secret)]);
      expect(read(aclfile), step).toContain(`#${sha256(secret)}`);
    }
  },
);

describe.skipIf(process.getuid?.() !== 0)(
  'a file that is a mount of its own, as of a container’s -v FILE:FILE',
  () => {
    /** Mounts a copy of it over it, as another device could be. */
    const mountItself = (path: string): void => {
      const from = join(folder(), 'source');
      copyFileSync(path, from);
      const { mode, uid, gid } = statSync(path);
      chmodSync(from, mode);
      chownSync(from, uid, gid);
      execFileSync('mount', ['--bind', from, path]);
      onTestFinished(() => void execFileSync('umount', ['--lazy', path]));
    };
    const ask = (secretFile: string, ...more: string[]): string[] => [
      'rotate-password',
      'app',
      '--secret-file',
      secretFile,
      '--wait',
      '0',
      '--yes',
      ...more,
    ];
    const places: [string, (of: Awaited<ReturnType<typeof withApp>>) => string][] = [
      ['the aclfile', ({ aclfile }) => aclfile],
      ['the secret file', ({ secretFile }) => secretFile],
      ['redis.conf, which is to hold masterauth', ({ server }) => server.configFile],
    ];

    test.each(places)(
      '%s: refused before step 1, and nothing has heard of a new password',
      async (_what, pathOf) => {
        const made = await withApp(defaultBuild());
        const { server, aclfile, config, secretFile } = made;
        await server.call('CONFIG', 'SET', 'masteruser', 'app', 'masterauth', old);
        const path = pathOf(made);
        mountItself(path);
        const before = [aclfile, secretFile, server.configFile].map(read);
        for (const more of [[], ['--dry-run']]) {
          const { code, stderr } = await runAgent(ask(secretFile, ...more), { config });
          expect(code).toBe(7);
          expect(stderr).toContain(`${path} is a mount of its own`);
          expect(stderr).toContain('mount its folder instead');
        }
        expect([aclfile, secretFile, server.configFile].map(read)).toEqual(before);
        expect(await hashOf(server, 'app')).toEqual([sha256(old)]);
        expect(existsSync(join(config.state, 'rotations'))).toBe(false);
      },
    );

    test('the aclfile, --by-hand: stops while both are valid, and ends when a person has written the line', async () => {
      const { server, aclfile, config, secretFile } = await withApp(defaultBuild());
      mountItself(aclfile);
      const writeLine = (printed: string): void => {
        const line = printed.split('\n').find((each) => each.startsWith('user app on ')) ?? '';
        writeFileSync(aclfile, read(aclfile).replace(/user app .*/, line));
      };
      const first = await runAgent(ask(secretFile, '--by-hand'), { config });
      expect(first.code, first.stderr).toBe(0);
      expect(first.stdout).toMatch(/by hand: .*\n.*is a mount\s+of its own/);
      writeLine(first.stdout);
      await server.restart();
      const secret = read(secretFile).trim();
      for (const password of [old, secret]) expect(await login(server, 'app', password)).toBe('PONG');
      const second = await runAgent(ask(secretFile), { config });
      expect(second.code, second.stderr).toBe(0);
      writeLine(second.stdout);
      await server.restart();
      expect(await login(server, 'app', secret)).toBe('PONG');
      await expect(login(server, 'app', old)).rejects.toMatchObject({ code: 'redis' });
    });
  },
);

test('a BullMQ worker works through it, under the profile', async () => {
  const build = defaultBuild();
  const profile = findProfile('bullmq');
  if (profile === undefined) throw new Error('no profile');
  const engine = { engine: build.engine, version: build.version, docker: false };
  const { server, config, secretFile } = await withApp(build, profileRules(profile, engine).join(' '));
  const open = (override: object = {}): Redis => {
    const own = { port: server.port, username: 'app', password: read(secretFile).trim() };
    const client = new Redis({ ...own, maxRetriesPerRequest: null, ...override });
    client.on('error', () => undefined);
    client.on('close', () => {
      if (existsSync(secretFile)) client.options.password = read(secretFile).trim();
    });
    client.duplicate = (more) => open({ ...override, ...more });
    onTestFinished(() => client.disconnect());
    return client;
  };
  const queue = new Queue('q', { connection: open() });
  const done = new Set<string>();
  const worker = new Worker('q', (job) => Promise.resolve(void done.add(job.id ?? '')), {
    connection: open(),
  });
  worker.on('error', () => undefined);
  queue.on('error', () => undefined);
  onTestFinished(async () => {
    await worker.close();
    await queue.close();
  });
  let added = 0;
  const stop = new AbortController();
  const adding = (async () => {
    while (!stop.signal.aborted) {
      await queue.add('job', {});
      added++;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  const { code } = await runAgent(
    ['rotate-password', 'app', '--secret-file', secretFile, '--wait', '1s', '--yes'],
    { config },
  );
  expect(code).toBe(0);
  stop.abort();
  await adding;
  expect(added).toBeGreaterThan(50);
  await until(() => Promise.resolve(done.size === added));
});

test('a replica and three Sentinels that log in as the user, and a failover afterwards', async () => {
  const build = everything ? edgeBuilds()[0] : defaultBuild();
  if (build === undefined) return;
  const users = [
    `keeper on >${old} ~* &* +@all`,
    'writer on >of-the-writer-and-nobody-else-0123 ~* +set',
    'default on nopass ~* &* +@all',
  ];
  const config = { user: users, masteruser: 'keeper', masterauth: old };
  const master = await startServer({ build, config });
  const replica = await startServer({ build, config: { ...config, replicaof: `127.0.0.1 ${master.port}` } });
  await until(async () =>
    String(await replica.call('INFO', 'replication')).includes('master_link_status:up'),
  );
  const sentinels = await startSentinels({
    build,
    port: master.port,
    username: 'keeper',
    password: old,
    downAfter: 3000,
  });
  const agent = writeConfig({ server: master });
  knownSecrets.add(old);
  const secretFile = join(agent.folder, 'keeper.secret');
  const ask = ['rotate-password', 'keeper', '--secret-file', secretFile, '--wait', '0', '--yes'];
  const without = await runAgent(ask, { config: agent });
  expect(without.code).toBe(7);
  expect(without.stderr).toContain('--sentinel');
  const named = sentinels.flatMap(({ url }) => ['--sentinel', url]);
  // They would be told the password of somebody else.
  const others = await runAgent(
    ['rotate-password', 'writer', '--secret-file', secretFile, '--yes', ...named],
    { config: agent },
  );
  expect(others.stderr).toContain('3 Sentinels are named, and 0 log in as writer');
  expect(others.code).toBe(7);
  const { code, json } = await runAgent([...ask, ...named, '--json'], { config: agent });
  expect(json).toMatchObject({ user: 'keeper' });
  expect(code).toBe(0);
  expect(json.nodes.map(({ role }: { role: string }) => role).toSorted()).toEqual(['master', 'replica']);
  const secret = read(secretFile).trim();
  for (const server of [master, replica]) {
    expect(read(server.configFile)).not.toContain(old);
    expect(read(server.configFile)).toContain(`masterauth ${secret}`);
    expect(await hashOf(server, 'keeper')).toEqual([sha256(secret)]);
  }
  for (const { connection } of sentinels)
    expect(String(await connection.call('SENTINEL', 'CKQUORUM', 'mymaster'))).toMatch(/^OK 3/);
  await master.kill('SIGKILL');
  const role = async (): Promise<string> => {
    const connection = await connectRedis({ name: 'asking', url: replica.url });
    try {
      return String(await connection.call('ROLE'));
    } finally {
      connection.close();
    }
  };
  await until(async () => (await role()).startsWith('master'));
});

test('the agent’s own user keeps its connection, and a server with requirepass alone gets a user’s line', async () => {
  const at = folder();
  giveToServer(at);
  const server = await startServer({ config: { requirepass: old } });
  const config = writeConfig({ server, password: old });
  const secretFile = join(config.folder, 'secrets', 'main');
  const { code, stderr } = await runAgent(['rotate-password', 'default', '--wait', '0', '--yes'], { config });
  expect(stderr + code).toBe('0');
  const secret = read(secretFile);
  expect(secret).toMatch(/^[0-9a-f]{64}\n$/);
  expect(read(server.configFile)).not.toContain('requirepass');
  expect(read(server.configFile)).toContain(`user default on ~* &* +@all #${sha256(secret.trim())}`);
  expect(await login(server, 'default', secret.trim())).toBe('PONG');
  const status = await runAgent(['check'], { config });
  expect(status.stdout).not.toContain('WRONGPASS');
});

test.each([
  ['nobody is told', ['app'], 2, '--secret-file'],
  ['no such user', ['nobody', '--secret-file', 'SECRET'], 7, 'there is no user nobody'],
  ['a user without a password', ['default', '--secret-file', 'SECRET'], 7, 'needs no password'],
  ['a hook that others can change', ['app', '--hook', '/tmp/hook'], 7, 'the hook is not run'],
  ['a folder that is not there', ['app', '--secret-file', '/nowhere/x'], 7, 'nothing was changed'],
])('%s: refused before anything is changed', async (_what, args, status, said) => {
  const { server, aclfile, config, secretFile } = await withApp(defaultBuild());
  const before = read(aclfile);
  const words = args.map((word) => (word === 'SECRET' ? secretFile : word));
  const { code, stderr } = await runAgent(['rotate-password', ...words, '--yes'], { config });
  expect(code).toBe(status);
  expect(stderr).toContain(said);
  expect(read(aclfile)).toBe(before);
  expect(await hashOf(server, 'app')).toEqual([sha256(old)]);
});

test('a hook reads it on its stdin; one that fails leaves both valid, and is asked again', async () => {
  const { server, config, secretFile } = await withApp(defaultBuild());
  const at = folder();
  const hook = join(at, 'tell');
  const gate = join(at, 'gate');
  writeFileSync(
    hook,
    `#!/bin/sh\nread -r line\n[ -e ${gate} ] || { echo "no $line"; exit 3; }\nprintf %s "$line" > ${at}/told\n`,
    { mode: 0o755 },
  );
  const ask = ['rotate-password', 'app', '--hook', hook, '--secret-file', secretFile, '--wait', '0', '--yes'];
  const failed = await runAgent(ask, { config });
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain('ended with 3');
  expect((await hashOf(server, 'app')).length).toBe(2);
  expect(failed.stderr).not.toContain(read(secretFile).trim());
  expect(await login(server, 'app', old)).toBe('PONG');
  writeFileSync(gate, '');
  expect((await runAgent(['rotate-password', 'app', '--yes', '--wait', '0'], { config })).code).toBe(0);
  expect(JSON.parse(read(join(at, 'told')))).toEqual({
    instance: 'main',
    user: 'app',
    password: read(secretFile).trim(),
  });
});

test('a node that is gone for good is taken out of the note of a rotation that goes on', async () => {
  const { server, config, secretFile } = await withApp(defaultBuild());
  const note = join(config.state, `rotations/main-${Buffer.from('app').toString('hex')}`);
  const journal = {
    version: 1,
    instance: 'main',
    user: 'app',
    started: '2026-11-30T12:00:00.000Z',
    nodes: [server.url, 'redis://127.0.0.1:1'],
    sentinels: [],
    secretFiles: [secretFile],
    hooks: [],
    byHand: false,
    done: ['begin'],
    marks: {},
  };
  mkdirSync(join(config.state, 'rotations'), { recursive: true, mode: 0o700 });
  writeFileSync(`${note}.secret`, 'c'.repeat(64), { mode: 0o600 });
  writeFileSync(`${note}.json`, JSON.stringify(journal), { mode: 0o600 });
  const ask = ['rotate-password', 'app', '--wait', '0', '--yes', '--json'];
  const refused = await runAgent(ask, { config });
  expect(refused.json.error.hint).toContain(`gone for good, out of "nodes" in ${note}.json too`);
  writeFileSync(`${note}.json`, JSON.stringify({ ...journal, nodes: [server.url] }), { mode: 0o600 });
  expect((await runAgent(ask, { config })).code).toBe(0);
  expect(await hashOf(server, 'app')).toEqual([sha256('c'.repeat(64))]);
});

test('by TLS, with an authority and a certificate of one’s own', async () => {
  const at = folder();
  const { ca, cert, key } = shareCertificates(at);
  giveToServer(at);
  const port = await freePort();
  const server = await startServer({
    config: {
      'tls-port': String(port),
      'tls-cert-file': cert,
      'tls-key-file': key,
      'tls-ca-cert-file': ca,
      user: ['default on nopass ~* &* +@all', `app on #${sha256(old)} ~* +@all`],
    },
  });
  const tls = { ca, cert, key };
  const config = writeConfig({ instances: [{ name: 'main', url: `rediss://127.0.0.1:${port}`, tls }] });
  const secretFile = join(config.folder, 'app.secret');
  writeFileSync(secretFile, old, { mode: 0o600 });
  const ask = ['rotate-password', 'app', '--secret-file', secretFile, '--wait', '0', '--yes'];
  const { code, stderr } = await runAgent(ask, { config });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(await hashOf(server, 'app')).toEqual([sha256(read(secretFile))]);
});

test('who may not look at users is refused, and the program ends', async () => {
  const server = await startServer();
  await server.call('ACL', 'SETUSER', 'looker', 'on', '>looks-and-no-more', '+ping', '+info', '+config|get');
  const config = writeConfig({ server, username: 'looker', password: 'looks-and-no-more' });
  const { code, stderr } = await runAgent(['rotate-password', 'looker', '--yes'], { config });
  expect(stderr).toContain('ACL GETUSER');
  expect(code).not.toBe(0);
});
