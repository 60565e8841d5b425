import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { runAgent, type TestConfig } from '../agent/cli.ts';
import { fillServer, hasFunctions } from '../data/data-set.ts';
import { describeData, type DataDescription } from '../data/describe-data.ts';
import { manageServer, type ManagedServer } from '../servers/managed-server.ts';
import { expectOk, inBucket, inFolder, type AgeKey, type Place } from '../restore/prove-path.ts';
import { startServer, type ServerBuild } from '../servers/redis-server.ts';
import type { S3TestServer } from '../stores/s3-servers.ts';
import { makeTempFolder, removeTempFolder } from '../house/temp-folder.ts';
import type { Cell } from './cells.ts';
import { addBigKeys, changeData, writeOn } from './data.ts';

export interface Surroundings {
  build: ServerBuild;
  s3: S3TestServer;
  ageKey: AgeKey;
}

/**
 * One cell, as a user would go through it: a backup, other data, a restore. Then the server holds what the backup does,
 * also after a restart; what it held before is where the report says; and nothing else is left.
 */
export async function proveCell(cell: Cell, around: Surroundings): Promise<void> {
  const aof = cell.aof === 'AOF on';
  const kind = cell.kind === 'RDB backup' ? 'rdb' : 'aof';
  // What has no AOF when it is restored had one when that was backed up.
  const first = aof || kind === 'aof';
  const server = await manageServer({ build: around.build, config: { appendonly: first ? 'yes' : 'no' } });
  const place = placeOf(cell, server, around);
  await fill(server, first);
  const backedUp = await describeData(server);
  const taken = await runAgent(['--json', 'backup', '--kind', kind], place);
  expectOk(taken);
  expect(taken.json).toMatchObject({
    backup: { kind, artefacts: [{ name: nameOf(cell) }] },
    verification: { verdict: 'ok', level: 'loaded' },
  });
  if (first && !aof) {
    await server.call('CONFIG', 'SET', 'appendonly', 'no');
    server.configure({ appendonly: 'no' });
  }
  await changeData(server, hasFunctions(around.build));
  const later = await describeData(server);
  expect(later.digest).not.toBe(backedUp.digest);
  const [pid] = await server.pids();

  const restored = await runAgent(['--json', 'restore', '--yes', '--method', cell.method], place);
  expectOk(restored);
  await server.reconnect();
  expect(await describeData(server)).toEqual(backedUp);
  // Only the next start shows what the server has on its disk.
  expect((await server.pids()).includes(pid ?? 0)).toBe(cell.method === 'live');
  await server.restart();
  expect(await describeData(server)).toEqual(backedUp);

  const kept: string[] = cell.method === 'live' ? [] : restored.json.set_aside;
  const old =
    cell.method === 'live'
      ? await fetched(place.config, restored.json.restored.pre_backup)
      : keptInPlace(kept, aof);
  expect(await describeCopy(server, old)).toEqual(later);
  await expectNothingLeft(server, place.config, kept);
}

function nameOf({ kind, form }: Cell): string {
  const suffixes = { plain: '', zstd: '.zst', 'zstd+age': '.zst.age' };
  return `${kind === 'RDB backup' ? 'dump.rdb' : 'aof.tar'}${suffixes[form]}`;
}

function placeOf({ form, store }: Cell, server: ManagedServer, { s3, ageKey }: Surroundings): Place {
  const options = {
    instances: [server.instance],
    uncompressed: form === 'plain',
    ...(form === 'zstd+age' ? { encryption: ageKey.encryption } : {}),
  };
  return store === 'S3' ? inBucket(s3, options) : inFolder(options);
}

/** With AOF, some of it is in the base and some behind it. */
async function fill(server: ManagedServer, aof: boolean): Promise<void> {
  await fillServer(server);
  await addBigKeys(server);
  if (aof) {
    await server.call('BGREWRITEAOF');
    await expect
      .poll(async () => String(await server.call('INFO', 'persistence')), { interval: 10 })
      .toMatch(/aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/);
  }
  await writeOn(server);
}

/** A folder with the data that was there before as a server finds it; `aof`: it is an AOF. */
interface OldData {
  folder: string;
  aof: boolean;
}

async function fetched(config: TestConfig, id: string): Promise<OldData> {
  const folder = scratch();
  const result = await runAgent(['--json', 'restore', id, '--to', folder], { config });
  expectOk(result);
  cpSync(result.json.file, join(folder, 'dump.rdb'));
  return { folder, aof: false };
}

/** Copies of what was set aside, under the names that it had. */
function keptInPlace(kept: string[], aof: boolean): OldData {
  const folder = scratch();
  for (const path of kept) {
    const [name = ''] = /^(?:dump\.rdb|appendonlydir|appendonly\.aof)/.exec(basename(path)) ?? [];
    cpSync(path, join(folder, name), { recursive: true });
  }
  return { folder, aof };
}

function scratch(): string {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const inner = join(folder, 'old');
  mkdirSync(inner);
  return inner;
}

/** What a server of the same version loads from there. */
async function describeCopy({ build }: ManagedServer, { folder, aof }: OldData): Promise<DataDescription> {
  await using copy = await startServer({ build, config: { dir: folder, appendonly: aof ? 'yes' : 'no' } });
  return await describeData(copy);
}

/** No process, no temporary file, no journal of something unfinished; only what was set aside. */
async function expectNothingLeft(server: ManagedServer, config: TestConfig, kept: string[]): Promise<void> {
  const pids = await server.pids();
  expect(pids).toHaveLength(1);
  expect(processesIn([config.folder, server.dir]).filter((pid) => !pids.includes(pid))).toEqual([]);

  const own = ['dump.rdb', 'appendonly.aof', 'appendonlydir', ...kept.map((path) => basename(path))];
  const odd = readdirSync(server.dir).filter((name) => !own.includes(name));
  const journals = '.redis-agent-restore';
  expect(odd).toEqual(kept.length === 0 ? [] : [journals]);
  if (kept.length > 0) expectSettled(join(server.dir, journals));
  const inState = (name: string): string[] => {
    const folder = join(config.state, name);
    return existsSync(folder) ? readdirSync(folder) : [];
  };
  expect(inState('scratch')).toEqual([]);
  // What an undo goes by, and what tells that it is one of files.
  expect(inState('restore')).toEqual([kept.length === 0 ? 'main.live-last.json' : 'main.stopped-last.json']);
  const listed = await runAgent(['--json', 'backups', 'list'], { config });
  expectOk(listed);
  expect(listed.json.foreign).toEqual([]);
  for (const { state } of listed.json.backups) expect(state).toBe('complete');
}

/** One journal, which an undo goes by, and nothing that the next restore would take up. */
function expectSettled(folder: string): void {
  const [name = '', ...more] = readdirSync(folder).filter((each) => each !== 'server.log');
  expect(more).toEqual([]);
  expect(name).not.toBe('journal.json');
  expect(JSON.parse(readFileSync(join(folder, name), 'utf8'))).toMatchObject({
    outcome: 'done',
    problem: null,
  });
}

/** Whose working directory or arguments are in one of the folders. */
function processesIn(folders: string[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const about = aboutProcess(pid);
      return folders.some((folder) => about.includes(folder));
    });
}

/** Empty when it has gone. */
function aboutProcess(pid: number): string {
  try {
    return `${readFileSync(`/proc/${pid}/cmdline`, 'utf8')}\0${readlinkSync(`/proc/${pid}/cwd`)}`;
  } catch {
    return '';
  }
}
