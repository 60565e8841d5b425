import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KeyCount, Manifest } from '../../src/domain/backup.ts';
import {
  runAgent,
  writeConfig,
  type AgentResult,
  type ConfigOptions,
  type TestConfig,
} from '../support/cli.ts';
import { addOverdue, fillServer, overdue } from '../support/data-set.ts';
import { countDescribed, describeData, type DataDescription } from '../support/describe-data.ts';
import { serverBuilds, startServer, type TestServer } from '../support/redis-server.ts';
import { availableS3Servers, type S3TestServer } from '../support/s3-servers.ts';
import {
  decodeWithTools,
  manifestOf,
  proofsOf,
  readFromBucket,
  readFromFolder,
  serverWithDump,
  type StoredBackup,
} from '../support/stored-backup.ts';
import { makeTempFolder, removeTempFolder } from '../support/temp-folder.ts';

const keys = makeTempFolder();
const keyFile = join(keys, 'key.txt');
let encryption: { recipients: string[]; identity: string };
let fauxqs: S3TestServer;

beforeAll(async () => {
  execFileSync('age-keygen', ['-o', keyFile], { stdio: 'pipe' });
  const identity = readFileSync(keyFile, 'utf8').trim();
  const recipient = execFileSync('age-keygen', ['-y', keyFile], { encoding: 'utf8' }).trim();
  encryption = { recipients: [recipient], identity };
  const known = availableS3Servers().find(({ name }) => name === 'fauxqs');
  if (known?.start === undefined) throw new Error('fauxqs comes with the packages');
  fauxqs = await known.start();
});
afterAll(async () => {
  await fauxqs.stop();
  removeTempFolder(keys);
});

/** A configuration, and how to read what is stored without the agent. */
interface Place {
  config: TestConfig;
  read(id: string, instance?: string): Promise<StoredBackup>;
}

function inFolder(options: ConfigOptions): Place {
  const config = writeConfig(options);
  return { config, read: async (id, instance = 'main') => readFromFolder(config.repository, instance, id) };
}

function inBucket(s3: S3TestServer, options: ConfigOptions): Place {
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
  };
  config.rewrite({ ...options, repository });
  return { config, read: (id, instance = 'main') => readFromBucket(s3, prefix, instance, id) };
}

async function backUp({ config }: Place, ...more: string[]): Promise<Manifest> {
  const result = await runAgent(['--json', ...more, 'backup'], { config });
  expectOk(result);
  expect(result.json.verification).toMatchObject({ verdict: 'ok', level: 'loaded' });
  return result.json.backup;
}

function expectOk({ code, json, stderr }: AgentResult): void {
  expect({ code, error: json?.error, stderr }).toEqual({ code: 0, error: undefined, stderr: '' });
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Lengths, hashes and head of what is really stored; gives the decoded dump. */
function checkStored(stored: StoredBackup, encrypted = false): Buffer {
  const manifest = manifestOf(stored);
  const name = encrypted ? 'dump.rdb.zst.age' : 'dump.rdb.zst';
  const bytes = stored.get(name) ?? Buffer.alloc(0);
  const plain = decodeWithTools(bytes, encrypted ? keyFile : undefined);
  expect(manifest.artefacts).toEqual([
    {
      name,
      plain: { bytes: plain.length, sha256: sha256(plain) },
      stored: { bytes: bytes.length, sha256: sha256(bytes) },
      compression: { algorithm: 'zstd', level: 1 },
      encryption: encrypted ? { algorithm: 'age', recipients: encryption.recipients } : null,
    },
  ]);
  expect(Number(/^(?:REDIS|VALKEY)0*(\d+)/.exec(plain.toString('latin1', 0, 12))?.[1])).toBe(
    manifest.rdb_version,
  );
  expect(proofsOf(stored)).toMatchObject([{ level: 'loaded', ok: true }]);
  return plain;
}

/** The server's own words, asked again after the backup. */
async function checkOrigin(server: TestServer, manifest: Manifest, role = 'master'): Promise<void> {
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
async function provePath(server: TestServer, place: Place, encrypted = false): Promise<void> {
  await fillServer(server);
  const before = await describeData(server);
  await addOverdue(server);
  const manifest = await backUp(place);
  await checkOrigin(server, manifest);
  expect(manifest.keyspace).toEqual({ databases: withOverdue(before), exact: true });
  expect(manifest.rdb_checksum).toBe(true);

  const stored = await place.read(manifest.id);
  expect(manifestOf(stored)).toEqual(manifest);
  const dump = checkStored(stored, encrypted);
  expect(dump.equals(readFileSync(server.dumpPath))).toBe(true);
  const fresh = await serverWithDump(server.build, dump);
  expect(await describeData(fresh)).toEqual(before);
}

describe.each(serverBuilds().map((build, index) => ({ build, index, name: build.name })))(
  'on $name',
  ({ build, index }) => {
    // Two of eight rows for each server: any two values of its axes meet somewhere.
    const rows = [
      { store: 'a folder', encrypted: index % 2 === 1, aof: index % 4 > 1 },
      { store: 'fauxqs', encrypted: index % 2 === 0, aof: index % 4 < 2 },
    ].map((row) => ({
      ...row,
      name: `${row.store}, ${row.encrypted ? 'encrypted' : 'plain'}, AOF ${row.aof ? 'on' : 'off'}`,
    }));

    test.each(rows)('the whole path: $name', async ({ store, encrypted, aof }) => {
      const server = await startServer({ build, config: { appendonly: aof ? 'yes' : 'no' } });
      const options = { server, ...(encrypted ? { encryption } : {}) };
      const place = store === 'fauxqs' ? inBucket(fauxqs, options) : inFolder(options);
      await provePath(server, place, encrypted);
    });
  },
);
