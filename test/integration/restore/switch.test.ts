// Beside a daemon that is not root, root's restore is done by a process that has given root up; root itself starts, stops and
// shows processes, and a process with the rights of the server's user works in the data directory.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { restoreSteps, type RestoreStep } from '../../../src/backup/restore/journal.ts';
import { loadSettings } from '../../../src/config/load.ts';
import { switchVerbs } from '../../../src/app/switch/switch-verbs.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { handsProgram } from '../../support/agent/hands-program.ts';
import { mindCommand } from '../../../src/app/switch/command.ts';
import { handsCommand } from '../../../src/app/hands/command.ts';
import {
  canBeNobody,
  spawnAgent,
  takeBackup,
  writeConfig,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { childrenOf, hasNetworks, see } from '../../support/agent/processes.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { serverUser } from '../../support/servers/server-user.ts';

/** The daemon's user: in no group of the server's, and its data directory is closed to him. */
const daemon = 65_534;

async function prepare(): Promise<{ server: ManagedServer; config: TestConfig; id: string }> {
  const server = await manageServer();
  await server.call('SET', 'key', 'as backed up');
  const config = writeConfig({ instances: [server.instance] });
  const id = await takeBackup(config);
  await server.call('SET', 'key', 'as it is now');
  execFileSync('chown', ['-R', `${daemon}:${daemon}`, config.folder]);
  for (const folder of [config.folder, dirname(config.folder)]) chmodSync(folder, 0o755);
  chmodSync(server.dir, 0o700);
  return { server, config, id };
}

test.runIf(canBeNobody)('by files: mind, hands and switch are three users', async () => {
  const { server, config, id } = await prepare();
  const agent = spawnAgent(['--json', 'restore', '--yes', '--method', 'files'], { config });
  const [mind, hands, { code, json }] = await Promise.all([
    see(agent.pid, mindCommand),
    see(agent.pid, handsCommand),
    agent.ended,
  ]);
  expect({ code, ...json.error }).toEqual({ code: 0 });
  expect(json).toMatchObject({ outcome: 'restored', plan: { backup: id } });
  expect(mind).toEqual({ uid: daemon, privileges: false, session: true, apart: false });
  expect(hands).toEqual({ uid: serverUser?.uid, privileges: false, session: true, apart: hasNetworks });
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('as backed up');
  const owners = (folder: string): number[] =>
    readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, String(name))).uid);
  expect(new Set(owners(server.dir))).toEqual(new Set([serverUser?.uid]));
  expect(new Set(owners(config.folder))).toEqual(new Set([daemon]));

  const undone = await spawnAgent(['--json', 'restore', '--undo', '--yes'], { config }).ended;
  expect({ code: undone.code, ...undone.json.error }).toEqual({ code: 0 });
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('as it is now');
});

test.runIf(canBeNobody)('a dump that only root may read is lent, and read by the daemon’s user', async () => {
  const { server, config } = await prepare();
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  chmodSync(folder, 0o700);
  const dump = join(folder, 'found.rdb');
  // A configuration that only root may read is root's to read, too.
  chownSync(config.path, 0, 0);
  await server.call('SET', 'key', 'as found');
  await server.call('SAVE');
  copyFileSync(join(server.dir, 'dump.rdb'), dump);
  chmodSync(dump, 0o600);
  await server.call('SET', 'key', 'as it is now');
  const agent = spawnAgent(['--json', 'restore', dump, '--yes', '--method', 'files'], { config });
  const [mind, { code, json }] = await Promise.all([see(agent.pid, mindCommand), agent.ended]);
  expect({ code, ...json.error }).toEqual({ code: 0 });
  expect(mind.uid).toBe(daemon);
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('as found');
  const gone = await spawnAgent(['--json', 'restore', `${dump}.gone`, '--yes'], { config }).ended;
  expect(gone).toMatchObject({ code: 2, json: { error: { code: 'usage' } } });
});

