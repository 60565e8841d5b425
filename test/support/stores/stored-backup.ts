import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Manifest, Verification } from '../../../src/domain/backup.ts';
import { startServer, type ServerBuild, type TestServer } from '../servers/redis-server.ts';
import { s3Client, type S3TestServer } from './s3-servers.ts';
import { makeTempFolder, removeTempFolder } from '../house/temp-folder.ts';

/** The objects of one backup by name, read without the agent. */
export type StoredBackup = Map<string, Buffer>;

/** From a repository's folder, as anybody could copy them. */
export function readFromFolder(repository: string, instance: string, id: string): StoredBackup {
  const folder = join(repository, instance, id);
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
}

/** From a bucket, by the SDK. */
export async function readFromBucket(
  server: S3TestServer,
  prefix: string,
  instance: string,
  id: string,
): Promise<StoredBackup> {
  const { GetObjectCommand, ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  const client = await s3Client(server);
  try {
    const Bucket = server.bucket;
    const Prefix = `${prefix}/${instance}/${id}/`;
    const { Contents: found = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix }));
    const stored: StoredBackup = new Map();
    for (const { Key = '' } of found) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
      stored.set(Key.slice(Prefix.length), Buffer.from(bytes));
    }
    return stored;
  } finally {
    client.destroy();
  }
}

export function manifestOf(stored: StoredBackup): Manifest {
  return JSON.parse(String(stored.get('manifest.json')));
}

/** The proofs beside the manifest, oldest first. */
export function proofsOf(stored: StoredBackup): Verification[] {
  return [...stored]
    .filter(([name]) => name.startsWith('verify-'))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, text]): Verification => JSON.parse(String(text)));
}

/** What public tools make of an artefact of that name: `age -d`, `zstd -d`, both or none. `keyFile` is one of age-keygen. */
export function decodeWithTools(name: string, artefact: Buffer, keyFile: string | undefined): Buffer {
  const clear = keyFile === undefined ? artefact : pipe(artefact, 'age', '-d', '-i', keyFile);
  return name.includes('.zst') ? pipe(clear, 'zstd', '-dc') : clear;
}

function pipe(input: Buffer, program: string, ...args: string[]): Buffer {
  return execFileSync(program, args, { input, maxBuffer: 2 ** 28, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** A fresh server with that dump.rdb, started within a test. */
export async function serverWithDump(
  build: ServerBuild,
  dump: Buffer,
  config: Record<string, string> = {},
): Promise<TestServer> {
  const dir = makeTempFolder();
  onTestFinished(() => removeTempFolder(dir));
  writeFileSync(join(dir, 'dump.rdb'), dump);
  return await startServer({ build, config: { dir, ...config } });
}
