import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificates } from '../../support/servers/certificates.ts';
import { freePort } from '../../support/servers/free-port.ts';
import { runAgent } from '../../support/agent/cli.ts';
import { edgeBuilds, startServer } from '../../support/servers/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

function tempFolder(): string {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  return folder;
}

const check = (...args: string[]) => runAgent(['check', '--connection', ...args]);

/** What failed, by step; the errors are those of real servers. */
async function failures(...args: string[]): Promise<{ code: number; failed: Record<string, string> }> {
  const { code, json } = await check(...args, '--json', '--rounds', '2');
  const steps: { name: string; problem: string | null; hint: string | null }[] = json.steps;
  const failed = steps.filter(({ problem }) => problem !== null);
  return {
    code,
    failed: Object.fromEntries(failed.map(({ name, problem, hint }) => [name, `${problem}; ${hint}`])),
  };
}

describe.each(edgeBuilds())('on $name', (build) => {
  test('does what applications do, without a configuration, and leaves nothing', async () => {
    const server = await startServer({ build, tls: true });
    for (const url of [[server.url], [server.socketUrl], [server.tls!.url, '--ca-file', server.tls!.ca]]) {
      const { code, json } = await check(...url, '--json', '--rounds', '5');
      expect(code).toBe(0);
      expect(json.steps).toHaveLength(10);
      for (const { verdict, latency } of json.steps) {
        expect(verdict).toBe('ok');
        expect(latency.p50).toBeLessThanOrEqual(latency.p95);
        expect(latency.per_second).toBeGreaterThan(0);
      }
    }
    expect(await server.call('DBSIZE')).toBe(0);
  });

  test('needs no right beyond its own prefix', async () => {
    const server = await startServer({ build });
    const rules = '+ping +set +get +ttl +expire +del +incr +publish +subscribe +lpush +rpop +llen';
    const channels = build.version.startsWith('6.0') ? [] : ['&redis-agent:check:*'];
    await server.call(
      'ACL',
      'SETUSER',
      'app',
      'on',
      '>hunter2',
      '~redis-agent:check:*',
      ...channels,
      ...rules.split(' '),
    );
    const folder = tempFolder();
    writeFileSync(join(folder, 'p'), 'hunter2', { mode: 0o600 });
    const user = [server.url, '--username', 'app', '--password-file', join(folder, 'p')];
    expect(await failures(...user)).toEqual({ code: 0, failed: {} });
    await server.call('ACL', 'SETUSER', 'app', '-rpop');
    const { code, failed } = await failures(...user);
    expect(code).toBe(1);
    expect(failed['queue, one at a time']).toMatch(
      /user app may not run RPOP; grant it .*ACL SETUSER app \+rpop$/,
    );
  });
});

