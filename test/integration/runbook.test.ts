import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { RunbookReport } from '../../src/app/runbook/report.ts';
import { Secret } from '../../src/domain/secret.ts';
import { connectRedis } from '../../src/redis/connection/connect.ts';
import { runAgent, writeConfig, type TestConfig } from '../support/agent/cli.ts';
import { hasEnded } from '../support/servers/owned-process.ts';
import { edgeBuilds, startServer, type TestServer } from '../support/servers/redis-server.ts';
import { serverUser, serviceUser } from '../support/servers/server-user.ts';
import { until } from '../support/servers/sentinels.ts';

async function look(config: TestConfig, topic: string): Promise<RunbookReport> {
  const { json, code } = await runAgent(['runbook', topic, '--json'], { config });
  expect(code).toBe(0);
  // For people too.
  const { stdout } = await runAgent(['runbook', topic], { config });
  expect(stdout.split('\n')[0]).toContain(topic);
  return json.reports[0];
}

const causes = ({ found }: RunbookReport): string =>
  found.flatMap(({ state, text }) => (state === 'cause' ? [text] : [])).join('\n');

/** Does what was offered, as somebody who copies it. */
function follow({ build }: TestServer, { steps }: RunbookReport, pattern: RegExp): string {
  const command = steps.find((step) => pattern.test(step.command))?.command;
  if (command === undefined) throw new Error(`not offered: ${JSON.stringify(steps)}`);
  return execFileSync('sh', ['-c', command.replace(/^redis-cli/, build.cli)], {
    encoding: 'utf8',
    timeout: 60_000,
  });
}

test('memory: full and no eviction; the offered maxmemory lets writes through', async () => {
  const server = await startServer({ config: { maxmemory: '3mb' } });
  await server.call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  const fill = async (): Promise<void> => {
    for (let at = 0; at < 400; at++) await server.call('SET', `big:${at}`, 'x'.repeat(20_000));
  };
  await expect(fill()).rejects.toThrow(/memory/i);
  const report = await look(writeConfig({ server }), 'memory');
  expect(report.applies).toBe(true);
  expect(causes(report)).toContain('noeviction');
  expect(JSON.stringify(report.found)).toContain('big:');
  follow(server, report, /CONFIG SET maxmemory/);
  expect(await server.call('SET', 'one', 'more')).toBe('OK');
});

test('slow: a script that does not end; the offered command ends it', async () => {
  const server = await startServer({ config: { 'lua-time-limit': '100' } });
  const config = writeConfig({ server });
  const running = server.call('EVAL', 'while true do end', 0).catch((error: unknown) => String(error));
  await until(async () => {
    const { json } = await runAgent(['runbook', 'slow', '--json'], { config });
    return causes(json.reports[0]).includes('BUSY');
  });
  const report = await look(config, 'slow');
  expect(report.applies).toBe(true);
  follow(server, report, /SCRIPT KILL/);
  expect(await running).toContain('killed');
  expect((await look(config, 'slow')).found.some(({ text }) => text.startsWith('it answered PING'))).toBe(
    true,
  );
});

test('slow: a server that is stopped; the offered command lets it go on', async () => {
  const server = await startServer();
  const { pid } = server;
  process.kill(pid, 'SIGSTOP');
  const { json } = await runAgent(['runbook', 'slow', '--json'], { config: writeConfig({ server }) });
  const report: RunbookReport = json.reports[0];
  expect(report.applies).toBe(true);
  expect(causes(report)).toContain(`its process (pid ${pid}) is stopped`);
  follow(server, report, /kill -CONT/);
  expect(await server.call('PING')).toBe('PONG');
});

test('connections: maxclients is filled; who holds them is named, and ending that program lets others in', async () => {
  const server = await startServer({ config: { maxclients: '40' } });
  // Whoever is refused reads that, so that it is closed, and comes again: the agent may have been there first.
  const code = `const net=require('net');const open=()=>net.connect(${server.port},'127.0.0.1').resume().on('error',()=>{}).on('close',()=>setTimeout(open,50));for(let i=0;i<60;i++)open();`;
  const hog = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, '-e', code], { stdio: 'ignore' });
  const ended = once(hog, 'exit');
  onTestFinished(() => void (hasEnded(hog) || hog.kill('SIGKILL')));
  const config = writeConfig({ server });
  await until(async () => {
    const { json } = await runAgent(['runbook', 'connections', '--json'], { config });
    return causes(json.reports[0]).includes('maxclients is reached');
  }, 60_000);
  const report = await look(config, 'connections');
  expect(JSON.stringify(report.found)).toContain(`pid ${hog.pid}`);
  follow(server, report, /^kill /);
  await ended;
  await until(async () => {
    const { json } = await runAgent(['runbook', 'connections', '--json'], { config });
    return !JSON.stringify(json.reports).includes('is reached');
  }, 60_000);
}, 150_000);

