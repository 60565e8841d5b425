// Keys into a cluster: each to the node that has its slot, whatever is moved meanwhile.
import { randomBytes } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { keySlot } from '../../../src/formats/cluster/key-slot.ts';
import { fileSource } from '../../../src/jobs/keys/key-source.ts';
import { restoreKeys } from '../../../src/jobs/keys/restore-keys.ts';
import type { RestoreKeysOptions } from '../../../src/jobs/keys/restore-keys-options.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { runAgent, writeConfig, type AgentResult } from '../../support/agent/cli.ts';
import { everything } from '../../support/house/tier.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import {
  clusterBuilds,
  joinCluster,
  moveSlots,
  nodeConfig,
  openSlot,
} from '../../support/servers/cluster.ts';
import { startServer, type ServerBuild, type TestServer } from '../../support/servers/redis-server.ts';

const builds = clusterBuilds();
const tried = everything ? builds : builds.slice(0, 1);

type Nodes = [TestServer, TestServer, TestServer];

async function startCluster(
  build: ServerBuild,
  options: { tls?: boolean; password?: string } = {},
): Promise<Nodes> {
  const { tls = false, password } = options;
  const secret = password === undefined ? {} : { requirepass: password, masterauth: password };
  const secured = tls ? { 'tls-cluster': 'yes', 'tls-replication': 'yes' } : {};
  const start = async (): Promise<TestServer> =>
    startServer({ build, tls, config: { ...(await nodeConfig()), ...secret, ...secured } });
  const nodes: Nodes = [await start(), await start(), await start()];
  await joinCluster(nodes);
  return nodes;
}

/** Whoever has this key's slot, where each has its first share. */
function ownerOf(nodes: Nodes, key: string): TestServer {
  return nodes[Math.floor(keySlot(Buffer.from(key)) / 5462)] ?? nodes[0];
}

const library = "#!lua name=kept\nredis.register_function('answer', function() return 42 end)";
const newest = builds.at(-1);
/** More than goes into one command: it is built under a temporary name. */
const bigKey = 'big}{list';

async function fill(nodes: Nodes): Promise<number> {
  let keys = 0;
  const set = async (key: string, command: string, ...args: (string | number)[]): Promise<void> => {
    await ownerOf(nodes, key).call(command, key, ...args);
    keys++;
  };
  for (let index = 0; index < 150; index++) {
    await set(
      `string:${index}`,
      'SET',
      `value ${index}`,
      ...(index % 3 === 0 ? ['EX', 100_000 + index] : []),
    );
    await set(`{user${index}}:hash`, 'HSET', 'field', index, 'other', 'x'.repeat(index));
  }
  for (let index = 0; index < 40; index++) {
    await set(`set:${index}`, 'SADD', 'a', 'b', index);
    await set(`zset:${index}`, 'ZADD', 1.5, 'a', index, 'b');
    await set(`list:${index}`, 'RPUSH', ...Array.from({ length: 200 }, (_, at) => `${index}-${at}`));
    await set(`stream:${index}`, 'XADD', '1-1', 'field', index);
    await ownerOf(nodes, `stream:${index}`).call('XGROUP', 'CREATE', `stream:${index}`, 'group', '0');
  }
  await set('a}b{c', 'SET', 'odd name');
  await set(bigKey, 'RPUSH', 'first');
  for (let index = 0; index < 17; index++)
    await ownerOf(nodes, bigKey).call('RPUSH', bigKey, randomBytes(750_000).toString('base64'));
  for (const node of nodes) await node.call('FUNCTION', 'LOAD', library);
  return keys;
}

async function countKeys(nodes: Nodes): Promise<number> {
  let keys = 0;
  for (const node of nodes) keys += Number(await node.call('DBSIZE'));
  return keys;
}

/** All dumps in one server, and what that says of its data. */
async function gathered(dumps: readonly string[]): Promise<{ digest: unknown; dump: string }> {
  const server = await startServer({
    ...(newest && { build: newest }),
    config: { 'enable-debug-command': 'local' },
  });
  for (const dump of dumps) {
    const { code } = await runAgent(['restore', dump, '--keys', '*', '--into', server.url, '--yes']);
    expect(code).toBe(0);
  }
  await server.call('SAVE');
  return { digest: await server.call('DEBUG', 'DIGEST'), dump: server.dumpPath };
}

async function dumpsOf(nodes: Nodes): Promise<string[]> {
  for (const node of nodes) await node.call('SAVE');
  return nodes.map(({ dumpPath }) => dumpPath);
}

