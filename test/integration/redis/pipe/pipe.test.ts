import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { AgentError } from '../../../../src/domain/errors.ts';
import { Secret } from '../../../../src/domain/secret.ts';
import { encodedArgument } from '../../../../src/redis/pipe/command-writer.ts';
import { Pipe, type PipeOptions } from '../../../../src/redis/pipe/pipe.ts';
import { PipeError, type PipeReply } from '../../../../src/redis/pipe/reply-parser.ts';
import type { RedisTarget } from '../../../../src/redis/connection/target.ts';
import { startCuttingProxy } from '../../../support/servers/cutting-proxy.ts';
import { edgeBuilds, startServer } from '../../../support/servers/redis-server.ts';

const password = 'a-password-that-is-never-shown';

interface Opened {
  pipe: Pipe;
  replies: [tag: number, reply: PipeReply][];
}

async function open(
  target: Partial<RedisTarget> & { url: string },
  options: Partial<PipeOptions> = {},
): Promise<Opened> {
  const replies: Opened['replies'] = [];
  const pipe = await Pipe.open(
    { name: 'target', ...target },
    { signal: new AbortController().signal, onReply: (tag, reply) => replies.push([tag, reply]), ...options },
  );
  onTestFinished(() => pipe.close());
  return { pipe, replies };
}

function set(pipe: Pipe, tag: number, value: Uint8Array = Buffer.from('value')): void {
  const key = Buffer.from(`key:${tag}`);
  pipe.out.start(3, key.length + value.length + 16);
  pipe.out.literal(encodedArgument('SET'));
  pipe.out.argument(key);
  pipe.out.argument(value);
  pipe.commit(tag);
}

/** The error, which must not hold the password in anything that could be shown of it. */
async function failure(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AgentError)) throw error;
  const { message, code, reason, hint, cause, stack } = error;
  expect(`${stack}${JSON.stringify(error)}${String(cause)}${JSON.stringify(cause ?? null)}`).not.toContain(
    password,
  );
  return { message, code, reason, hint };
}

test.each(edgeBuilds().map((build) => [build.name, build] as const))(
  'writes to %s in any block size, and hands replies over in order',
  async (_name, build) => {
    const server = await startServer({ build });
    const { pipe, replies } = await open(server, { window: 64 * 1024 });
    const large = Buffer.alloc(700_000, 'x');
    for (let tag = 0; tag < 20_000; tag++) {
      set(pipe, tag, tag % 5000 === 17 ? large : undefined);
      if (pipe.full) await pipe.ready();
    }
    await pipe.drain();
    expect(replies.length).toBe(20_000);
    expect(replies.every(([tag, reply], index) => tag === index && reply === 'OK')).toBe(true);
    expect(await server.call('DBSIZE')).toBe(20_000);
    expect(await server.call('STRLEN', 'key:5017')).toBe(large.length);
  },
);

test('an error belongs to its command, and the next ones go on', async () => {
  const server = await startServer();
  await server.call('SET', 'list', 'x');
  const { pipe, replies } = await open(server);
  set(pipe, 1);
  pipe.out.start(2, 4);
  pipe.out.literal(encodedArgument('LLEN'));
  pipe.out.argument(Buffer.from('list'));
  pipe.commit(2);
  set(pipe, 3);
  await pipe.drain();
  expect(replies).toEqual([
    [1, 'OK'],
    [2, expect.objectContaining({ code: 'WRONGTYPE' })],
    [3, 'OK'],
  ]);
  expect(await pipe.ask('GET', 'key:3')).toBe('value');
  expect(await pipe.ask('GET', 'nothing')).toBe(null);
  expect(await pipe.ask('NONSENSE')).toBeInstanceOf(PipeError);
});

