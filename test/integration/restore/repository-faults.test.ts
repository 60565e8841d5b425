import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  runAgent,
  takeBackup,
  writeConfig,
  type AgentResult,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { everything } from '../../support/house/tier.ts';
import type { Fault } from '../../support/stores/fault-server.ts';
import { s3Repository, startFaultyS3 } from '../../support/stores/faulty-s3.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';

/** A server with a backup and newer data. */
interface Case {
  server: ManagedServer;
  config: TestConfig;
  id: string;
  backedUp: string;
  later: string;
}

async function prepare(
  kind: string,
  repository?: (config: TestConfig) => Record<string, unknown>,
): Promise<Case> {
  const server = await manageServer({ config: { appendonly: 'yes' } });
  const config = writeConfig({ instances: [server.instance] });
  if (repository !== undefined)
    config.rewrite({ instances: [server.instance], repository: repository(config) });
  // 3 MiB that do not compress.
  for (let count = 0; count < 4; count++)
    await server.call('SET', `key:${count}`, randomBytes(768 * 1024).toString('latin1'));
  const backedUp = await digest(server);
  const id = await takeBackup(config, '--no-verify', '--kind', kind);
  await server.call('SET', 'key:0', 'later');
  return { server, config, id, backedUp, later: await digest(server) };
}

async function digest(server: ManagedServer): Promise<string> {
  return String(await server.call('DEBUG', 'DIGEST'));
}

async function restore({ config, id }: Case, method: string): Promise<AgentResult> {
  return await runAgent(['--json', 'restore', id, '--yes', '--method', method], { config });
}

/** The same process goes on with its data, and nothing of a restore lies beside it. */
async function expectUntouched({ server, config, later }: Case, pids: number[]): Promise<void> {
  expect(await server.pids()).toEqual(pids);
  expect(await digest(server)).toBe(later);
  await server.call('SET', 'writes', 'go on');
  await server.call('DEL', 'writes');
  const journals = join(server.dir, '.redis-agent-restore');
  expect(existsSync(journals) ? readdirSync(journals).filter((name) => !name.endsWith('.json')) : []).toEqual(
    [],
  );
  expect(existsSync(join(journals, 'journal.json'))).toBe(false);
  expect(readdirSync(server.dir).filter((name) => /before|from-restore|probe|temp/.test(name))).toEqual([]);
  for (const name of ['scratch', 'restore']) {
    const folder = join(config.state, name);
    expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
  }
}

const ways = [
  { kind: 'rdb', method: 'files' },
  { kind: 'rdb', method: 'live' },
  { kind: 'aof', method: 'files' },
];

/** That breaking connections are tried again and given up takes long, and is tested with the store. */
const faults: { what: string; fault: Fault }[] = [
  { what: 'downloads end early', fault: { kind: 'cut-download', after: 100_000 } },
  { what: 'nothing may be read', fault: { kind: 'answer', status: 403, code: 'AccessDenied' } },
];

describe.each(ways)('a backup of kind $kind, $method', ({ kind, method }) => {
  // What is refused does not come as far as where the ways part.
  test.each(faults.filter(({ fault }) => everything || fault.kind !== 'answer' || kind === 'aof'))(
    '$what: said as the repository’s, and the server goes on',
    async ({ fault }) => {
      const { store, faults: between } = await startFaultyS3();
      const one = await prepare(kind, (config) => s3Repository(config, store, between.endpoint).repository);
      const pids = await one.server.pids();
      between.plan('GetObject', fault);
      const failed = await restore(one, method);
      expect(failed).toMatchObject({ code: 5, json: { error: { code: 'repository' } } });
      await expectUntouched(one, pids);

      between.reset();
      expect(await restore(one, method)).toMatchObject({ code: 0 });
      await one.server.reconnect();
      expect(await digest(one.server)).toBe(one.backedUp);
    },
  );

  test('a byte that has changed in the store: damaged, and the server goes on', async () => {
    const one = await prepare(kind);
    const pids = await one.server.pids();
    const folder = join(one.config.repository, 'main', one.id);
    const [name = ''] = readdirSync(folder).filter((each) => each.includes('.zst'));
    for (const at of everything || kind === 'aof' ? [0.1, 0.5, 0.95] : [0.5]) {
      flip(join(folder, name), at);
      const failed = await restore(one, method);
      expect(failed).toMatchObject({ code: 6, json: { error: { code: 'damaged' } } });
      expect(failed.json.error.message).toMatch(new RegExp(`^backup ${one.id}`));
      expect(failed.json.error.hint).toContain('backups verify --all');
      await expectUntouched(one, pids);
      const fetched = await runAgent(['--json', 'restore', one.id, '--to', one.config.folder], one);
      expect(fetched).toMatchObject({ code: 6, json: { error: { hint: failed.json.error.hint } } });
      flip(join(folder, name), at);
    }
  });
});

/** Changes one byte; a second time changes it back. `at`: which part of the file comes before it. */
function flip(path: string, at: number): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  const place = Math.floor(3 * 2 ** 20 * at);
  readSync(file, byte, 0, 1, place);
  writeSync(file, Buffer.from([(byte[0] ?? 0) ^ 0x10]), 0, 1, place);
  closeSync(file);
}
