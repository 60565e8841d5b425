import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  copyBackup,
  editManifest,
  idsIn,
  runAgent,
  takeBackup,
  writeConfig,
  type TestConfig,
} from '../../support/agent/cli.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

const password = 'status-password-77e1';

async function backedUp(
  settings: Record<string, unknown> = {},
): Promise<{ config: TestConfig; server: TestServer; id: string }> {
  const server = await startServer({ config: { requirepass: password } });
  await server.call('DEBUG', 'POPULATE', 1000);
  const config = writeConfig({ server, password, settings });
  return { config, server, id: await takeBackup(config) };
}

describe('status', () => {
  test('all is well', async () => {
    const { config, id, server } = await backedUp();
    const { code, json } = await runAgent(['status', '--json'], { config });
    expect({ code, json }).toMatchObject({
      code: 0,
      json: [
        {
          instance: 'main',
          server: {
            engine: server.build.engine,
            version: server.build.version,
            role: 'master',
            keys: 1000,
            clients: expect.any(Number),
            uptime_seconds: expect.any(Number),
            used_memory: expect.any(Number),
            memory_limit: null,
            last_save_ok: true,
            aof: false,
          },
          backups: {
            count: 1,
            newest: {
              id,
              at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.000Z$/),
              bytes: expect.any(Number),
            },
            proven: { id, level: 'loaded', at: expect.stringMatching(/Z$/) },
          },
          next: expect.stringMatching(/Z$/),
          findings: [],
        },
      ],
    });
    const { stdout } = await runAgent(['status'], { config });
    expect(stdout).toMatch(/^main\nserver\s+redis/);
    expect(stdout).toContain(`newest ${id}`);
    expect(stdout).toMatch(/findings\s+none known: not watched in the last day .*never audited .*\n$/);
  });

  test('no backup yet', async () => {
    const server = await startServer();
    const config = writeConfig({ server });
    expect(await runAgent(['status', '--json'], { config })).toMatchObject({
      code: 0,
      json: [{ backups: { count: 0, newest: null, proven: null }, findings: [] }],
    });
    expect((await runAgent(['status'], { config })).stdout).toMatch(/backups\s+none yet\n/);
  });

  test('the server is down: the rest is still shown', async () => {
    const { config, id, server } = await backedUp();
    await server.kill('SIGKILL');
    expect(await runAgent(['status', '--json'], { config })).toMatchObject({
      code: 4,
      json: [
        {
          server: {
            code: 'redis',
            problem: `instance main: cannot connect to ${server.url}: connection refused`,
            hint: 'is the server running, and is this its address and port?',
          },
          backups: { count: 1, newest: { id } },
        },
      ],
    });
    const { code, stdout, stderr } = await runAgent(['status'], { config });
    expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
    expect(stdout).toMatch(/server\s+instance main: cannot connect to .*; is the server running/);
    expect(stdout).toContain(`newest ${id}`);
  });

  test('the repository is gone', async () => {
    const { config } = await backedUp();
    rmSync(config.repository, { recursive: true });
    writeFileSync(config.repository, '');
    expect(await runAgent(['status', '--json'], { config })).toMatchObject({
      code: 5,
      json: [
        {
          server: { keys: 1000 },
          backups: { code: 'repository', problem: expect.stringContaining('no folder') },
        },
      ],
    });
  });

  test('a failed job is a finding until it succeeds again', async () => {
    const { config, server } = await backedUp();
    await server.kill('SIGKILL');
    expect(await runAgent(['backup'], { config })).toMatchObject({ code: 4 });
    await server.restart();
    const { code, json } = await runAgent(['status', '--json'], { config });
    expect({ code, json }).toMatchObject({
      code: 3,
      json: [
        {
          findings: [
            {
              instance: 'main',
              rule: 'backup-failed',
              resource: 'main',
              severity: 'critical',
              summary: expect.stringContaining('connection refused'),
              remedy: 'is the server running, and is this its address and port?',
              evidence: { code: 'redis' },
              first_seen: expect.stringMatching(/^\d{4}-.*Z$/),
              last_seen: expect.stringMatching(/^\d{4}-.*Z$/),
            },
          ],
        },
      ],
    });
    await server.call('DEBUG', 'POPULATE', 1000);
    await takeBackup(config);
    expect(await runAgent(['status'], { config })).toMatchObject({ code: 0 });
  });

  test('of one instance among several', async () => {
    const server = await startServer();
    const config = writeConfig({
      instances: [
        { name: 'main', url: server.url },
        { name: 'down', url: 'redis://127.0.0.1:1' },
      ],
    });
    expect(await runAgent(['status'], { config })).toMatchObject({ code: 4 });
    expect(await runAgent(['status', '--instance', 'main', '--json'], { config })).toMatchObject({
      code: 0,
      json: [{ instance: 'main' }],
    });
  });
});

