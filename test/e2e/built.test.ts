import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startServer, type TestServer } from '../support/servers/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../support/house/temp-folder.ts';

// What the packages install: the bundle on its own, in a folder without node_modules above it.
const root = join(import.meta.dirname, '../..');
let folder = '';
let config = '';
let server: TestServer;

beforeAll(async () => {
  folder = makeTempFolder();
  execFileSync(join(root, 'scripts/build'), [join(folder, 'dist')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  server = await startServer();
  await server.call('SET', 'greeting', 'hello');
  config = join(folder, 'config.yaml');
  writeFileSync(
    config,
    `instances: [{ name: main, url: "${server.url}" }]
repository: { type: filesystem, path: ${join(folder, 'repository')} }
state: { path: ${join(folder, 'state')} }
`,
  );
});

afterAll(async () => {
  await server.stop();
  removeTempFolder(folder);
});

const argv = (...args: string[]): string[] => [
  '--disable-warning=ExperimentalWarning',
  join(folder, 'dist/main.mjs'),
  ...args,
];

async function agent(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, argv(...args), { cwd: folder });
  return stdout;
}

test('says its version and its commands', async () => {
  expect(await agent('--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(await agent('--help')).toContain('redis-agent backups ');
});

test('takes a backup and proves it', async () => {
  await agent('--config', config, 'backup', '--quiet');
  const [backup, ...others] = JSON.parse(
    await agent('--config', config, 'backups', 'list', '--json'),
  ).backups;
  expect(others).toEqual([]);
  expect(backup).toMatchObject({ state: 'complete', keys: 1, verified: { ok: true } });
  expect(existsSync(join(folder, 'repository/main', backup.id, 'manifest.json'))).toBe(true);
});

// No S3 server: what counts is that the SDK, loaded from its chunks, asks and understands an answer.
test('speaks S3 with the SDK in its chunks', async () => {
  const refusing = createServer((_request, response) => {
    response.writeHead(403, { 'content-type': 'application/xml' });
    response.end(
      '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>',
    );
  }).listen(0, '127.0.0.1');
  await once(refusing, 'listening');
  onTestFinished(() => void refusing.close());
  const address = refusing.address();
  const s3 = join(folder, 's3.yaml');
  writeFileSync(
    s3,
    `instances: [{ name: main, url: "${server.url}" }]
repository:
  type: s3
  bucket: nowhere
  region: us-east-1
  endpoint: http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}
  credentials: { access_key_id: { env: S3_ID }, secret_access_key: { env: S3_KEY } }
state: { path: ${join(folder, 'state-s3')} }
`,
  );
  const child = spawn(process.execPath, argv('--config', s3, 'backups', 'list'), {
    env: { ...process.env, S3_ID: 'id', S3_KEY: 'key' },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (data: Buffer) => (said += data.toString()));
  await once(child, 'close');
  expect(said).toMatch(/denied/i);
  expect(child.exitCode).toBe(5);
});

test('runs as a daemon until it is told to stop', async () => {
  const child = spawn(process.execPath, argv('--config', config, 'run'), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  for await (const data of child.stdout) {
    said += String(data);
    if (said.includes('"msg":"started"') && !child.killed) child.kill('SIGTERM');
  }
  if (child.exitCode === null) await once(child, 'exit');
  expect(said).toContain('"msg":"stopping');
  expect([child.exitCode, child.signalCode]).toEqual([0, null]);
});
