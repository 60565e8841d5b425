import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { takeBackup, writeConfig, type TestConfig } from '../agent/cli.ts';
import { addCompressible } from '../data/compressible-data.ts';
import { fillServer } from '../data/data-set.ts';
import { describeData, type DataDescription } from '../data/describe-data.ts';
import { infoOf, serverWithOldData } from '../servers/live-server.ts';
import {
  findBuild,
  serverBuilds,
  startServer,
  type ServerBuild,
  type TestServer,
} from '../servers/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../house/temp-folder.ts';

/** One backup of a full server for each build, copied for every test. */
interface Source {
  repository: string;
  id: string;
  data: DataDescription;
}
const sources = new Map<string, Promise<Source>>();

async function makeSource(build: ServerBuild): Promise<Source> {
  const server = await startServer({ build });
  await fillServer(server);
  await addCompressible(server);
  const data = await describeData(server);
  const config = writeConfig({ server });
  const id = await takeBackup(config, '--no-verify');
  const repository = makeTempFolder();
  cpSync(config.repository, repository, { recursive: true });
  return { repository, id, data };
}

/** The backup that `prepareLive` takes for this build. */
export function sourceOf(build: ServerBuild): Promise<Source> {
  const source = sources.get(build.name) ?? makeSource(build);
  sources.set(build.name, source);
  return source;
}

export interface LiveCase {
  build?: ServerBuild;
  aof?: boolean;
  config?: Record<string, string>;
}

/** A server with old data, and a backup of other data. */
export async function prepareLive({
  build = liveBuild,
  aof = true,
  config: directives = {},
}: LiveCase = {}): Promise<{
  server: TestServer;
  old: DataDescription;
  data: DataDescription;
  id: string;
  config: TestConfig;
}> {
  const { repository, id, data } = await sourceOf(build);
  const { server, old } = await serverWithOldData(build, { aof, config: directives });
  const password = directives['requirepass'];
  const config = writeConfig({ server, ...(password === undefined ? {} : { password }) });
  cpSync(repository, config.repository, { recursive: true });
  return { server, old, data, id, config };
}

export const liveBuild = findBuild('redis', '7.0') ?? serverBuilds()[0]!;
export const journalOf = (config: TestConfig): string => join(config.state, 'restore', 'main.live.json');
export const settings = { 'repl-diskless-load': 'disabled', 'replica-read-only': 'no' };

/** Free, writable, with its settings as they were. */
export async function expectFree(
  server: TestServer,
  before: Record<string, string> = settings,
): Promise<void> {
  const info = await infoOf(server);
  expect(info.get('role')).toBe('master');
  for (const [name, value] of Object.entries(before))
    expect(await server.call('CONFIG', 'GET', name)).toEqual([name, value]);
  expect(await server.call('SET', 'written', 'afterwards')).toBe('OK');
  await server.call('DEL', 'written');
}

/** After the last test of a file. */
export async function removeSources(): Promise<void> {
  for (const source of sources.values()) removeTempFolder((await source).repository);
  sources.clear();
}