test.each(tried)(
  '$name: the backup of each node into another cluster',
  { timeout: 180_000 },
  async (build) => {
    const source = await startCluster(build);
    const [one, two] = source;
    const keys = await fill(source);
    const config = writeConfig({ server: one });
    const backup = await runAgent(['--json', 'backup', '--cluster', '--no-verify', '--no-prune'], { config });
    expect(backup).toMatchObject({ code: 0, json: { problems: [] } });
    const before = await gathered(await dumpsOf(source));

    // What was taken before a reshard goes back all the same.
    await moveSlots(source, one, two, [0, 60]);
    const target = await startCluster(build, { tls: true, password: 'of-the-cluster' });
    const [, , last] = target;
    const password = config.secret('target', 'of-the-cluster').file;
    const restore = async (instance: string, ...args: string[]): Promise<AgentResult> => {
      const words = [
        '--into',
        last.tls?.url ?? '',
        '--ca-file',
        last.tls?.ca ?? '',
        '--password-file',
        password,
      ];
      return await runAgent(
        ['--json', 'restore', 'latest', '--instance', instance, '--keys', '*', ...words, ...args],
        { config },
      );
    };
    const names: string[] = backup.json.nodes.map(({ instance }: { instance: string }) => instance);
    for (const [index, name] of names.entries()) {
      const dry = await restore(name, '--dry-run');
      expect({ code: dry.code, error: dry.json.error }).toEqual({ code: 0, error: undefined });
      expect(dry.json.plan.target.cluster.nodes).toHaveLength(3);
      const done = await restore(
        name,
        '--yes',
        '--with-functions',
        ...(index > 0 ? ['--skip-existing'] : []),
      );
      expect(done).toMatchObject({ code: 0, json: { result: { failed: [], existing: 0 } } });
    }
    expect(await countKeys(target)).toBe(keys);
    for (const node of target) expect(String(await node.call('FUNCTION', 'LIST'))).toContain('answer');
    const after = await gathered(await dumpsOf(target));
    expect(after.digest).toBe(before.digest);
    const diff = await runAgent(['--json', 'keys', 'diff', before.dump, after.dump]);
    expect({ code: diff.code, changed: diff.json.prefixes.list }).toEqual({ code: 0, changed: [] });

    // Again: all of it is there.
    const again = await restore(names[0] ?? '', '--yes');
    expect(again).toMatchObject({ code: 7, json: { error: { reason: 'exists' } } });
    const replaced = await restore(names[0] ?? '', '--yes', '--replace');
    expect(replaced.code).toBe(0);
    expect(await countKeys(target)).toBe(keys);
  },
);

test('slots that are moved between the plan and the writing, and some that are on their way', async () => {
  const [build] = builds;
  if (build === undefined) return;
  const source = await startCluster(build);
  const keys = await fill(source);
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const dumps = await dumpsOf(source);
  const before = await gathered(dumps);
  const target = await startCluster(build);
  const [one, two, three] = target;
  const place = (key: string): number => keySlot(Buffer.from(key));
  const holder = ownerOf(target, bigKey);
  const other = holder === one ? two : one;
  const [asked = ''] = Array.from({ length: 150 }, (_, index) => `string:${index}`).filter(
    (key) => place(key) > 11_000 && ownerOf(target, key) === three,
  );
  let waits = 0;
  let closing: Promise<void> | undefined;
  for (const [index, dump] of dumps.entries()) {
    const path = join(folder, `${index}.rdb`);
    copyFileSync(dump, path);
    const options: RestoreKeysOptions = {
      source: await fileSource(path),
      target: { name: 'target', url: two.url },
      choice: { patterns: ['*'], database: undefined, type: undefined },
      toDatabase: undefined,
      existing: 'stop',
      dryRun: false,
      restart: false,
      unasked: false,
      async agree() {
        const [from, to] = [
          [one, two, three],
          [two, three, one],
        ].map((nodes) => nodes[index] ?? one);
        const first = [0, 5462, 10_924][index] ?? 0;
        if (from !== undefined && to !== undefined) await moveSlots(target, from, to, [first, first + 40]);
        if (ownerOf(source, bigKey) === source[index]) await openSlot(holder, other, place(bigKey));
        if (index === 2) await openSlot(three, one, place(asked));
        return true;
      },
    };
    const report = await restoreKeys(
      {
        stateDirectory: undefined,
        clock: systemClock,
        signal: new AbortController().signal,
        progress: {
          report({ phase }) {
            if (!phase.startsWith('waiting for slots')) return;
            waits++;
            closing ??= moveSlots(target, holder, other, [place(bigKey), place(bigKey)]);
          },
        },
      },
      options,
    );
    await closing;
    expect(report.result).toMatchObject({ failed: [], existing: 0, expired: 0 });
  }
  expect(waits).toBeGreaterThan(0);
  // It went to where its slot is on its way to.
  expect(await one.call('CLUSTER', 'COUNTKEYSINSLOT', place(asked))).toBeGreaterThan(0);
  expect(await countKeys(target)).toBe(keys);
  expect((await gathered(await dumpsOf(target))).digest).toBe(before.digest);
});

test('keys of several databases are refused; of one, they go', async () => {
  const [build] = builds;
  if (build === undefined) return;
  const single = await startServer({ build });
  await single.connection.pipeline([['SET', 'a', '0'], ['SELECT', '3'], ['SET', 'b', '3'], ['SAVE']]);
  const target = await startCluster(build);
  const restore = async (...args: string[]): Promise<AgentResult> =>
    await runAgent([
      '--json',
      'restore',
      single.dumpPath,
      '--keys',
      '*',
      '--into',
      target[0].url,
      '--yes',
      ...args,
    ]);
  expect(await restore()).toMatchObject({ code: 7, json: { error: { reason: 'databases' } } });
  expect(await countKeys(target)).toBe(0);
  expect(await restore('--db', '3', '--to-db', '0')).toMatchObject({
    code: 0,
    json: { result: { written: 1 } },
  });
  expect(await restore('--db', '0')).toMatchObject({ code: 0, json: { result: { written: 1 } } });
  expect(await ownerOf(target, 'b').call('GET', 'b')).toBe('3');
});