/** What somebody else has started ends with the test. */
function endAfterwards({ url }: TestServer): void {
  onTestFinished(async () => {
    const connection = await connectRedis({ name: 'end', url }).catch(() => undefined);
    await connection?.call('SHUTDOWN', 'NOSAVE').catch(() => undefined);
    connection?.close();
    await until(async () => {
      const left = await connectRedis({ name: 'end', url }).catch(() => undefined);
      left?.close();
      return left === undefined;
    });
  });
}

/** It is started by a command, as the server’s user. */
function startedBy(server: TestServer): TestConfig {
  const start = [server.build.server, server.configFile, '--daemonize', 'yes'];
  return writeConfig({ instances: [{ name: 'main', url: server.url, service: { start, ...serviceUser } }] });
}

/** What its keys say, whoever has started it. */
async function get({ url }: TestServer, key: string): Promise<unknown> {
  const connection = await connectRedis({ name: 'look', url }).catch(() => undefined);
  const value = await connection?.call('GET', key).catch(() => undefined);
  connection?.close();
  return value;
}

test('down: the end of its log says why, and the offered start brings it back', async () => {
  const server = await startServer({ config: { save: '3600 1' } });
  await server.call('SET', 'kept', 'value');
  const config = startedBy(server);
  expect((await look(config, 'down')).applies).toBe(false);
  await server.kill('SIGTERM');
  const report = await look(config, 'down');
  expect(report.applies).toBe(true);
  expect(causes(report)).toContain('connection refused');
  expect(JSON.stringify(report.found)).toContain('bye bye');
  expect(report.steps.map(({ command }) => command)).toContain('redis-agent queues');
  endAfterwards(server);
  follow(server, report, /--daemonize/);
  await until(async () => (await get(server, 'kept')) === 'value');
  const back = await look(config, 'down');
  expect(back.applies).toBe(false);
  // As the user whose server it is, with his group alone.
  const connection = await connectRedis({ name: 'look', url: server.url });
  const pid = /process_id:(\d+)/.exec(String(await connection.call('INFO', 'server')))?.[1];
  connection.close();
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const { uid, gid } = serverUser ?? { uid: process.getuid?.(), gid: process.getgid?.() };
  expect([/^Uid:\t(\d+)/m, /^Gid:\t(\d+)/m].map((field) => Number(field.exec(status)?.[1]))).toEqual([
    uid,
    gid,
  ]);
});

test('down: a faulty line is found by what is offered; without it the offered start brings it back', async () => {
  const server = await startServer({ config: { save: '3600 1' } });
  await server.call('SET', 'kept', 'value');
  await server.kill('SIGTERM');
  const conf = readFileSync(server.configFile, 'utf8');
  writeFileSync(server.configFile, `${conf}maxclients many\n`);
  const config = startedBy(server);
  const report = await look(config, 'down');
  const [audit] = report.steps;
  expect(audit?.command).toBe(`redis-agent audit --conf ${server.configFile}`);
  const { stdout } = await runAgent((audit?.command ?? '').split(' ').slice(1), { config });
  expect(stdout).toContain(`redis.conf:${conf.split('\n').length}`);
  expect(stdout).toContain('maxclients');
  writeFileSync(server.configFile, conf);
  endAfterwards(server);
  follow(server, await look(config, 'down'), /--daemonize/);
  await until(async () => (await get(server, 'kept')) === 'value');
});

test('down: a faulty line that its log tells is the cause', async () => {
  const server = await startServer();
  await server.kill('SIGTERM');
  writeFileSync(
    server.logFile,
    '1:M 29 Nov 2026 *** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\nBad directive or wrong number of arguments\n',
  );
  const report = await look(startedBy(server), 'down');
  expect(causes(report)).toContain('a line of its configuration is wrong');
  expect(report.steps[0]?.command).toBe(`redis-agent audit --conf ${server.configFile}`);
});

test('full-disk: a failed save is told with what blocks writes, and a save mends it', async () => {
  const server = await startServer({ config: { save: '3600 1' } });
  const config = writeConfig({ server });
  await server.call('SET', 'a', '1');
  // What stands in its way is a folder where the dump belongs.
  mkdirSync(server.dumpPath);
  writeFileSync(join(server.dumpPath, 'x'), '');
  await server.call('BGSAVE');
  await until(async () =>
    String(await server.call('INFO', 'persistence')).includes('rdb_last_bgsave_status:err'),
  );
  await expect(server.call('SET', 'b', '1')).rejects.toThrow(/save/);
  const left = join(server.dir, 'temp-4711.rdb');
  writeFileSync(left, 'REDIS0010');
  const report = await look(config, 'full-disk');
  expect(report.applies).toBe(true);
  expect(causes(report)).toContain('its last save failed');
  follow(server, report, /^rm /);
  expect(existsSync(left)).toBe(false);
  execFileSync('rm', ['-r', server.dumpPath]);
  follow(server, report, /BGSAVE/);
  await until(async () => (await server.call('SET', 'b', '1').catch(() => '')) === 'OK');
});