describe.runIf(canBeNobody)('in folders that are closed to the daemon’s user', () => {
  async function closedFolder() {
    const { server, config, id } = await prepare();
    const folder = makeTempFolder();
    onTestFinished(() => removeTempFolder(folder));
    chmodSync(folder, 0o700);
    chownSync(config.path, 0, 0);
    return { server, config, id, folder };
  }

  test('a backup is fetched by him, and is root’s', async () => {
    const { config, id, folder } = await closedFolder();
    const to = join(folder, 'made/on the way');
    const agent = spawnAgent(['--json', 'restore', '--to', to], { config });
    const [mind, { code, json }] = await Promise.all([see(agent.pid, mindCommand), agent.ended]);
    const file = join(to, `${id}.rdb`);
    expect({ code, ...json.error, file: json.file }).toEqual({ code: 0, file });
    expect(mind.uid).toBe(daemon);
    expect(readdirSync(to)).toEqual([`${id}.rdb`]);
    const { uid, gid, mode } = statSync(file);
    expect({ uid, gid, mode: mode & 0o7777 }).toEqual({ uid: 0, gid: 0, mode: 0o600 });
    expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(json.sha256);
    const again = await spawnAgent(['--json', 'restore', '--to', to], { config }).ended;
    expect(again.json.error).toMatchObject({ code: 'refused', message: `${file} is there already` });
    expect(readdirSync(to)).toEqual([`${id}.rdb`]);
    const nowhere = await spawnAgent(['--json', 'restore', '--to', '/proc/here'], { config }).ended;
    expect(nowhere.json.error.message).toMatch(/^cannot write to \/proc\/here: /);
  });

  test('what a run leaves whose root was killed goes with the next one, which says so', async () => {
    const { config, id, folder } = await closedFolder();
    const agent = spawnAgent(['--json', 'restore', '--to', folder], { config });
    await see(agent.pid, mindCommand);
    const minds = childrenOf(agent.pid, mindCommand);
    process.kill(agent.pid, 'SIGKILL');
    await agent.ended;
    const [left = ''] = readdirSync(folder);
    expect(left).toMatch(/^\.redis-agent-/);
    await expect.poll(() => minds.some((pid) => existsSync(`/proc/${pid}`))).toBe(false);
    const next = await spawnAgent(['--json', 'restore', '--to', folder], { config }).ended;
    expect({ code: next.code, stderr: next.stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining(
        `${join(folder, left)} was left by a run that was killed, and is removed`,
      ),
    });
    expect(readdirSync(folder)).toEqual([`${id}.rdb`]);
  });

  test('an append only file is lent with its folder, or by its manifest', async () => {
    const { server, config, folder } = await closedFolder();
    await server.call('CONFIG', 'SET', 'appendonly', 'yes');
    await expect.poll(() => server.call('INFO', 'persistence')).toMatch(/aof_rewrite_in_progress:0/);
    await server.call('SET', 'key', 'as found');
    const found = join(folder, 'appendonlydir');
    cpSync(join(server.dir, 'appendonlydir'), found, { recursive: true });
    for (const name of readdirSync(found)) chmodSync(join(found, name), 0o600);
    await server.call('SET', 'key', 'as it is now');
    const words = ['--json', 'restore', found, '--yes', '--method', 'files'];
    const agent = spawnAgent(words, { config });
    const [mind, { code, json }] = await Promise.all([see(agent.pid, mindCommand), agent.ended]);
    expect({ code, ...json.error }).toEqual({ code: 0 });
    expect(mind.uid).toBe(daemon);
    await server.reconnect();
    expect(await server.call('GET', 'key')).toBe('as found');
    const manifest = join(found, 'appendonly.aof.manifest');
    const planned = await spawnAgent(['--json', 'restore', manifest, '--dry-run'], { config }).ended;
    expect({ code: planned.code, ...planned.json.error }).toEqual({ code: 0 });
  });
});

