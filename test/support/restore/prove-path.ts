import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { KeyCount, Manifest } from '../../../src/domain/backup.ts';
import {
  runAgent,
  writeConfig,
  type AgentResult,
  type ConfigOptions,
  type TestConfig,
} from '../agent/cli.ts';
import { addOverdue, fillServer, overdue } from '../data/data-set.ts';
import { countDescribed, describeData, type DataDescription } from '../data/describe-data.ts';
import type { TestServer } from '../servers/redis-server.ts';
import type { S3TestServer } from '../stores/s3-servers.ts';
import {
  decodeWithTools,
  manifestOf,
  proofsOf,
  readFromBucket,
  readFromFolder,
  serverWithDump,
  type StoredBackup,
} from '../stores/stored-backup.ts';

/** A key of age-keygen: its file, and what goes into a configuration. */
export interface AgeKey {
  file: string;
  recipient: string;
  encryption: NonNullable<ConfigOptions['encryption']>;
}

export function makeAgeKey(folder: string): AgeKey {
  const file = join(folder, 'key.txt');
  execFileSync('age-keygen', ['-o', file], { stdio: 'pipe' });
  const recipient = execFileSync('age-keygen', ['-y', file], { encoding: 'utf8' }).trim();
  const identity = readFileSync(file, 'utf8').trim();
  return { file, recipient, encryption: { recipients: [recipient], identity } };
}

/** A configuration, and how to read what is stored without the agent. */
export interface Place {
  config: TestConfig;
  read(id: string, instance?: string): Promise<StoredBackup>;
}

export function inFolder(options: ConfigOptions): Place {
  const config = writeConfig(options);
  return { config, read: async (id, instance = 'main') => readFromFolder(config.repository, instance, id) };
}

/** `more`: other settings of the repository. */
export function inBucket(
  s3: S3TestServer,
  options: ConfigOptions,
  more: Record<string, unknown> = {},
): Place {
  const config = writeConfig(options);
  const prefix = `tests/${randomBytes(4).toString('hex')}`;
  const repository = {
    type: 's3',
    bucket: s3.bucket,
    prefix,
    region: s3.region,
    endpoint: s3.endpoint,
    credentials: {
      access_key_id: config.secret('s3-id', s3.accessKeyId),
      secret_access_key: config.secret('s3-key', s3.secretAccessKey),
    },
    ...more,
  };
  config.rewrite({ ...options, repository });
  return { config, read: (id, instance = 'main') => readFromBucket(s3, prefix, instance, id) };
}

export async function backUp({ config }: Place, ...more: string[]): Promise<Manifest> {
  const result = await runAgent(['--json', 'backup', ...more], { config });
  expectOk(result);
  const proof = more.includes('--no-verify') ? {} : { verification: { verdict: 'ok', level: 'loaded' } };
  expect(result.json).toMatchObject(proof);
  return result.json.backup;
}

/** Compared as a whole, so that a failure shows everything that was said. */
export function expectOk({ code, stdout, stderr }: AgentResult): void {
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout, stderr: '' });
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** How it has to be stored: compressed, and not encrypted, where nothing else is said. */
export interface StoredForm {
  key?: AgeKey | undefined;
  uncompressed?: boolean;
}

/** Lengths, hashes and head of what is really stored; gives the decoded dump. */
export function checkStored(stored: StoredBackup, { key, uncompressed = false }: StoredForm = {}): Buffer {
  const manifest = manifestOf(stored);
  const name = `dump.rdb${uncompressed ? '' : '.zst'}${key === undefined ? '' : '.age'}`;
  const bytes = stored.get(name) ?? Buffer.alloc(0);
  const plain = decodeWithTools(name, bytes, key?.file);
  expect(manifest.schema).toBe(uncompressed ? 2 : 1);
  expect(manifest.artefacts).toEqual([
    {
      name,
      plain: { bytes: plain.length, sha256: sha256(plain) },
      stored: { bytes: bytes.length, sha256: sha256(bytes) },
      compression: uncompressed ? { algorithm: 'none' } : { algorithm: 'zstd', level: 1 },
      encryption: key === undefined ? null : { algorithm: 'age', recipients: [key.recipient] },
    },
  ]);
  expect(Number(/^(?:REDIS|VALKEY)0*(\d+)/.exec(plain.toString('latin1', 0, 12))?.[1])).toBe(
    manifest.rdb_version,
  );
  return plain;
}

/** The server's own words, asked again after the backup. */
export async function checkOrigin(server: TestServer, manifest: Manifest, role = 'master'): Promise<void> {
  const info = String(await server.call('INFO'));
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*)\r$`, 'm').exec(info)?.[1];
  expect(manifest).toMatchObject({
    instance: 'main',
    kind: 'rdb',
    server: {
      engine: server.build.engine,
      version: server.build.version,
      role,
      run_id: field('run_id'),
      replication_id: field('master_replid'),
    },
  });
  const at = (name: 'requested_at' | 'snapshot_at' | 'completed_at'): number => Date.parse(manifest[name]);
  expect(at('requested_at')).toBeLessThanOrEqual(at('snapshot_at'));
  expect(at('requested_at')).toBeLessThanOrEqual(at('completed_at'));
  expect(manifest.id.startsWith(manifest.requested_at.replaceAll(/[-:]|\.\d+/g, ''))).toBe(true);
  expect(Date.parse(manifest.server.started_at)).toBeLessThanOrEqual(at('requested_at'));
}

/** What the manifest has to say of a filled server with overdue keys. */
function withOverdue(description: DataDescription): Record<string, KeyCount> {
  const counts = countDescribed(description);
  for (const database of overdue.databases) {
    const { keys: before = 0, expires = 0 } = counts[database] ?? {};
    counts[database] = { keys: before + overdue.keys, expires: expires + overdue.keys };
  }
  return counts;
}

/** The whole path, once: back up, look at what is stored, decode it with public tools, load that, compare. */
export async function provePath(
  server: TestServer,
  place: Place,
  { flags = [], ...form }: StoredForm & { flags?: string[] } = {},
): Promise<void> {
  await fillServer(server);
  const before = await describeData(server);
  await addOverdue(server);
  const manifest = await backUp(place, ...flags);
  await checkOrigin(server, manifest);
  expect(manifest.keyspace).toEqual({ databases: withOverdue(before), exact: true });
  expect(manifest.rdb_checksum).toBe(true);

  const stored = await place.read(manifest.id);
  expect(manifestOf(stored)).toEqual(manifest);
  const proofs = flags.includes('--no-verify') ? [] : [{ level: 'loaded', ok: true }];
  expect(proofsOf(stored)).toMatchObject(proofs);
  const dump = checkStored(stored, form);
  expect(dump.equals(readFileSync(server.dumpPath))).toBe(true);
  const fresh = await serverWithDump(server.build, dump);
  expect(await describeData(fresh)).toEqual(before);
}