describe('a data set that shrinks', () => {
  /** FLUSHALL came, and a backup of what is left has been taken. */
  async function flushed(): Promise<{ config: TestConfig; server: TestServer; good: string; small: string }> {
    const { config, server, id } = await backedUp({
      backup: { retention: { days: 0, keep_min: 1 } },
    });
    await server.call('FLUSHALL');
    await server.call('SET', 'survivor', '1');
    return { config, server, good: id, small: await takeBackup(config) };
  }

  test('FLUSHALL between two backups: a finding, and the good one stays', async () => {
    const { config, good, small } = await flushed();
    expect(idsIn(config)).toEqual([good, small]);
    const { code, json } = await runAgent(['status', '--json'], { config });
    expect({ code, json }).toMatchObject({
      code: 3,
      json: [
        {
          findings: [
            {
              rule: 'backup-shrunken',
              resource: 'main',
              evidence: expect.objectContaining({ id: small }),
              summary: expect.stringContaining('keys fell from 1000 to 1'),
              remedy: expect.stringContaining(`redis-agent backups accept`),
            },
          ],
        },
      ],
    });
    expect((await runAgent(['backups', 'list'], { config })).stdout).toMatch(
      new RegExp(`${small}.*, shrunken\n`),
    );
    // However many small ones come, the good one is not pushed out.
    await takeBackup(config);
    const newest = await takeBackup(config);
    expect(idsIn(config)).toContain(good);
    expect(idsIn(config)).toContain(newest);
    const plan = await runAgent(['backups', 'prune', '--dry-run', '--json'], { config });
    expect(plan.json.decisions.find(({ id }: { id: string }) => id === good)).toMatchObject({
      keep: true,
      reason: 'the newest good one',
    });
  });

  test('accepted: settled with the next backup, and the old size no longer counts', async () => {
    const { config, good, small } = await flushed();
    expect(await runAgent(['backups', 'accept', small], { config })).toMatchObject({ code: 0 });
    // Twice is no error.
    expect(await runAgent(['backups', 'accept', 'latest'], { config })).toMatchObject({ code: 0 });
    expect((await runAgent(['backups', 'list'], { config })).stdout).not.toContain('shrunken');
    const next = await takeBackup(config);
    expect(await runAgent(['status'], { config })).toMatchObject({ code: 0 });
    expect(idsIn(config)).toEqual([next]);
    expect(idsIn(config)).not.toContain(good);
  });

  test('recovered: settled with the next backup', async () => {
    const { config, server } = await flushed();
    await server.call('DEBUG', 'POPULATE', 900);
    const next = await takeBackup(config);
    expect(await runAgent(['status'], { config })).toMatchObject({ code: 0 });
    expect(idsIn(config)).toEqual([next]);
  });

  test('a copy that is edited to look large does not make the others small', async () => {
    const { config, id } = await backedUp();
    const forged = '20200101T000000Z-0001';
    copyBackup(config, id, forged);
    editManifest(config, forged, (manifest) => {
      manifest.instance = 'other';
      manifest.keyspace.databases['0'].keys = 1_000_000;
    });
    await takeBackup(config);
    const { json } = await runAgent(['status', '--json'], { config });
    expect(json).toMatchObject([{ findings: [] }]);
  });
});
