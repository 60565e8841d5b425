import { createHash } from 'node:crypto';
import { appendFileSync, chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { watchRights } from '../../src/monitor/rights.ts';
import { initialise } from '../../src/app/init/init.ts';
import { takeSnapshot } from '../../src/backup/snapshot/take-snapshot.ts';
import { systemClock } from '../../src/lib/time/system-clock.ts';
import { knownSecrets } from '../support/agent/cli.ts';
import { agentUser, failureOf, listUsers, Place, userNames } from '../support/agent/init-place.ts';
import { memoryLog } from '../support/agent/memory-log.ts';
import { narrowProc } from '../support/servers/narrow-proc.ts';
import { edgeBuilds, startServer } from '../support/servers/redis-server.ts';

describe.each(edgeBuilds())('on $name', (build) => {
  test('finds the server, and its user has just the rights of the agent', async () => {
    const server = await startServer({ build });
    await server.call('SET', 'a', 'valuable');
    const place = new Place();
    const before = await listUsers(server);
    const report = await initialise(place.options({ proc: narrowProc([server.pid]) }));
    const { version, engine } = build;
    const pid = server.pid;
    expect(report.instances).toMatchObject([
      { name: 'main', url: server.url, engine, version, pid, open: true },
    ]);

    // Nobody else's definition has changed.
    const after = await listUsers(server);
    expect(after.filter((line) => !line.startsWith(`user ${agentUser} `))).toEqual(before);
    const [own = ''] = after.filter((line) => line.startsWith(`user ${agentUser} `));
    const audit = ['+acl|list', '+acl|log', '+module|list', '+client|list', '+client|id', '+cluster|nodes'];
    if (!build.version.startsWith('6.')) audit.push('+acl|dryrun', '+cluster|shards');
    const hash = createHash('sha256').update(place.password()).digest('hex');
    expect(
      own
        .split(' ')
        .filter((word) => /^[#~%&+(]/.test(word))
        .toSorted(),
    ).toEqual([`#${hash}`, '+bgsave', ...new Set([...watchRights(build.version), ...audit])].toSorted());

    // What the agent does works as that user, and what it does not do is refused.
    const connection = await place.asAgent(server);
    const refused = [
      ['GET', 'a'],
      ['SET', 'a', 'x'],
      ['FLUSHALL'],
      ['CONFIG', 'SET', 'maxmemory', '1'],
      ['CONFIG', 'REWRITE'],
      ['ACL', 'SETUSER', 'x'],
      ['SHUTDOWN'],
      ['KEYS', '*'],
      ['PUBLISH', 'a', 'b'],
      ['EVAL', 'return 1', '0'],
      ['CLIENT', 'KILL', 'TYPE', 'normal'],
      ['SLOWLOG', 'RESET'],
      ['REPLICAOF', 'NO', 'ONE'],
    ];
    for (const [command = '', ...args] of refused)
      expect(await failureOf(connection.call(command, ...args))).toMatchObject({ reason: 'noperm' });
    await using snapshot = await takeSnapshot(() => place.asAgent(server), {
      clock: systemClock,
      log: memoryLog(),
      signal: new AbortController().signal,
      timeout: 30_000,
    });
    expect(snapshot.keyspace).toEqual({ databases: { 0: { keys: 1, expires: 0 } }, exact: true });
    expect(await place.run('check')).toMatchObject({ code: 0 });
    expect(await place.run('backup', '--no-verify')).toMatchObject({ code: 0 });
  });

  test('the line for redis.conf outlives a restart', async () => {
    const server = await startServer({ build });
    const place = new Place();
    const { json } = await place.init(server, '--json');
    const { persistence } = json.instances[0].user;
    expect(persistence).toMatchObject({ saved: false, file: server.configFile });
    appendFileSync(server.configFile, `${persistence.line}\n`);
    await server.restart();
    expect(await (await place.asAgent(server)).call('TIME')).toHaveLength(2);
    expect((await listUsers(server)).filter((line) => line.startsWith(`user ${agentUser} `))).toHaveLength(1);
  });

  test('an aclfile keeps the user, its other users and its mode', async () => {
    const dir = new Place().folder;
    const file = join(dir, 'users.acl');
    writeFileSync(file, 'user default on nopass ~* +@all\nuser app on >app-password ~app:* +get\n', {
      mode: 0o640,
    });
    chmodSync(file, 0o640);
    const server = await startServer({ build, config: { aclfile: file }, asRoot: true });
    const place = new Place();
    const { json } = await place.init(server, '--json');
    expect(json.instances[0].user).toMatchObject({ outcome: 'created', persistence: { saved: true, file } });
    expect(statSync(file).mode & 0o777).toBe(0o640);
    const before = await listUsers(server);
    await server.restart();
    expect(await listUsers(server)).toEqual(before);
    expect(await userNames(server)).toEqual(['app', 'default', agentUser]);
    await place.asAgent(server);
  });

  test('a server with a password: none, a wrong one, the right one', async () => {
    const admin = 'an-admins-long-password';
    const server = await startServer({ build, config: { requirepass: admin } });
    const place = new Place();
    knownSecrets.add(admin);
    const none = await place.init(server);
    expect(none).toMatchObject({ code: 4, stdout: '' });
    expect(none.stderr).toMatch(
      new RegExp(
        `^redis-agent: cannot connect to ${server.url}: no password was given; say who may create users: .*--password-file`,
      ),
    );
    const wrong = await place.init(server, '--password-file', place.secret('wrong', 'wrong-password'));
    expect(wrong).toMatchObject({ code: 4 });
    expect(wrong.stderr).toContain('wrong user or password');
    expect(place.files()).toEqual(['wrong']);

    const { code, json } = await place.init(
      server,
      '--json',
      '--password-file',
      place.secret('right', admin),
    );
    expect(code).toBe(0);
    expect(json.instances[0]).toMatchObject({ open: false, user: { outcome: 'created' } });
    expect(place.password()).not.toBe(admin);
    await place.asAgent(server);
  });

  test('no right to create users: somebody else does it with the line that is printed', async () => {
    const server = await startServer({ build });
    await server.call('ACL', 'SETUSER', 'little', 'on', '>little-password', '~*', '-@all', '+ping', '+info');
    const place = new Place();
    const file = place.secret('little', 'little-password');
    const { code, json } = await place.init(
      server,
      '--json',
      '--username',
      'little',
      '--password-file',
      file,
    );
    expect(code).toBe(0);
    const [{ user: made, open }] = json.instances;
    expect(made).toMatchObject({ outcome: 'by-hand', why: 'user little may not run ACL LIST' });
    expect(open).toBe(false);
    // Beside an aclfile that we could not see, the line in redis.conf would keep the server from starting.
    expect(made.persistence).toMatchObject({ saved: false, file: null });
    expect((await listUsers(server)).some((line) => line.startsWith(`user ${agentUser} `))).toBe(false);
    await server.call('ACL', ...String(made.command).split(' ').slice(1));
    expect(await place.run('check')).toMatchObject({ code: 0 });
  });
});