describe('says what is wrong', () => {
  test('with the address, the credential and the certificate', async () => {
    const server = await startServer({ tls: true, config: { requirepass: 'hunter2' } });
    const folder = tempFolder();
    writeFileSync(join(folder, 'wrong'), 'wrong', { mode: 0o600 });
    const other = makeCertificates(folder);
    const password = ['--password-file', join(folder, 'wrong')];
    const cases: [string[], RegExp][] = [
      [['redis://127.0.0.1:1'], /connection refused; is the server running/],
      [['redis://no-such-host.invalid:6379'], /host name does not resolve; check --connection$/],
      [[server.url], /no password was given; .*--password-file/],
      [[server.url, ...password], /wrong user or password; check --username and its password/],
      [[server.tls!.url], /not trusted here signed .*--ca-file/],
      [[server.tls!.url, '--ca-file', other.ca], /not trusted here signed/],
      [[server.url.replace('redis:', 'rediss:'), '--ca-file', server.tls!.ca], /TLS|closed the connection/],
      [[server.tls!.url.replace('rediss:', 'redis:')], /is this a TLS port \(then write rediss:/],
      [
        [server.tls!.url, '--ca-file', server.tls!.ca, '--server-name', 'redis.example'],
        /certificate is for another name .*--server-name/,
      ],
    ];
    for (const [args, message] of cases) {
      expect(await failures(...args)).toEqual({
        code: 4,
        failed: { connect: expect.stringMatching(message) },
      });
    }
  });

  test('with what the server takes', async () => {
    const server = await startServer();
    expect((await failures(`${server.url}/99`)).failed['connect']).toMatch(/fewer databases/);
    expect(await failures(`${server.url}/3`)).toEqual({ code: 0, failed: {} });
    await server.call('CONFIG', 'SET', 'maxmemory', 1);
    const full = await failures(server.url);
    expect(full.code).toBe(1);
    expect(full.failed['set and get']).toMatch(/OOM .*maxmemory is reached/);
    expect(full.failed).not.toHaveProperty('time to live');
    await server.call('CONFIG', 'SET', 'maxmemory', 0);
    await server.call('REPLICAOF', '127.0.0.1', 1);
    expect((await failures(server.url)).failed['session']).toMatch(/READONLY .*connect to its master/);
    await server.call('REPLICAOF', 'NO', 'ONE');
    await server.call('CONFIG', 'SET', 'maxclients', 1);
    expect((await failures(server.url)).failed['connect']).toMatch(
      /max number of clients .*raise maxclients/,
    );
  });

  test('with what was asked', async () => {
    const usage = { code: 2 };
    expect(await check('redis://:hunter3@h')).toMatchObject({
      ...usage,
      stderr: expect.stringContaining('--connection holds'),
    });
    expect(await check('redis://h', '--rounds', '0')).toMatchObject(usage);
    expect(await check('redis://h', '--baseline', '/dev/null')).toMatchObject(usage);
    const folder = tempFolder();
    writeFileSync(join(folder, 'b'), '{"schema":1,"steps":[{"name":"ping","latency":{}}]}');
    expect(await check('redis://h', '--baseline', join(folder, 'b'))).toMatchObject(usage);
    expect(await runAgent(['check', '--rounds', '5'])).toMatchObject(usage);
  });
});

test('20 ms more on the way show as worse, and an equal run does not', async () => {
  const server = await startServer();
  const folder = tempFolder();
  const before = await check(server.url, '--json', '--rounds', '20');
  writeFileSync(join(folder, 'before.json'), before.stdout);
  expect(JSON.parse(readFileSync(join(folder, 'before.json'), 'utf8')).schema).toBe(1);
  const slow = await delayed(server.port, 20);
  const after = await check(
    `redis://127.0.0.1:${slow}`,
    '--rounds',
    '20',
    '--baseline',
    join(folder, 'before.json'),
  );
  expect(after.code).toBe(3);
  expect(after.stdout).toMatch(/\nping +\S+ ms +2\d\.\d ms +worse\n/);
  // Of the same run: how a host varies between two is not ours to promise.
  const again = await check(`redis://127.0.0.1:${slow}`, '--json', '--rounds', '20');
  writeFileSync(join(folder, 'slow.json'), again.stdout);
  const same = await check(
    `redis://127.0.0.1:${slow}`,
    '--rounds',
    '20',
    '--baseline',
    join(folder, 'slow.json'),
  );
  expect(same).toMatchObject({ code: 0, stdout: expect.not.stringContaining('worse') });
});

test('what a failed save and a server that hangs come to', async () => {
  const server = await startServer({ config: { save: '3600 1' } });
  await server.call('SET', 'key', 'value');
  mkdirSync(server.dumpPath);
  await server.call('BGSAVE').catch(() => 'refused');
  await expect
    .poll(async () => String(await server.call('INFO', 'persistence')))
    .toContain('rdb_last_bgsave_status:err');
  // PING itself is refused then: nothing works that an application needs.
  const { failed } = await failures(server.url);
  expect(Object.values(failed).join()).toMatch(/MISCONF .*last save failed/);
  await server.kill('SIGSTOP');
  try {
    expect((await failures(server.url)).failed['connect']).toMatch(/no answer in time/);
  } finally {
    await server.kill('SIGCONT');
  }
}, 60_000);

test('watched for a while: a histogram, and what failed meanwhile', async () => {
  const server = await startServer();
  const { code, stdout } = await check(server.url, '--rounds', '2', '--watch', '2s');
  expect(code).toBe(0);
  expect(stdout).toMatch(/watched for \d\S* s, \d+ answers: p50 \S+ ms, p95/);
  expect(stdout).toMatch(/PING UP TO +TIMES\n +\S+ ms +\d+ +█/);
  const { json } = await check(server.url, '--rounds', '2', '--watch', '1s', '--json');
  const total = json.watched.buckets.reduce((sum: number, { count }: { count: number }) => sum + count, 0);
  expect([total, json.watched.failures]).toEqual([json.watched.count, []]);
  expect(await check(server.url, '--watch', 'soon')).toMatchObject({ code: 2 });
});

/**
 * A stand-in for Upstash's REST API, which is not at hand: it speaks the protocol as its documentation has it, a command as a
 * JSON list to /, many to /pipeline, `result` or `error`, and the token in a header.
 */
async function restStandIn(): Promise<{
  url: string;
  answer: { status: number; error: string } | undefined;
}> {
  const place = { url: '', answer: undefined as { status: number; error: string } | undefined };
  const data = new Map<string, string>();
  const run = ([name, key = '', value = '']: string[]): unknown => {
    if (name === 'PING') return 'PONG';
    if (name === 'SET') data.set(key, value);
    if (name === 'SET') return 'OK';
    if (name === 'TTL') return 59;
    return name === 'DEL' ? Number(data.delete(key)) : (data.get(key) ?? null);
  };
  const standIn = createHttpServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const say = (status: number, said: unknown): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said));
      };
      if (request.headers.authorization !== 'Bearer hunter4')
        return say(401, { error: 'WRONGPASS invalid http auth token' });
      if (place.answer !== undefined) return say(place.answer.status, { error: place.answer.error });
      const commands = JSON.parse(body);
      if (request.url === '/pipeline')
        return say(
          200,
          commands.map((each: string[]) => ({ result: run(each) })),
        );
      return say(200, { result: run(commands) });
    });
  });
  standIn.listen(0, '127.0.0.1');
  await once(standIn, 'listening');
  onTestFinished(() => void standIn.close());
  const address = standIn.address();
  place.url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return place;
}

