import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  runAgent,
  takeBackup,
  writeConfig,
  type AgentResult,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { startLyingProxy } from '../../support/servers/lying-proxy.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import { startServer } from '../../support/servers/redis-server.ts';
import { serverUser } from '../../support/servers/server-user.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

const isRoot = process.getuid?.() === 0;
const stranger = 65_534;
const server = serverUser ?? { uid: 0, gid: 0 };

async function restore(config: TestConfig, ...args: string[]): Promise<AgentResult> {
  return await runAgent(['--json', 'restore', '--yes', '--method', 'files', ...args], { config });
}

function testFolder(): string {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  return folder;
}

/** Of another user: programs by the names of servers and tools, which leave a mark. */
function plantPrograms(): { path: string; mark: string } {
  const folder = testFolder();
  const mark = join(folder, 'ran');
  for (const name of [
    'redis-server',
    'redis-check-rdb',
    'redis-check-aof',
    'valkey-server',
    'valkey-check-rdb',
  ])
    writeFileSync(join(folder, name), `#!/bin/sh\ntouch ${mark}\necho "Redis server v=7.0.15 sha=0"\n`, {
      mode: 0o755,
    });
  chmodSync(folder, 0o777);
  if (isRoot) chownSync(folder, stranger, stranger);
  return { path: join(folder, 'redis-server'), mark };
}

test('no program is run because a server names it', async () => {
  await using real = await startServer();
  const { path, mark } = plantPrograms();
  const lies = { executable: path, redis_version: '7.0.99' };
  const url = await startLyingProxy(real.port, lies);
  const config = writeConfig({ instances: [{ name: 'main', url }] });
  await real.call('SET', 'key', 'x');
  await takeBackup(config);
  await runAgent(['check'], { config });
  await runAgent(['backups', 'verify', '--load'], { config });
  await runAgent(['drill'], { config });
  await runAgent(['restore', '--dry-run'], { config });
  await restore(config);
  expect(existsSync(mark)).toBe(false);
});

describe.skipIf(!isRoot)('as root', () => {
  /** A backup of a server that is down now. */
  async function downServer(
    options: { user?: string } = {},
  ): Promise<{ main: ManagedServer; config: TestConfig }> {
    const main = await manageServer();
    const service = { start: [main.build.server, main.configFile], ...options };
    const instance = options.user === undefined ? main.instance : { ...main.instance, service };
    const config = writeConfig({ instances: [instance] });
    await main.call('SET', 'key', 'as backed up');
    await takeBackup(config, '--no-verify');
    await main.kill();
    return { main, config };
  }

  test('a process that does not hold the socket is not the server, whatever INFO says', async () => {
    await using real = await startServer();
    await using other = await startServer();
    const url = await startLyingProxy(real.port, { process_id: String(other.pid) });
    const config = writeConfig({ instances: [{ name: 'main', url }] });
    await takeBackup(config, '--no-verify');
    const { code, json } = await restore(config);
    expect({ code, ...json.error }).toMatchObject({ code: 'refused', reason: 'user' });
    expect(json.error.message).toMatch(/none here holds the socket/);
  });

  test('a server that is down, and nothing says as whom it runs', async () => {
    const { main, config } = await downServer();
    config.rewrite({
      instances: [{ ...main.instance, service: { start: [main.build.server, main.configFile] } }],
    });
    const { code, json } = await restore(config);
    expect(code).toBe(7);
    expect(json.error).toMatchObject({
      reason: 'user',
      hint: expect.stringMatching(/service: \{ user: NAME \}/) as unknown,
    });
  });

  test('a server that runs as root: the line to add is told, and does it', async () => {
    const { main, config } = await downServer({ user: 'root' });
    execFileSync('chown', ['-R', '0:0', dirname(main.dir)]);
    const { code, json } = await restore(config);
    expect({ code, json }).toMatchObject({ code: 0, json: { outcome: 'restored' } });
    expect(json.proven).toMatch(/the server runs as root/);
    await main.reconnect();
    expect(await main.call('GET', 'key')).toBe('as backed up');
    config.rewrite({ instances: [{ name: 'main', url: main.url }] });
    const refused = await restore(config);
    expect(refused).toMatchObject({
      code: 7,
      json: {
        error: { reason: 'root', hint: expect.stringContaining('service: { user: root }') as unknown },
      },
    });
  });

  test.each<[string, (main: ManagedServer, secret: string) => void, string, RegExp]>([
    [
      'a folder of root’s',
      (main, secret) => main.configure({ dir: dirname(secret), dbfilename: 'authorized_keys' }),
      'folder',
      /does not restore into .* belongs to|is no folder of that user/,
    ],
    [
      'a link to one',
      (main, secret) => {
        symlinkSync(dirname(secret), join(main.dir, 'link'));
        execFileSync('chown', ['-h', `${server.uid}`, join(main.dir, 'link')]);
        main.configure({ dir: join(main.dir, 'link'), dbfilename: 'authorized_keys' });
      },
      'folder',
      /is a link/,
    ],
    [
      'a folder that everybody may write above',
      (main) => {
        chmodSync(dirname(main.dir), 0o777);
      },
      'folder',
      /others may write to/,
    ],
    [
      'a staging folder that is a link',
      (main, secret) => symlinkSync(dirname(secret), join(main.dir, '.redis-agent-restore')),
      'staging',
      /is a link/,
    ],
    [
      'a staging folder of root’s',
      (main) => mkdirSync(join(main.dir, '.redis-agent-restore')),
      'staging',
      /is not private/,
    ],
  ])('%s is refused by name, and nothing is touched', async (_, prepare, reason, message) => {
    const { main, config } = await downServer();
    const secret = join(testFolder(), 'authorized_keys');
    writeFileSync(secret, 'of root', { mode: 0o600 });
    prepare(main, secret);
    for (const flags of [['--dry-run'], []]) {
      const { code, json } = await restore(config, ...flags);
      expect({ code, ...json.error }).toMatchObject({ code: 'refused', reason });
      expect(json.error.message).toMatch(message);
    }
    expect(readFileSync(secret, 'utf8')).toBe('of root');
    expect(readdirSync(dirname(secret))).toEqual(['authorized_keys']);
  });

  test.each<[string, (journal: string, secret: string) => void]>([
    ['a link', (journal, secret) => symlinkSync(secret, journal)],
    ['a named pipe', (journal) => execFileSync('mkfifo', [journal])],
    ['endless', (journal) => execFileSync('truncate', ['-s', '1T', journal])],
    ['of root’s', (journal, secret) => linkSync(secret, journal)],
  ])('a journal that is %s holds nothing up, and is told by name', async (_, plant) => {
    const { main, config } = await downServer();
    const secret = join(testFolder(), 'secret');
    writeFileSync(secret, 'of root', { mode: 0o600 });
    const folder = join(main.dir, '.redis-agent-restore');
    mkdirSync(folder, { mode: 0o700 });
    plant(join(folder, 'journal.json'), secret);
    execFileSync('chown', ['-Rh', `${server.uid}`, folder]);
    if (readFileSync(secret, 'utf8') === 'of root') chownSync(secret, 0, 0);
    const { code, json } = await restore(config);
    expect([1, 7]).toContain(code);
    expect(json.error.message).toContain('.redis-agent-restore');
    expect(readFileSync(secret, 'utf8')).toBe('of root');
  });
});