test('the window bounds what is in flight', async () => {
  const server = await startServer();
  const window = 128 * 1024;
  const { pipe, replies } = await open(server, { window });
  let most = 0;
  for (let tag = 0; tag < 50_000; tag++) {
    set(pipe, tag);
    most = Math.max(most, tag - replies.length);
    if (pipe.full) await pipe.ready();
  }
  await pipe.drain();
  const commandBytes = '*3\r\n$3\r\nSET\r\n$5\r\nkey:1\r\n$5\r\nvalue\r\n'.length;
  expect(most).toBeGreaterThan(100);
  expect(most).toBeLessThanOrEqual(window / commandBytes + 1);
});

test('connects with a password, as a user, over TLS and through a socket', async () => {
  const server = await startServer({ tls: true, config: { requirepass: password }, auth: { password } });
  await server.call('ACL', 'SETUSER', 'loader', 'on', `>${password}2`, '~*', '+@all');
  const tls = { ca: server.tls!.ca };
  for (const target of [
    { url: server.url, password: new Secret(password) },
    { url: server.url, username: 'loader', password: new Secret(`${password}2`) },
    { url: server.tls!.url, tls, password: new Secret(password) },
    { url: server.socketUrl, password: new Secret(password) },
  ]) {
    const { pipe } = await open(target);
    expect(await pipe.ask('SET', 'key', target.url)).toBe('OK');
    expect(await server.call('GET', 'key')).toBe(target.url);
  }
  expect(await failure(open({ url: server.url, password: new Secret(`${password}!`) }))).toMatchObject({
    code: 'redis',
    reason: 'wrongpass',
  });
  expect(await failure(open({ url: server.url }))).toMatchObject({ code: 'redis', reason: 'noauth' });
  expect(await failure(open({ url: server.tls!.url }))).toMatchObject({ code: 'redis', reason: 'tls' });
  expect(
    await failure(open({ url: server.url.replace('redis:', 'rediss:'), tls }, { connectTimeout: 300 })),
  ).toMatchObject({ code: 'redis', reason: 'timeout', hint: expect.stringContaining('TLS port') });
});

test('a password that the server does not ask for is no error, and neither is a user who may not PING', async () => {
  const server = await startServer();
  const { pipe } = await open({ url: server.url, password: new Secret(password) });
  expect(await pipe.ask('SET', 'a', 'b')).toBe('OK');
  await server.call('ACL', 'SETUSER', 'narrow', 'on', `>${password}`, '~*', '+set');
  const { pipe: narrow } = await open({
    url: server.url,
    username: 'narrow',
    password: new Secret(password),
  });
  expect(await narrow.ask('SET', 'a', 'b')).toBe('OK');
  expect(await narrow.ask('GET', 'a')).toMatchObject({ code: 'NOPERM' });
});

test('says where nothing listens', async () => {
  expect(await failure(open({ url: 'redis://127.0.0.1:1' }))).toMatchObject({
    code: 'redis',
    reason: 'refused',
  });
  expect(await failure(open({ url: 'unix:///nowhere/redis.sock' }))).toMatchObject({
    code: 'redis',
    reason: 'refused',
  });
});

test('a cut connection is an error that knows how far the server confirmed', async () => {
  const server = await startServer();
  await using proxy = await startCuttingProxy(server.port);
  const { pipe, replies } = await open(proxy);
  proxy.cutAfter(proxy.passed + 1_000_000);
  const writing = (async () => {
    for (let tag = 0; tag < 200_000; tag++) {
      set(pipe, tag);
      if (pipe.full) await pipe.ready();
    }
    await pipe.drain();
  })();
  expect(await failure(writing)).toMatchObject({
    code: 'redis',
    reason: 'closed',
    message: expect.stringContaining('connection broke'),
  });
  // What was confirmed is there; a little more may be.
  expect(Number(await server.call('DBSIZE'))).toBeGreaterThanOrEqual(replies.length);
  expect(pipe.answered).toBe(replies.length + 1);
  expect(await failure(pipe.ready())).toMatchObject({ reason: 'closed' });
});

