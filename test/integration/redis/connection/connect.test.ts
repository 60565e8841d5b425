import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AgentError } from '../../../../src/domain/errors.ts';
import { Secret } from '../../../../src/domain/secret.ts';
import {
  connectRedis,
  type RedisConnection,
  type RedisTarget,
} from '../../../../src/redis/connection/connect.ts';
import { actAsNobody } from '../../../support/agent/as-nobody.ts';
import { makeCertificates } from '../../../support/servers/certificates.ts';
import { freePort } from '../../../support/servers/free-port.ts';
import {
  edgeBuilds,
  startServer,
  type ServerOptions,
  type TestServer,
} from '../../../support/servers/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const password = 'hunter2-and-more';
const secret = new Secret(password);

type Tls = NonNullable<TestServer['tls']>;

async function open(target: Omit<RedisTarget, 'name'>, timeout = 10_000): Promise<RedisConnection> {
  const connection = await connectRedis({ name: 'main', ...target }, { timeout });
  onTestFinished(() => connection.close());
  return connection;
}

async function failureOf(promise: Promise<unknown>): Promise<AgentError> {
  const error: unknown = await promise.then(
    () => new Error('it worked'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AgentError)) throw error;
  expect(error.code).toBe('redis');
  expect(error.message).toMatch(/^instance main: .+[^.\s]$/);
  // Nor where a logger or a debugger would look.
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(password);
  return error;
}

async function tlsServer(options: ServerOptions): Promise<{ url: string; tls: Tls }> {
  const { url, tls } = await startServer({ ...options, tls: true });
  if (tls === undefined) throw new Error('no TLS');
  return { url, tls };
}

function folder(): string {
  const path = makeTempFolder();
  onTestFinished(() => removeTempFolder(path));
  return path;
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return address.port;
}

it('says that nothing listens', async () => {
  const error = await failureOf(open({ url: `redis://127.0.0.1:${await freePort()}` }));
  expect(error).toMatchObject({ reason: 'refused', hint: expect.stringContaining('its address and port') });
  expect(error.message).toMatch(
    /^instance main: cannot connect to redis:\/\/127\.0\.0\.1:\d+: connection refused$/,
  );
});

it('says that the host is unknown', async () => {
  // No name server is asked: a label has at most 63 letters.
  const error = await failureOf(open({ url: `redis://${'x'.repeat(64)}:6379` }));
  expect(error.reason).toBe('unknown-host');
  expect(error.message).toMatch(/the host name does not resolve$/);
});

