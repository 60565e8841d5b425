// Beside a daemon that is not root, root's change of a server is done by a process that has given root up: the server's user
// writes its files, and root does what nobody else may.
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sha256 } from '../../../src/harden/read/hash.ts';
import { handsCommand } from '../../../src/app/hands/command.ts';
import { mindCommand } from '../../../src/app/switch/command.ts';
import { loadSettings } from '../../../src/config/load.ts';
import { consumerVerbs } from '../../../src/app/switch/told-consumers.ts';
import {
  canBeNobody,
  knownSecrets,
  spawnAgent,
  writeConfig,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { childrenOf, hasNetworks, see } from '../../support/agent/processes.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { serverUser } from '../../support/servers/server-user.ts';

/** The daemon's user: in no group of the server's. */
const daemon = 65_533;
const password = 'the admin has a long password';

interface Scene {
  server: ManagedServer;
  config: TestConfig;
  /** Only root gets there. */
  roots: string;
  harden(this: void, ...words: string[]): ReturnType<typeof spawnAgent>;
  rotate(this: void, ...words: string[]): ReturnType<typeof spawnAgent>;
}

async function prepare(server: ManagedServer): Promise<Scene> {
  await server.call('ACL', 'SETUSER', 'admin', 'on', `>${password}`, '~*', '&*', '+@all');
  appendFileSync(server.configFile, `user admin on #${sha256(password)} ~* &* +@all\n`);
  const roots = makeTempFolder();
  onTestFinished(() => removeTempFolder(roots));
  chmodSync(roots, 0o700);
  writeFileSync(join(roots, 'admin.secret'), password, { mode: 0o600 });
  const config = writeConfig({
    instances: [{ ...server.instance, role: 'queue' }],
    settings: { harden: { admin: { username: 'admin', password: { file: join(roots, 'admin.secret') } } } },
  });
  mkdirSync(config.state, { mode: 0o700 });
  execFileSync('chown', ['-R', `${daemon}:${daemon}`, config.folder]);
  for (const folder of [config.folder, dirname(config.folder)]) chmodSync(folder, 0o711);
  // A configuration that only root may read.
  chownSync(config.path, 0, 0);
  chmodSync(config.path, 0o600);
  chmodSync(dirname(server.configFile), 0o700);
  chmodSync(server.configFile, 0o600);
  return {
    server,
    config,
    roots,
    harden: (...words) => spawnAgent(['--json', 'harden', ...words], { config }),
    rotate: (...words) =>
      spawnAgent(
        [
          '--json',
          'rotate-password',
          '--username',
          'admin',
          '--password-file',
          join(roots, 'admin.secret'),
          ...words,
        ],
        { config },
      ),
  };
}

const value = async (server: ManagedServer, name: string): Promise<unknown> =>
  [await server.call('CONFIG', 'GET', name)].flat()[1];

describe.runIf(canBeNobody)('a change that root asks for', () => {
  test('a plan into a folder of root’s, what it says, and back: by three users', async () => {
    const { server, config, roots, harden } = await prepare(await manageServer());
    const before = readFileSync(server.configFile);
    const out = join(roots, 'plan.json');
    const plan = await harden('plan', '--out', out).ended;
    expect({ code: plan.code, ...plan.json.error }).toEqual({ code: 0 });
    expect(statSync(out)).toMatchObject({ uid: 0, mode: 0o100_600 });
    expect(readdirSync(roots).toSorted()).toEqual(['admin.secret', 'plan.json']);

    const agent = harden('apply', '--plan', out, '--yes');
    const [mind, hands, done] = await Promise.all([
      see(agent.pid, mindCommand),
      see(agent.pid, handsCommand),
      agent.ended,
    ]);
    expect({ code: done.code, ...done.json.error, outcome: done.json.outcome }).toEqual({
      code: 0,
      outcome: 'done',
    });
    expect(mind).toEqual({ uid: daemon, privileges: false, session: true, apart: false });
    expect(hands).toEqual({ uid: serverUser?.uid, privileges: false, session: true, apart: hasNetworks });
    expect(await value(server, 'timeout')).toBe('300');
    expect(statSync(server.configFile)).toMatchObject({
      uid: serverUser?.uid,
      gid: serverUser?.gid,
      mode: 0o100_600,
    });
    expect(readFileSync(server.configFile, 'utf8')).toMatch(/^timeout 300$/m);

    const back = await harden('rollback', '--yes').ended;
    expect({ code: back.code, ...back.json.error }).toEqual({ code: 0 });
    expect(readFileSync(server.configFile)).toEqual(before);
    expect(await value(server, 'timeout')).toBe('0');
    expect(execFileSync('find', [config.state, '!', '-user', String(daemon)]).toString()).toBe('');
  });

  test('files that cannot be read, and a place that cannot be written, are told; nothing is left there', async () => {
    const { roots, harden } = await prepare(await manageServer());
    for (const [words, why] of [
      [['plan', '--out', join(roots, 'gone', 'plan.json')], /cannot write .*plan\.json: it does not exist/],
      [['plan', '--password-file', join(roots, 'gone')], /--password-file: cannot read the secret/],
      [['apply', '--yes', '--plan', join(roots, 'admin.secret')], /cannot read the plan/],
      [['plan', '--policy', join(roots, 'gone.yaml'), '--out', join(roots, 'x')], /cannot read the policy/],
    ] as const) {
      const { code, json } = await harden(...words).ended;
      expect([code, json.error.message]).toEqual([2, expect.stringMatching(why)]);
    }
    expect(readdirSync(roots)).toEqual(['admin.secret']);
  });

  test('a configuration in root’s own folder: root replaces it, and it stays root’s', async () => {
    const server = await manageServer({ down: true });
    const etc = makeTempFolder();
    onTestFinished(() => removeTempFolder(etc));
    const conf = join(etc, 'redis.conf');
    writeFileSync(conf, readFileSync(server.configFile), { mode: 0o640 });
    chownSync(conf, 0, serverUser?.gid ?? 0);
    chmodSync(etc, 0o755);
    rmSync(server.configFile);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- how manageServer starts it
    (server.instance['service'] as { start: string[] }).start[1] = conf;
    await server.start();
    const { harden } = await prepare(Object.assign(server, { configFile: conf }));
    chmodSync(etc, 0o755);
    chmodSync(conf, 0o640);
    const before = readFileSync(conf);
    const done = await harden('apply', '--yes').ended;
    expect({ code: done.code, ...done.json.error }).toEqual({ code: 0 });
    expect(readFileSync(conf, 'utf8')).toMatch(/^timeout 300$/m);
    expect(statSync(conf)).toMatchObject({ uid: 0, gid: serverUser?.gid, mode: 0o100_640 });
    expect(statSync(join(etc, '.redis-agent-harden'))).toMatchObject({ uid: 0, mode: 0o40_700 });
    const back = await harden('rollback', '--yes').ended;
    expect({ code: back.code, ...back.json.error }).toEqual({ code: 0 });
    expect(readFileSync(conf)).toEqual(before);
  });

  test('a new password: who reads it keeps his file, the hook is root’s, and only those named are told', async () => {
    const server = await manageServer();
    const old = 'the-old-password-of-the-application';
    knownSecrets.add(old);
    await server.call('ACL', 'SETUSER', 'app', 'on', `>${old}`, '~*', '+@all');
    appendFileSync(server.configFile, `user app on #${sha256(old)} ~* +@all\n`);
    const { config, roots, rotate } = await prepare(server);
    const home = makeTempFolder();
    onTestFinished(() => removeTempFolder(home));
    const secret = join(home, 'app.secret');
    // One of the consumer's own in a folder of root's, as below /etc.
    const beside = join(roots, 'app.secret');
    for (const path of [secret, beside]) writeFileSync(path, `${old}\n`, { mode: 0o600 });
    for (const path of [home, secret, beside]) chownSync(path, 65_532, 65_532);
    const hook = join(roots, 'hook');
    writeFileSync(hook, `#!/bin/sh\nid -u > ${roots}/told\ncat > /dev/null\n`, { mode: 0o700 });
    const agent = rotate(
      'app',
      '--secret-file',
      secret,
      '--secret-file',
      beside,
      '--hook',
      hook,
      '--wait',
      '0',
      '--yes',
    );
    const [mind, { code, json }] = await Promise.all([see(agent.pid, mindCommand), agent.ended]);
    expect({ code, ...json.error }).toEqual({ code: 0 });
    expect(mind.uid).toBe(daemon);
    expect(json.nodes).toMatchObject([{ kept_in: server.configFile }]);
    const made = readFileSync(secret, 'utf8').trim();
    for (const path of [secret, beside]) {
      expect(readFileSync(path, 'utf8')).toBe(`${made}\n`);
      expect(statSync(path)).toMatchObject({ uid: 65_532, gid: 65_532, mode: 0o100_600 });
    }
    // Whoever was root, and not whom it has become.
    const state = new DatabaseSync(join(config.state, 'state.db'), { readOnly: true });
    expect(state.prepare('SELECT by FROM task_entries').all()).toEqual([{ by: 'root' }]);
    state.close();
    expect(readFileSync(join(roots, 'told'), 'utf8')).toBe('0\n');
    expect(readFileSync(server.configFile, 'utf8')).toContain(`user app on ~* +@all #${sha256(made)}\n`);
    expect(statSync(server.configFile)).toMatchObject({ uid: serverUser?.uid, mode: 0o100_600 });
    expect(execFileSync('find', [config.state, '!', '-user', String(daemon)]).toString()).toBe('');
    // A mind that was taken over has nothing else written or run as root.
    const { settings } = await loadSettings(config.path, { env: {} });
    const named = { user: 'app', secretFiles: [secret], hooks: [] };
    const verbs = consumerVerbs(named, settings, new AbortController().signal);
    await expect(verbs.writeFile(secret, '$(id)')).rejects.toMatchObject({ reason: 'not-made' });
    await expect(verbs.writeFile(join(roots, 'admin.secret'), 'x')).rejects.toMatchObject({
      code: 'refused',
    });
    await expect(verbs.runHook(hook, { instance: 'main', user: 'app', password: 'x' })).rejects.toMatchObject(
      { code: 'refused' },
    );
    expect(readFileSync(join(roots, 'admin.secret'), 'utf8')).toBe(password);
  });

  test('the mind is killed while the server restarts: another one takes it back, and it is up', async () => {
    const config = { 'tcp-backlog': '128', timeout: '0', save: '3600 1' };
    const { server, harden } = await prepare(await manageServer({ config }));
    await server.call('SET', 'key', 'kept');
    const before = readFileSync(server.configFile);
    const journal = join(dirname(server.configFile), '.redis-agent-harden', 'journal.json');
    const agent = harden('apply', '--yes', '--restart');
    await Promise.race([
      atStep(journal, 'restart'),
      agent.ended.then(({ json }) => expect(json).toBe('at work')),
    ]);
    for (const pid of childrenOf(agent.pid, mindCommand)) process.kill(pid, 'SIGKILL');
    const { code, json } = await agent.ended;
    expect({ code, message: json.error.message }).toEqual({
      code: 1,
      message: expect.stringMatching(
        /^the process that changes the server was ended by SIGKILL(, and main was down: it is up again)?$/,
      ),
    });
    expect(existsSync(journal)).toBe(false);
    expect(readFileSync(server.configFile)).toEqual(before);
    await server.reconnect();
    expect(await server.call('GET', 'key')).toBe('kept');
    expect(await value(server, 'timeout')).toBe('0');
  });

  test('a report and an audit into a folder of root’s are made by the daemon’s user, and root puts them there', async () => {
    const { config, roots } = await prepare(await manageServer());
    const out = join(roots, 'report.html');
    const agent = spawnAgent(['report', '--out', out, '--json'], { config });
    const [mind, done] = await Promise.all([see(agent.pid, mindCommand), agent.ended]);
    expect({ code: done.code, ...done.json.error }).toEqual({ code: 0 });
    expect(mind).toMatchObject({ uid: daemon, privileges: false });
    expect(done.json.written).toMatchObject({ path: out, format: 'html' });
    expect(readFileSync(out, 'utf8')).toMatch(/^<!doctype html>/i);
    expect(statSync(out)).toMatchObject({ uid: 0, mode: 0o100_600 });
    expect(readdirSync(roots).toSorted()).toEqual(['admin.secret', 'report.html']);
    // An audit that has findings ends with their status, and is written all the same.
    const audit = join(roots, 'audit.html');
    const audited = await spawnAgent(['audit', '--format', 'html', '--out', audit], { config }).ended;
    expect(audited).toMatchObject({ code: 3, stdout: `written to ${audit}\n`, stderr: '' });
    expect(readFileSync(audit, 'utf8')).toMatch(/^<!doctype html>/i);
    expect(statSync(audit)).toMatchObject({ uid: 0, mode: 0o100_600 });
    rmSync(audit);
    // Nothing is left where nothing comes of it.
    const failed = await spawnAgent(['report', '--since', 'ever', '--out', out], { config }).ended;
    expect(failed.code).toBe(2);
    expect(readdirSync(roots).toSorted()).toEqual(['admin.secret', 'report.html']);
  });

  test('a look at what a user uses, by an administrator whose password only root may read', async () => {
    const { server, config, roots } = await prepare(await manageServer());
    // Somebody is at work.
    const client = setInterval(() => void server.call('GET', 'a').catch(() => undefined), 20);
    onTestFinished(() => clearInterval(client));
    const login = ['--username', 'admin', '--password-file', join(roots, 'admin.secret')];
    const agent = spawnAgent(
      ['harden', 'acl', 'suggest', 'default', '--from-traffic', '1s', '--json', ...login],
      { config },
    );
    const [mind, done] = await Promise.all([see(agent.pid, mindCommand), agent.ended]);
    expect({ code: done.code, ...done.json.error }).toEqual({ code: 0 });
    expect(mind).toMatchObject({ uid: daemon, privileges: false });
    expect(done.json.rules).toContain('+get');
  });
});

async function atStep(path: string, step: string): Promise<void> {
  for (;;) {
    try {
      if (JSON.parse(readFileSync(path, 'utf8')).step === step) return;
    } catch {
      // Not there yet.
    }
    await delay(1);
  }
}