/** Resolves when the journal says that the step was begun, or, on a busy host that let it pass unseen, one behind it. */
async function atStep(server: ManagedServer, step: RestoreStep): Promise<void> {
  const path = join(server.dir, '.redis-agent-restore/journal.json');
  const behind = restoreSteps.slice(restoreSteps.indexOf(step));
  for (;;) {
    try {
      if (behind.includes(JSON.parse(readFileSync(path, 'utf8')).step)) return;
    } catch {
      // Not there yet.
    }
    await delay(1);
  }
}

/** Starts a restore, and stops looking at that step: who works then, one of each for the whole command. */
async function restoreUntil(step: RestoreStep) {
  const { server, config } = await prepare();
  const words = ['--json', 'restore', '--yes', '--method', 'files'];
  const agent = spawnAgent(words, { config });
  await atStep(server, step);
  const minds = childrenOf(agent.pid, mindCommand);
  const hands = childrenOf(agent.pid, handsCommand);
  expect([minds.length, hands.length]).toEqual([1, 1]);
  const left = (): number[] => [...minds, ...hands].filter((pid) => existsSync(`/proc/${pid}`));
  const again = async () => await spawnAgent(words, { config }).ended;
  return { server, agent, minds, hands, left, again };
}

test.runIf(canBeNobody).each(['stop', 'place'] as const)(
  'the mind is killed at the step %s: another one ends what it has left',
  async (step) => {
    const { server, agent, minds, left } = await restoreUntil(step);
    for (const pid of minds) process.kill(pid, 'SIGKILL');
    const { code, json } = await agent.ended;
    expect({ code, message: json.error.message }).toEqual({
      code: 1,
      // How far it had come by then nobody knows.
      message: expect.stringMatching(
        /^the process that restores was ended by SIGKILL(, and main was down: it is up again)?$/,
      ),
    });
    await expect.poll(left).toEqual([]);
    await server.reconnect();
    const data = await server.call('GET', 'key');
    expect(['as backed up', 'as it is now']).toContain(data);
    expect(existsSync(join(server.dir, '.redis-agent-restore/journal.json'))).toBe(false);
  },
);

test.runIf(canBeNobody).each([
  ['root', 'start'],
  ['the hands', 'place'],
] as const)('%s is killed at the step %s: nobody is left, and the next run ends it', async (who, step) => {
  const { server, agent, hands, left, again } = await restoreUntil(step);
  for (const pid of who === 'root' ? [agent.pid] : hands) process.kill(pid, 'SIGKILL');
  expect((await agent.ended).code === -1).toBe(who === 'root');
  await expect.poll(left).toEqual([]);
  const next = await again();
  expect({ code: next.code, ...next.json.error }).toEqual({ code: 0 });
  await server.reconnect();
  expect(await server.call('GET', 'key')).toBe('as backed up');
});

describe.runIf(canBeNobody)('what root does for a mind that was taken over', () => {
  test('no instance, folder or user of its own choice', async () => {
    const { server, config } = await prepare();
    const other = await manageServer();
    const root = switchVerbs({
      loaded: await loadSettings(config.path, { env: {} }),
      program: handsProgram(),
      clock: systemClock,
      signal: new AbortController().signal,
      hand: () => Promise.reject(new Error('nothing is handed over')),
    });
    onTestFinished(() => root.close());
    const { verbs } = root;
    await expect(verbs.look('another', null)).rejects.toThrow('no instance "another"');
    await expect(verbs.openHands('main')).rejects.toThrow('not looked at');
    await expect(verbs.stop('main')).rejects.toThrow('not looked at');
    const sight = await verbs.look('main', [['process_id', String((await other.pids())[0])]]);
    // Another server's number is not the one that has the socket.
    expect(sight).toMatchObject({ pid: undefined, user: { uid: serverUser?.uid } });
    expect(await verbs.end('main', other.dir, 'SIGKILL')).toEqual([]);
    expect(await other.call('PING')).toBe('PONG');
    expect(await root.down()).toEqual([]);
    await server.kill();
    // What whoever is on call is told, when the mind has died.
    expect(await root.down()).toEqual(['main']);
    expect(() => verbs.take('main', { dir: '/', startIn: '/' })).not.toThrow();
  });
});
