import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../servers/free-port.ts';
import { hasEnded, outputOf, spawnOwned } from '../servers/owned-process.ts';
import { openS3Server, s3Credentials, type S3Support, type S3TestServer } from './s3-server.ts';
import { cacheFolder } from '../servers/server-builds.ts';
import { makeTempFolder, removeTempFolder } from '../house/temp-folder.ts';

export { s3Client, type S3Support, type S3TestServer } from './s3-server.ts';

/** An S3 server that the tests know: with `start` when it is here, with `missing`, the reason, when not. */
export interface KnownS3Server {
  name: string;
  start?: () => Promise<S3TestServer>;
  missing?: string;
}

/** fauxqs comes with the npm packages, the others from scripts/fetch-s3-servers. */
export function availableS3Servers(): KnownS3Server[] {
  return [
    { name: 'fauxqs', start: startFauxqs },
    ifFetched('moto', startMoto),
    ifFetched('radosgw', startRadosgw),
  ];
}

function ifFetched(name: string, start: () => Promise<S3TestServer>): KnownS3Server {
  if (existsSync(join(programFolder(name), 'version'))) return { name, start };
  return { name, missing: `${name} is not here: scripts/fetch-s3-servers fetches it, or says why it cannot` };
}

/** Runs in this process and keeps everything in memory: always here, but it overwrites whatever it is told. */
export async function startFauxqs(): Promise<S3TestServer> {
  const { buildApp } = await import('fauxqs');
  const app = buildApp({ logger: false });
  // Its own limit of 11 MiB is below our part size.
  app.removeContentTypeParser('*');
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 256 * 2 ** 20 }, (_request, body, done) => {
    done(null, body);
  });
  const endpoint = await app.listen({ host: '127.0.0.1', port: 0 });
  return await openS3Server('fauxqs', endpoint, { ...nothing, multipart: true }, async () => {
    app.server.closeAllConnections();
    await app.close();
  });
}

/** The most complete, but it takes any signature, and at 60 MB/s it is no measure of speed. */
async function startMoto(): Promise<S3TestServer> {
  return await startProgram('moto', { ...everything, rejectsBadSignature: false }, async (_dir, port) =>
    `-W ignore -m moto.server -H 127.0.0.1 -p ${port}`.split(' '),
  );
}

/** Ceph's gateway without a cluster, on plain files: the one that checks signatures. */
async function startRadosgw(): Promise<S3TestServer> {
  const supports = { ...nothing, ifNoneMatch: true, multipart: true, rejectsBadSignature: true };
  return await startProgram('radosgw', supports, async (dir, port) => {
    const common = ['--no-mon-config', '-c', writeRadosgwConfig(dir, port), '-n', 'client.rgw'];
    const { accessKeyId, secretAccessKey } = s3Credentials;
    const user = ['user', 'create', '--uid', 'test', '--display-name', 'test'];
    const keys = ['--access-key', accessKeyId, '--secret-key', secretAccessKey];
    await radosgwAdmin([...common, ...user, ...keys], dir);
    return ['-f', ...common];
  });
}

/**
 * radosgw-admin 20.2 now and then never ends: its threads lock each other out after the work is done and the answer,
 * one JSON object, is printed. So the answer is its end.
 */
async function radosgwAdmin(args: string[], dir: string): Promise<void> {
  const child = spawnOwned(join(programFolder('radosgw'), 'run-admin'), args, dir);
  const output = outputOf(child);
  let answer = '';
  child.stdout?.on('data', (chunk) => {
    answer += String(chunk);
    if (/\n}\s*$/.test(answer)) child.kill('SIGKILL');
  });
  await once(child, 'close');
  if (child.exitCode !== 0 && !answer.includes('"user_id"'))
    throw new Error(`radosgw-admin failed: ${output()}`);
}

const nothing: S3Support = {
  ifNoneMatch: false,
  ifNoneMatchMultipart: false,
  objectLock: false,
  rejectsBadSignature: false,
  multipart: false,
  listsUploads: false,
  encryption: false,
};

const everything: S3Support = {
  ifNoneMatch: true,
  ifNoneMatchMultipart: true,
  objectLock: true,
  rejectsBadSignature: true,
  multipart: true,
  listsUploads: true,
  encryption: true,
};

function programFolder(name: string): string {
  return join(cacheFolder(), 's3', name);
}

/** Starts the fetched program `name` with the arguments that `prepare` gives, and waits until it answers. */
async function startProgram(
  name: string,
  supports: S3Support,
  prepare: (dir: string, port: number) => Promise<string[]>,
): Promise<S3TestServer> {
  const dir = makeTempFolder();
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const args = await prepare(dir, port).catch((error: unknown) => {
    removeTempFolder(dir);
    throw error;
  });
  const child = spawnOwned(join(programFolder(name), 'run'), args, dir);
  const output = outputOf(child);
  const stop = async (): Promise<void> => {
    if (!hasEnded(child) && child.pid !== undefined) {
      process.kill(-child.pid, 'SIGKILL');
      await once(child, 'exit');
    }
    removeTempFolder(dir);
  };
  while (!(await answers(endpoint))) {
    if (hasEnded(child)) {
      await stop();
      throw new Error(`${name} did not start: ${output()}`);
    }
    await delay(10);
  }
  return await openS3Server(name, endpoint, supports, stop);
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    await (await fetch(endpoint)).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** The `posix` filter keeps objects as files; without it, dbstore gives multipart uploads back damaged. */
function writeRadosgwConfig(dir: string, port: number): string {
  for (const name of ['users', 'objects', 'index']) mkdirSync(join(dir, name));
  const lines = [
    '[global]',
    'rgw backend store = dbstore',
    'rgw config store = dbstore',
    'rgw filter = posix',
    `dbstore db dir = ${join(dir, 'users')}`,
    `dbstore config uri = file:${join(dir, 'config.db')}`,
    `rgw posix base path = ${join(dir, 'objects')}`,
    `rgw posix database root = ${join(dir, 'index')}`,
    `rgw data = ${dir}`,
    `run dir = ${dir}`,
    `log file = ${join(dir, 'radosgw.log')}`,
    'admin socket =',
    'pid file =',
    `rgw frontends = beast endpoint=127.0.0.1:${port}`,
  ];
  const file = join(dir, 'ceph.conf');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}