describe.each(edgeBuilds())('$name', (build) => {
  it('connects with a password or a user, and says what is wrong with them', async () => {
    const server = await startServer({ build, config: { requirepass: password } });
    await server.call('ACL', 'SETUSER', 'agent', 'on', `>${password}`, '+ping');
    await server.call('ACL', 'SETUSER', 'off', 'off', `>${password}`, '+ping');
    const { url } = server;
    expect(await (await open({ url, password: secret })).call('PING')).toBe('PONG');
    expect(await (await open({ url, username: 'agent', password: secret })).call('PING')).toBe('PONG');
    const wrong = [
      { password: new Secret(`not-${password}`) },
      { username: 'agent', password: new Secret(`not-${password}`) },
      { username: 'unknown', password: secret },
      { username: 'off', password: secret },
    ];
    for (const credential of wrong) {
      const error = await failureOf(open({ url, ...credential }));
      expect(error.reason).toBe('wrongpass');
      expect(error.message).toBe(`instance main: cannot connect to ${url}: wrong user or password`);
      expect(error.hint).toMatch(/check username and password/);
    }
    const missing = await failureOf(open({ url }));
    expect(missing).toMatchObject({ reason: 'noauth', hint: expect.stringContaining('set password') });
    expect(missing.message).toMatch(/: no password was given$/);
  });

  it('connects with a password that the server does not want', async () => {
    const server = await startServer({ build });
    expect(await (await open({ url: server.url, password: secret })).call('PING')).toBe('PONG');
  });

  it('names the right that is missing', async () => {
    const server = await startServer({ build });
    await server.call('ACL', 'SETUSER', 'agent', 'on', `>${password}`, '+get', '~allowed');
    // Not even PING: enough to connect.
    const connection = await open({ url: server.url, username: 'agent', password: secret });
    expect(await failureOf(connection.call('CONFIG', 'GET', 'dir'))).toMatchObject({
      reason: 'noperm',
      message: 'instance main: user agent may not run CONFIG GET',
      hint: 'grant it on the server: ACL SETUSER agent +config|get',
    });
    expect(await failureOf(connection.call('bgsave', 'schedule'))).toMatchObject({
      message: 'instance main: user agent may not run BGSAVE',
      hint: 'grant it on the server: ACL SETUSER agent +bgsave',
    });
    expect(await failureOf(connection.call('GET', 'other'))).toMatchObject({
      reason: 'noperm',
      message: 'instance main: user agent may not use the keys of GET',
    });
    // What a hint says is what helps.
    await server.call('ACL', 'SETUSER', 'agent', '+config|get');
    expect(await connection.call('CONFIG', 'GET', 'dir')).toEqual(['dir', expect.any(String)]);
  });

  it('repeats no argument of AUTH and ACL', async () => {
    const server = await startServer({ build, config: { 'rename-command': 'AUTH LOGIN' } });
    const auth = await failureOf(open({ url: server.url, password: secret }));
    expect(auth).toMatchObject({ reason: 'unknown-command', message: expect.not.stringContaining(password) });
    const connection = await open({ url: server.url });
    const acl = await failureOf(connection.call('ACL', 'SETUSER', 'x', `bad${password}`));
    expect(acl.message).toMatch(
      /^instance main: ACL SETUSER: ERR Error in ACL SETUSER modifier …: Syntax error$/,
    );
  });

  it('says that there are too many clients', async () => {
    const server = await startServer({ build, config: { maxclients: '1' } });
    const error = await failureOf(open({ url: server.url }));
    expect(error).toMatchObject({ reason: 'maxclients', hint: expect.stringContaining('raise maxclients') });
    expect(error.message).toMatch(/: ERR max number of clients reached$/);
  });

  it('connects to a server that is busy, and says so for each command', async () => {
    const server = await startServer({ build, config: { 'lua-time-limit': '5' } });
    const script = server.call('EVAL', 'while true do end', 0).catch(() => {});
    const connection = await open({ url: server.url });
    expect(await failureOf(connection.call('INFO'))).toMatchObject({
      reason: 'busy',
      hint: expect.stringContaining('SCRIPT KILL'),
    });
    expect(await connection.call('SCRIPT', 'KILL')).toBe('OK');
    await script;
    expect(await connection.call('PING')).toBe('PONG');
  });

  it('connects to a server that is loading', async () => {
    // Commands are answered every so many bytes only: 2 MiB before the directive came.
    const often = build.version.startsWith('6.0') ? {} : { 'loading-process-events-interval-bytes': '1024' };
    const config = { 'key-load-delay': '1000', rdbcompression: 'no', ...often };
    const server = await startServer({ build, until: 'listening', config });
    await server.call('DEBUG', 'POPULATE', 2000, 'key', 10_000);
    await server.call('SAVE');
    await server.restart();
    const connection = await open({ url: server.url });
    expect(String(await connection.call('INFO', 'persistence'))).toMatch(/loading:1/);
    expect(await failureOf(connection.call('GET', 'key:1'))).toMatchObject({ reason: 'loading' });
  });

  it('speaks TLS, and says why it cannot', async () => {
    const { tls, url } = await tlsServer({ build });
    const other = makeCertificates(folder());
    expect(await (await open({ url: tls.url, tls })).call('PING')).toBe('PONG');
    expect(
      await (await open({ url: tls.url, tls: { ca: tls.ca, server_name: 'localhost' } })).call('PING'),
    ).toBe('PONG');

    const untrusted = { reason: 'tls', hint: expect.stringContaining('set tls.ca') };
    expect(await failureOf(open({ url: tls.url }))).toMatchObject(untrusted);
    expect(await failureOf(open({ url: tls.url, tls: { ca: other.ca } }))).toMatchObject(untrusted);
    const name = await failureOf(open({ url: tls.url, tls: { ca: tls.ca, server_name: 'redis.example' } }));
    expect(name.message).toMatch(
      /: the server’s certificate is for another name \(localhost, 127\.0\.0\.1\)$/,
    );

    const plain = await failureOf(open({ url: url.replace('redis:', 'rediss:'), tls }, 300));
    expect(plain).toMatchObject({ reason: 'timeout', hint: expect.stringContaining('tls-port') });
    const encrypted = await failureOf(open({ url: tls.url.replace('rediss:', 'redis:') }));
    expect(encrypted).toMatchObject({ reason: 'closed', hint: expect.stringContaining('rediss://') });
  });

  it.each(['TLSv1.2', 'TLSv1.3'])('says what is wrong with the client certificate (%s)', async (protocol) => {
    const { tls } = await tlsServer({
      build,
      config: { 'tls-auth-clients': 'yes', 'tls-protocols': protocol },
    });
    const other = makeCertificates(folder());
    expect(await (await open({ url: tls.url, tls })).call('PING')).toBe('PONG');
    const missing = await failureOf(open({ url: tls.url, tls: { ca: tls.ca } }));
    expect(missing).toMatchObject({ reason: 'tls', hint: 'set tls.cert and tls.key of this instance' });
    expect(missing.message).toMatch(/: the server wants a client certificate$/);
    const foreign = await failureOf(open({ url: tls.url, tls: { ...other, ca: tls.ca } }));
    expect(foreign.message).toMatch(/: the server does not accept this client certificate$/);
  });
});