test('locked-out: somebody who may do everything needs no password', async () => {
  const server = await startServer({
    config: {
      user: [
        'agent on #' + 'a'.repeat(64) + ' -@all +ping',
        'a;$(id) on nopass ~* &* +@all',
        'default on nopass ~* &* +@all',
      ],
    },
  });
  const start = [server.build.server, server.configFile];
  const config = writeConfig({
    instances: [
      { name: 'main', url: server.url, username: 'agent', password: { env: 'NOT_IT' }, service: { start } },
    ],
  });
  const ask = async (): Promise<RunbookReport> => {
    const { json } = await runAgent(['runbook', 'locked-out', '--json'], {
      config,
      env: { NOT_IT: 'another-password' },
    });
    return json.reports[0];
  };
  const report = await ask();
  expect(report.applies).toBe(true);
  expect(JSON.stringify(report.found)).toContain('default (no password)');
  // Names are whoever's who may make users; the command is run as root.
  expect(report.steps[0]?.command).toContain("--username 'a;$(id)' --password-file");
});

test.each(edgeBuilds())(
  'locked-out on $name, and nobody has an admin’s password: the offered line and a restart let somebody in',
  async (build) => {
    const hash = `#${'a'.repeat(64)}`;
    const rules = build.version.startsWith('6.0') ? '~* +@all' : '~* &* +@all';
    const server = await startServer({ build, config: { save: '3600 1' } });
    await server.call('SET', 'kept', 'value');
    const conf = readFileSync(server.configFile, 'utf8');
    // As people leave a file: without an end of its last line.
    writeFileSync(
      server.configFile,
      `${conf}\nuser admin on ${hash} ${rules}\nuser default off ${hash} ${rules}`,
    );
    await server.call('ACL', 'SETUSER', 'default', 'off', hash);
    const start = [server.build.server, server.configFile];
    const config = writeConfig({
      instances: [{ name: 'main', url: server.url, password: { env: 'NOT_IT' }, service: { start } }],
    });
    const { json } = await runAgent(['runbook', 'locked-out', '--json'], {
      config,
      env: { NOT_IT: 'another-password' },
    });
    const report: RunbookReport = json.reports[0];
    const commands = report.steps.map(({ command }) => command);
    expect(commands[0]).toContain('--username admin');
    const at = mkdtempSync(join(tmpdir(), 'redis-agent-test-'));
    onTestFinished(() => rmSync(at, { recursive: true }));
    execFileSync('sh', ['-c', commands.find((each) => each.includes('rescue.secret')) ?? 'false'], {
      cwd: at,
    });
    const secret = join(at, 'rescue.secret');
    expect(statSync(secret).mode & 0o077).toBe(0);
    await server.kill('SIGTERM');
    // It waits for a default that lets it in, and ends with the test.
    void server.restart().catch(() => undefined);
    const rescue = {
      name: 'rescue',
      url: server.url,
      username: 'rescue',
      password: new Secret(readFileSync(secret, 'utf8')),
    };
    await until(async () => {
      const connection = await connectRedis(rescue).catch(() => undefined);
      const value = await connection?.call('GET', 'kept');
      connection?.close();
      return value === 'value';
    });
  },
);

test('compromised: a master, a user and a place that nobody knows; the offered commands undo it', async () => {
  const server = await startServer();
  await server.call('ACL', 'SETUSER', 'backdoor', 'on', '>x', '~*', '+@all');
  await server.call('REPLICAOF', '127.0.0.1', '1');
  const config = writeConfig({
    instances: [
      { name: 'main', url: server.url, service: { start: [server.build.server, server.configFile] } },
    ],
  });
  const report = await look(config, 'compromised');
  expect(report.applies).toBe(true);
  expect(causes(report)).toContain('it is a replica of 127.0.0.1:1');
  expect(causes(report)).toContain('backdoor is in none of its files, and may do everything');
  expect(report.steps[0]?.command).toBe('redis-agent backup');
  follow(server, report, /REPLICAOF NO ONE/);
  follow(server, report, /ACL DELUSER backdoor/);
  expect(causes(await look(config, 'compromised'))).not.toContain('backdoor');
});

test('without a topic all are looked at, and a healthy server needs none', async () => {
  const server = await startServer({ config: { requirepass: 'a-long-and-random-secret' } });
  const config = writeConfig({ server, password: 'a-long-and-random-secret' });
  const { stdout, code } = await runAgent(['runbook'], { config });
  expect(code).toBe(0);
  expect(stdout).toContain('nothing that there is a runbook for');
  const { code: wrong, stderr } = await runAgent(['runbook', 'fire'], { config });
  expect(wrong).toBe(2);
  expect(stderr).toContain('compromised');
});