test('a server that stops answering is given up after the timeout', async () => {
  const server = await startServer();
  await using proxy = await startCuttingProxy(server.port);
  const { pipe } = await open(proxy, { timeout: 300 });
  proxy.stallAfter(proxy.passed + 10);
  set(pipe, 1);
  expect(await failure(pipe.drain())).toMatchObject({ code: 'redis', reason: 'timeout' });
});

test('a connection that nobody uses for a while stays open, where the server closes those that are idle', async () => {
  const server = await startServer({ config: { timeout: '2' } });
  const { pipe } = await open(server);
  set(pipe, 1);
  // Its clients are looked at once a second.
  await delay(5000);
  expect(await pipe.ask('DBSIZE')).toBe(1);
});

test('a server that is stopped while it greets times out', async () => {
  const server = await startServer();
  await server.kill('SIGSTOP');
  onTestFinished(() => server.kill('SIGCONT'));
  expect(await failure(open(server, { connectTimeout: 200 }))).toMatchObject({
    code: 'redis',
    reason: 'timeout',
  });
});

test('an abort ends every wait with its reason', async () => {
  const server = await startServer();
  const controller = new AbortController();
  const { pipe } = await open(server, { signal: controller.signal });
  await server.kill('SIGSTOP');
  set(pipe, 1);
  const waiting = pipe.drain();
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(
    Pipe.open({ name: 'target', url: server.url }, { signal: controller.signal, onReply: () => {} }),
  ).rejects.toThrow('enough');
  await server.kill('SIGCONT');
});

test('something else than Redis is told as such', async () => {
  const web = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  onTestFinished(() => void web.close());
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = web.address() as AddressInfo;
  expect(
    await failure(open({ url: `redis://127.0.0.1:${port}`, password: new Secret(password) })),
  ).toMatchObject({ code: 'redis', reason: 'not-redis' });
});

test('refusals of the server are replies with their code', async () => {
  const server = await startServer({ config: { maxmemory: '3mb', 'maxmemory-policy': 'noeviction' } });
  const { pipe, replies } = await open(server);
  for (let tag = 0; tag < 40; tag++) set(pipe, tag, Buffer.alloc(100_000));
  await pipe.drain();
  expect(replies.at(-1)?.[1]).toMatchObject({ code: 'OOM' });

  const replica = await startServer();
  await replica.call('REPLICAOF', '127.0.0.1', '1');
  const { pipe: onReplica, replies: refused } = await open(replica);
  set(onReplica, 1);
  await onReplica.drain();
  expect(refused[0]?.[1]).toMatchObject({ code: 'READONLY' });

  const node = await startServer({ config: { 'cluster-enabled': 'yes' } });
  const { pipe: onNode, replies: redirected } = await open(node);
  set(onNode, 1);
  await onNode.drain();
  expect(redirected[0]?.[1]).toMatchObject({ code: 'CLUSTERDOWN' });

  const busy = await startServer({ config: { 'lua-time-limit': '1' } });
  const { pipe: onBusy, replies: blocked } = await open(busy);
  const script = busy.call('EVAL', 'while true do end', 0).catch(() => {});
  for (let tag = 0; !(blocked.at(-1)?.[1] instanceof PipeError); tag++) {
    set(onBusy, tag);
    await onBusy.drain();
  }
  expect(blocked.at(-1)?.[1]).toMatchObject({ code: 'BUSY' });
  expect(await onBusy.ask('SCRIPT', 'KILL')).toBe('OK');
  await script;
});

test('a server that is loading refuses to begin with', async () => {
  const config = { 'key-load-delay': '1000', 'loading-process-events-interval-bytes': '1024' };
  const server = await startServer({ until: 'listening', config });
  await server.call('DEBUG', 'POPULATE', 20_000);
  await server.call('SAVE');
  await server.restart();
  expect(await failure(open(server))).toMatchObject({ code: 'redis', reason: 'loading' });
});
