import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { agentUser, Place } from '../support/agent/init-place.ts';
import { edgeBuilds, startServer, type TestServer } from '../support/servers/redis-server.ts';

/** The user as an agent of long ago made it. */
async function oldUser(server: TestServer, ...more: string[]): Promise<void> {
  const words = ['-@all', '+ping', '+info', '+time', '+config|get', '+bgsave', ...more];
  await server.call('ACL', 'SETUSER', agentUser, 'resetkeys', ...words);
}

const refuses = async (server: TestServer, place: Place, ...command: string[]): Promise<boolean> =>
  (await place.asAgent(server)).call(command[0] ?? '', ...command.slice(1)).then(
    () => false,
    () => true,
  );

describe.each(edgeBuilds())('init --rights on $name', (build) => {
  const modern = !build.version.startsWith('6.');

  test('shows what is missing, gives it, and then nothing is missing', async () => {
    const server = await startServer({ build });
    const place = new Place();
    await place.init(server);
    const complete = await place.run('init', '--rights', '--json');
    expect(complete.json).toMatchObject([{ outcome: 'complete', missing: [], command: null, seen: 'users' }]);

    await oldUser(server);
    const check = await place.run('check');
    expect(check.stdout).toContain('redis-agent init --rights --instance main gives them');
    const planned = await place.run('init', '--rights', '--dry-run', '--json');
    expect(planned.code).toBe(0);
    const [plan] = planned.json;
    expect(plan).toMatchObject({ outcome: 'planned', user: agentUser });
    const purposes = plan.missing.map(({ purpose }: { purpose: string }) => purpose);
    expect(purposes).toEqual(['watching', 'queues', 'audit']);
    expect(String(plan.command)).toContain(modern ? ' %R~bull:* ' : ' ~bull:* ');
    expect(String(plan.command).includes('+acl|dryrun')).toBe(modern);
    expect(await refuses(server, place, 'SLOWLOG', 'GET', '1')).toBe(true);

    const given = await place.run('init', '--rights');
    expect(given).toMatchObject({ code: 0 });
    expect(given.stdout).toContain('has it now');
    expect(given.stdout).toContain('It is gone when the server restarts (it has no aclfile)');
    expect(given.stdout.replaceAll('\n', ' ')).toContain(server.configFile);
    expect(await refuses(server, place, 'SLOWLOG', 'GET', '1')).toBe(false);
    expect((await place.run('init', '--rights', '--json')).json).toMatchObject([{ outcome: 'complete' }]);
    expect((await place.run('check')).stdout).toContain('all that watching needs');
  });

  test('nodes that are no instances are named: they have users of their own', async () => {
    const server = await startServer({ build });
    const replica = await startServer({ build });
    await replica.call('REPLICAOF', '127.0.0.1', server.port);
    for (;;) if (String(await replica.call('INFO', 'replication')).includes('master_link_status:up')) break;
    const place = new Place();
    await place.init(server);
    const there = `127.0.0.1:${replica.port}`;
    expect((await place.run('init', '--rights', '--json')).json).toMatchObject([{ other_nodes: [there] }]);
    const { stdout } = await place.run('init', '--rights');
    expect(stdout.replaceAll('\n', ' ')).toContain(`no instances of this configuration: ${there}.`);
  });

  test('keys that the configuration names are asked for too, and a name is taken as it stands', async () => {
    const server = await startServer({ build });
    const place = new Place();
    await place.init(server);
    const monitor = [
      'monitor:',
      '  queues: [{ name: mail, prefix: shop }, { list: "jobs[1]" }, { list: gone, ignore: true }]',
      '  patterns: { sessions: { match: "sess:*", ttl: 24h } }',
    ];
    writeFileSync(place.config, `${readFileSync(place.config, 'utf8')}\n${monitor.join('\n')}\n`);
    const read = modern ? '%R~' : '~';
    const wanted = [`${read}shop:*`, `${read}jobs\\[1\\]`, `${read}sess:*`];
    const { json } = await place.run('init', '--rights', '--json');
    expect(json).toMatchObject([{ outcome: 'given', missing: [{ purpose: 'queues', rights: wanted }] }]);
    await server.call('LPUSH', 'jobs[1]', 'x');
    await server.call('LPUSH', 'jobs1', 'x');
    expect(await refuses(server, place, 'LLEN', 'jobs[1]')).toBe(false);
    expect(await refuses(server, place, 'LLEN', 'jobs1')).toBe(true);
  });

  test('an aclfile keeps it; a server with a password needs somebody who may', async () => {
    const file = join(new Place().folder, 'users.acl');
    writeFileSync(file, 'user default on nopass ~* +@all\n', { mode: 0o640 });
    const server = await startServer({ build, config: { aclfile: file }, asRoot: true });
    const place = new Place();
    const admin = place.secret('admin', 'admins-password');
    expect(await place.init(server)).toMatchObject({ code: 0 });
    await oldUser(server, '+acl|list');
    await server.call('ACL', 'SETUSER', 'default', 'resetpass', '>admins-password');

    const alone = await place.run('init', '--rights', '--json');
    expect(alone.code).toBe(3);
    expect(alone.json).toMatchObject([
      { outcome: 'by-hand', why: expect.stringContaining('--password-file') },
    ]);
    const before = readFileSync(file, 'utf8');
    const given = await place.run('init', '--rights', '--password-file', admin, '--json');
    expect(given.json).toMatchObject([{ outcome: 'given', persistence: { saved: true, file } }]);
    expect(readFileSync(file, 'utf8')).not.toBe(before);
    // So that the test may go on after the restart.
    await server.call('ACL', 'SETUSER', 'default', 'nopass');
    await server.call('ACL', 'SAVE');
    await server.restart();
    expect(await refuses(server, place, 'SLOWLOG', 'GET', '1')).toBe(false);
  });

  test('where the list of users may not be seen, each right is tried', async () => {
    const server = await startServer({ build, config: { requirepass: 'admins-password' } });
    const place = new Place();
    await place.init(server, '--password-file', place.secret('admin', 'admins-password'));
    await server.call(
      'ACL',
      'SETUSER',
      agentUser,
      ...(modern ? ['-acl|list', '-slowlog|get'] : ['-acl', '+acl|log', '-slowlog']),
    );
    const tried = await place.run('init', '--rights', '--json');
    expect(tried.json).toMatchObject([
      {
        seen: 'tried',
        outcome: 'by-hand',
        missing: [
          { purpose: 'watching', rights: ['+slowlog|get'] },
          { purpose: 'audit', rights: ['+acl|list'] },
        ],
        command: `ACL SETUSER ${agentUser} +slowlog|get +acl|list`,
      },
    ]);
  });
});

test('what does not go with --rights is refused', async () => {
  const server = await startServer();
  const place = new Place();
  await place.init(server);
  const refused = await place.run('init', '--rights', '--url', server.url);
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toContain('--url does not go with --rights');
});