it('says what is wrong with the TLS files', async () => {
  const dir = folder();
  const own = makeCertificates(dir);
  mkdirSync(join(dir, 'other'));
  const other = makeCertificates(join(dir, 'other'));
  const garbage = join(dir, 'garbage');
  writeFileSync(garbage, `-----BEGIN PRIVATE KEY-----\n${password}\n-----END PRIVATE KEY-----\n`);
  const url = `rediss://127.0.0.1:${await freePort()}`;
  const messageFor = async (tls: RedisTarget['tls']): Promise<string> => {
    const error = await failureOf(open({ url, tls }));
    expect(error.reason).toBe('tls');
    return error.message;
  };
  expect(await messageFor({ ca: '/none' })).toBe('instance main: cannot use tls.ca /none: it does not exist');
  expect(await messageFor({ ca: garbage })).toMatch(/garbage: it is not a certificate in PEM$/);
  expect(await messageFor({ cert: own.cert, key: garbage })).toMatch(
    /it is not a private key without a passphrase in PEM$/,
  );
  expect(await messageFor({ cert: own.cert, key: other.key })).toMatch(
    /tls\.cert and tls\.key do not belong together$/,
  );
});

it('connects by a unix socket', async () => {
  const server = await startServer({ config: { requirepass: password } });
  expect(await (await open({ url: server.socketUrl, password: secret })).call('PING')).toBe('PONG');
  expect(await failureOf(open({ url: 'unix:///none/redis.sock' }))).toMatchObject({
    reason: 'refused',
    message: 'instance main: cannot connect to unix:///none/redis.sock: there is no such socket',
  });
  const left = await failureOf(open({ url: `unix://${server.configFile}` }));
  expect(left.message).toMatch(/: nothing listens on this socket$/);
  actAsNobody(server.dir, [server.socket]);
  expect(await failureOf(open({ url: server.socketUrl, password: secret }))).toMatchObject({
    reason: 'denied',
    message: expect.stringMatching(/: permission denied on the socket$/),
    hint: expect.stringContaining('group that owns the socket'),
  });
});

it.each(['redis', 'rediss'])('gives up on a server that accepts and never answers (%s)', async (scheme) => {
  const port = await listen(createServer());
  const error = await failureOf(open({ url: `${scheme}://127.0.0.1:${port}` }, 200));
  expect(error.reason).toBe('timeout');
});

it('gives up on a command that is never answered', async () => {
  const server = await startServer();
  const connection = await open({ url: server.url }, 200);
  await server.kill('SIGSTOP');
  const error = await failureOf(connection.call('INFO'));
  expect(error).toMatchObject({ reason: 'timeout', message: 'instance main: INFO: no answer in time' });
});

it.each([
  ['redis', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'not-redis', /not in Redis’s protocol/],
  ['rediss', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'tls', /does not speak TLS/],
  ['redis', '', 'closed', /closed the connection at once/],
  ['rediss', '', 'closed', /closed the connection at once/],
])('says that no Redis answers: %s, %j', async (scheme, answer, reason, message) => {
  const port = await listen(createServer((socket) => socket.end(answer)));
  const error = await failureOf(open({ url: `${scheme}://127.0.0.1:${port}` }));
  expect(error.reason).toBe(reason);
  expect(error.message).toMatch(message);
});

it('ends with its server, and each command says so', async () => {
  const server = await startServer();
  const connection = await open({ url: server.url });
  await server.kill('SIGKILL');
  const closed = { reason: 'closed', message: 'instance main: PING: the connection is closed' };
  expect(await failureOf(connection.call('PING'))).toMatchObject(closed);
  await server.restart();
  // A new server is never taken for the old one.
  expect(await failureOf(connection.call('PING'))).toMatchObject(closed);
});

it('answers each command of a pipeline', async () => {
  const server = await startServer();
  const connection = await open({ url: server.url });
  const replies = await connection.pipeline([
    ['SET', 'a', 1],
    ['NOSUCH', password],
    ['INCR', 'a'],
    ['LRANGE', 'a', 0, 1],
  ]);
  expect(replies[0]).toBe('OK');
  expect(replies[1]).toMatchObject({
    reason: 'unknown-command',
    message: 'instance main: NOSUCH: the server does not know this command',
    hint: expect.stringContaining('rename-command'),
  });
  expect(replies[2]).toBe(2);
  expect(replies[3]).toMatchObject({ message: expect.stringMatching(/^instance main: LRANGE: WRONGTYPE/) });
});

it('reads no more of an answer than it should have to', async () => {
  const part = Buffer.alloc(64 * 1024, 'x');
  const answered = new Set<boolean>();
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      if (!chunk.includes('INFO')) {
        socket.write('+PONG\r\n');
        return;
      }
      socket.write('$500000000\r\n');
      const flood = (): void => {
        while (!socket.destroyed && socket.write(part));
      };
      socket.on('drain', flood).on('close', () => answered.add(socket.bytesWritten < 500_000_000));
      flood();
    });
  });
  const url = `redis://127.0.0.1:${await listen(server)}`;
  const failure = await failureOf((await open({ url })).call('INFO'));
  expect(failure).toMatchObject({
    reason: 'too-long',
    message: 'instance main: INFO was answered with more than 32 MiB, and no more was read',
  });
  await expect.poll(() => [...answered]).toEqual([true]);
});