test('Redis by HTTP, against a stand-in: the steps, and each error explained', async () => {
  const rest = await restStandIn();
  const folder = tempFolder();
  const [token, wrong] = [join(folder, 'token'), join(folder, 'wrong')];
  writeFileSync(token, 'hunter4', { mode: 0o600 });
  writeFileSync(wrong, 'hunter5', { mode: 0o600 });
  const { code, json } = await check(rest.url, '--token-file', token, '--json', '--rounds', '3');
  expect(code).toBe(0);
  expect(json.steps.map(({ name, verdict }: { name: string; verdict: string }) => [name, verdict])).toEqual(
    ['connect', 'ping', 'set and get', 'time to live', 'pipeline of 20'].map((name) => [name, 'ok']),
  );
  const failing = async (file: string): Promise<string | undefined> =>
    (await failures(rest.url, '--token-file', file)).failed['connect'];
  expect(await failing(wrong)).toMatch(/token is refused .*UPSTASH_REDIS_REST_TOKEN/);
  for (const [status, error, message] of [
    [404, 'database not found', /no database at this URL/],
    [429, 'rate limited', /limit of the plan is reached/],
    [
      400,
      'ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.',
      /limit of the plan .*midnight UTC/,
    ],
    [503, 'unavailable', /service fails with 503/],
  ] as const) {
    rest.answer = { status, error };
    expect(await failing(token)).toMatch(message);
  }
  expect(await check(rest.url)).toMatchObject({ code: 2, stderr: expect.stringContaining('--token-file') });
  expect(await check('http://redis.example', '--token-file', token)).toMatchObject({ code: 2 });
  expect(
    (await failures(`http://127.0.0.1:${await freePort()}`, '--token-file', token)).failed['connect'],
  ).toMatch(/refused/);
});

/** A proxy on loopback that passes on what the server says `ms` later; its port. */
async function delayed(port: number, ms: number): Promise<number> {
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(port, '127.0.0.1');
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    }
    client.pipe(server);
    server.on('data', (data) => void delay(ms).then(() => client.write(data)));
    server.on('close', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const address = proxy.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
