// Services that are like S3, and not quite: what they lack is said in one line, and backups go there and come back.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { runAgent, takeBackup, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { shareCertificates } from '../../support/servers/certificates.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';
import { s3Repository, startFaultyS3 } from '../../support/stores/faulty-s3.ts';
import type { FaultServer } from '../../support/stores/fault-server.ts';
import { quirks, type Quirk } from '../../support/stores/quirks.ts';
import type { S3TestServer } from '../../support/stores/s3-servers.ts';

interface Place {
  server: TestServer;
  config: TestConfig;
  faults: FaultServer;
  store: S3TestServer;
  settings: (more: Record<string, unknown>) => void;
}

async function place(more: Record<string, unknown> = {}): Promise<Place> {
  const server = await startServer();
  const { store, faults } = await startFaultyS3();
  const config = writeConfig({ server });
  const settings = (others: Record<string, unknown>): void => {
    const { repository } = s3Repository(config, store, faults.endpoint);
    config.rewrite({ server, repository: { ...repository, ...others } });
  };
  settings(more);
  return { server, config, faults, store, settings };
}

async function storeLine(
  config: TestConfig,
  env: NodeJS.ProcessEnv = {},
): Promise<{ verdict: string; detail: string; next: string }> {
  const { json } = await runAgent(['check', '--json'], { config, env });
  const lines: { what: string; verdict: string; detail: string; next: string }[] = json;
  expect(lines.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
  return lines.find(({ what }) => what === 'store') ?? { verdict: 'missing', detail: '', next: '' };
}

/** More than one part of 5 MiB, which nothing compresses. */
async function fill(server: TestServer): Promise<void> {
  const { randomBytes } = await import('node:crypto');
  for (let key = 0; key < 14; key++)
    await server.call('SET', `key:${key}`, randomBytes(750_000).toString('hex'));
}

/** A backup of several parts, its proof, and its keys back in the server. */
async function goesRound({ server, config, settings }: Place): Promise<void> {
  settings({ part_size: '5mb', compression: 'none' });
  await fill(server);
  const before = await server.call('GET', 'key:3');
  const id = await takeBackup(config);
  expect((await runAgent(['backups', 'verify', id], { config })).code).toBe(0);
  await server.call('FLUSHALL');
  const restored = await runAgent(['restore', id, '--keys', '*', '--into', 'main', '--yes'], { config });
  expect(restored.code, restored.stdout + restored.stderr).toBe(0);
  expect(await server.call('GET', 'key:3')).toBe(before);
  expect((await runAgent(['backups', 'list', '--json'], { config })).json).toMatchObject({
    backups: [{ id, state: 'complete' }],
    foreign: [],
  });
}

const said: Record<Quirk, [RegExp, string]> = {
  checksums: [/lacks checksum headers \(Content-MD5 is sent/, 'ok'],
  'checksums-501': [/lacks checksum headers/, 'ok'],
  'object-size': [/lacks x-amz-mp-object-size/, 'ok'],
  condition: [/lacks If-None-Match/, 'ok'],
  'upload-list': [/lacks ListMultipartUploads \(what a killed backup/, 'warning'],
  'weak-etags': [/lacks strong ETags/, 'ok'],
  length: [/lacks the length in HEAD/, 'ok'],
  times: [/lacks times as S3 writes them/, 'ok'],
};

test.each(Object.entries(said))('%s: said by check in one line', async (name, [detail, verdict]) => {
  const { config, faults } = await place();
  expect(await storeLine(config)).toMatchObject({ verdict: 'ok', detail: 'lacks nothing' });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a key of it
  quirks[name as Quirk](faults);
  expect(await storeLine(config)).toMatchObject({ verdict, detail: expect.stringMatching(detail) });
  expect(faults.openUploads.size).toBe(0);
});

test.each([
  ['old Ceph', ['checksums', 'object-size', 'times']],
  ['a gateway', ['condition', 'upload-list', 'weak-etags']],
  ['a proxy that compresses', ['checksums-501', 'length', 'upload-list']],
] as const)('%s: a backup goes there and comes back', async (_, names) => {
  const here = await place();
  for (const name of names) quirks[name](here.faults);
  await goesRound(here);
  expect(here.faults.openUploads.size).toBe(0);
});

test('parts of one object are of one size, but the last', async () => {
  const here = await place();
  await goesRound(here);
  // In whatever order they came.
  const [last = 0, ...sizes] = here.faults.partSizes.toSorted((a, b) => a - b);
  expect(sizes.length).toBeGreaterThan(1);
  expect(new Set(sizes)).toEqual(new Set([5 * 2 ** 20]));
  expect(last).toBeLessThanOrEqual(5 * 2 ** 20);
});

test('checksums: required is an error where they are refused, off sends none', async () => {
  const { config, faults, settings } = await place({ checksums: 'required' });
  quirks.checksums(faults);
  const refused = await runAgent(['backup', '--json'], { config });
  expect(refused).toMatchObject({ code: 5 });
  faults.reset();
  settings({ checksums: 'off' });
  await takeBackup(config);
  expect(
    Object.keys(faults.headers.get('PutObject') ?? {}).filter((name) => name.includes('checksum')),
  ).toEqual([]);
  expect(faults.headers.get('PutObject')).toHaveProperty('content-md5');
});

test('a 501 is no overload', async () => {
  const { config, faults } = await place();
  faults.plan('PutObject', { kind: 'answer', status: 501, code: 'NotImplemented' });
  const { code, stderr } = await runAgent(['backup'], { config });
  expect({ code, stderr }).toEqual({
    code: 5,
    stderr: expect.stringMatching(/does not offer this \(501 NotImplemented\)/),
  });
  expect(stderr).not.toMatch(/overload|again and again/);
});

test('what a bucket with versions keeps of removed backups is said, and goes on request', async () => {
  const { server, config, faults } = await place();
  faults.keepVersions();
  await server.call('SET', 'key', 'value');
  const [first, second] = [await takeBackup(config), await takeBackup(config)];
  expect(await storeLine(config)).toMatchObject({
    verdict: 'warning',
    detail: expect.stringContaining('old versions'),
    next: expect.stringContaining('prune --old-versions'),
  });
  // Somebody removes one, and somebody writes over the other.
  for (const key of [...faults.versions.keys()].filter((each) => each.includes(first)))
    await fetch(`${faults.endpoint}/redis-agent-test/${key}`, { method: 'DELETE' });
  const manifest = `main/${second}/manifest.json`;
  const now = faults.versions.get(manifest) ?? [];
  faults.versions.set(manifest, [{ id: 'older', bytes: 7, mark: false }, ...now]);
  const old = ['backups', 'prune', '--old-versions'];
  const plan = await runAgent([...old, '--dry-run', '--json'], { config });
  expect(plan.json).toMatchObject({ dry_run: true, backups: [{ id: first }], expired: 0 });
  const shown = await runAgent([...old, '--dry-run'], { config });
  expect(shown.stdout).toMatch(new RegExp(`${first} .*\n.*nothing was removed`, 's'));
  const gone = await runAgent([...old, '--yes', '--json'], { config });
  expect(gone.json).toMatchObject({ dry_run: false, backups: [{ id: first }], kept: [] });
  expect(gone.json.expired).toBe(gone.json.backups[0].versions);
  expect(faults.versions.get(`main/${first}/manifest.json`)).toEqual([]);
  expect(faults.versions.get(manifest)).toHaveLength(now.length + 1);
  expect((await runAgent(old, { config })).stdout).toMatch(/nothing is kept/);
});

test('a directory keeps no versions', async () => {
  const config = writeConfig({ server: await startServer() });
  expect(await runAgent(['backups', 'prune', '--old-versions', '--yes'], { config })).toMatchObject({
    code: 7,
  });
});

/** A proxy that forwards, and counts what goes through it. */
async function startProxy(): Promise<{ url: string; seen: string[] }> {
  const seen: string[] = [];
  const proxy: Server = createServer((request, response) => {
    seen.push(request.url ?? '');
    void forwardTo(request.url ?? '', request, response);
  });
  proxy.on('connect', (request, socket) => {
    seen.push(`CONNECT ${request.url}`);
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const up = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      up.pipe(socket).pipe(up);
    });
    up.on('error', () => socket.destroy());
    socket.on('error', () => up.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, seen };
}

async function forwardTo(url: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { request: ask } = await import('node:http');
  const { method, headers } = request;
  const up = ask(url, { method, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  up.on('error', () => response.destroy());
  request.pipe(up);
}

test('through a proxy, by the configuration or the environment', async () => {
  const { config, faults, settings } = await place();
  const proxy = await startProxy();
  settings({ proxy: proxy.url });
  await takeBackup(config);
  expect(proxy.seen.length).toBeGreaterThan(0);
  settings({});
  proxy.seen.length = 0;
  const env = { http_proxy: proxy.url };
  expect((await runAgent(['backups', 'list'], { config, env })).code).toBe(0);
  expect(proxy.seen.length).toBeGreaterThan(0);
  proxy.seen.length = 0;
  expect((await runAgent(['backups', 'list'], { config, env: { ...env, NO_PROXY: '127.0.0.1' } })).code).toBe(
    0,
  );
  settings({ proxy: 'none' });
  expect((await runAgent(['backups', 'list'], { config, env })).code).toBe(0);
  expect(proxy.seen).toEqual([]);
  expect(faults.calls.length).toBeGreaterThan(0);
});

test('a certificate of an authority of one’s own: ca, also through a proxy', async () => {
  const { config, faults, settings } = await place();
  const { dir } = await startServer();
  const { ca, cert, key } = shareCertificates(dir);
  const tls = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
    void forwardTo(`${faults.endpoint}${request.url}`, request, response);
  });
  tls.listen(0, '127.0.0.1');
  await once(tls, 'listening');
  onTestFinished(() => {
    tls.closeAllConnections();
    tls.close();
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  const endpoint = `https://127.0.0.1:${(tls.address() as AddressInfo).port}`;
  settings({ endpoint });
  const refused = await runAgent(['backups', 'list'], { config });
  expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining('repository.ca') });
  settings({ endpoint, ca });
  await takeBackup(config);
  const proxy = await startProxy();
  settings({ endpoint, ca, proxy: proxy.url });
  expect((await runAgent(['backups', 'list'], { config })).code).toBe(0);
  expect(proxy.seen.some((each) => each.startsWith('CONNECT '))).toBe(true);
  settings({ endpoint, ca: '/nowhere/ca.pem' });
  expect(await runAgent(['backups', 'list'], { config })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('/nowhere/ca.pem'),
  });
});
