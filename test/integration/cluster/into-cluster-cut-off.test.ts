// Keys into a cluster that changes masters, or by a restore that is killed: none is lost, none is there twice.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { keySlot } from '../../../src/formats/cluster/key-slot.ts';
import { fileSource, type KeySource } from '../../../src/jobs/keys/key-source.ts';
import { restoreKeys } from '../../../src/jobs/keys/restore-keys.ts';
import type { RestoreKeysReport } from '../../../src/jobs/keys/restore-keys-options.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { everything } from '../../support/house/tier.ts';
import { killRestoreKeys } from '../../support/restore/kill-restore-keys.ts';
import { runTask, type RestoreKeysTask } from '../../support/restore/restore-keys-child.ts';
import {
  addReplica,
  clusterBuilds,
  digestOf,
  joinCluster,
  moveSlots,
  nodeConfig,
  oldClusterBuild,
  until,
} from '../../support/servers/cluster.ts';
import { startCuttingProxy } from '../../support/servers/cutting-proxy.ts';
import { startServer, type ServerBuild, type TestServer } from '../../support/servers/redis-server.ts';

const builds = clusterBuilds();
const tried = everything ? builds : builds.slice(0, 1);
const old = oldClusterBuild();
const debug = (build: ServerBuild): Record<string, string> =>
  build === old ? {} : { 'enable-debug-command': 'local' };

/** Of a slot that the first node has, and keeps: its value is built in parts, in a second reading. */
const large =
  Array.from({ length: 100 }, (_, index) => `large:${index}`).find((key) => {
    const slot = keySlot(Buffer.from(key));
    return slot > 3000 && slot < 5000;
  }) ?? '';

type Nodes = [TestServer, TestServer, TestServer];

async function startNode(build: ServerBuild): Promise<TestServer> {
  return await startServer({ build, config: { ...(await nodeConfig(build)), ...debug(build) } });
}

async function startCluster(build: ServerBuild): Promise<Nodes> {
  const nodes: Nodes = [await startNode(build), await startNode(build), await startNode(build)];
  await joinCluster(nodes);
  return nodes;
}

interface Source {
  dump: string;
  digest: string;
  keys: number;
  state: string;
}

/**
 * To that replica, with its master's consent. A server gives that up after five seconds, without a word, where the two have not
 * come to agree (manual failover timeout, cluster.c): then it is asked again, as an operator does.
 */
async function failOver(replica: TestServer): Promise<void> {
  for (
    let waited = 0;
    !/role:master/.test(String(await replica.call('INFO', 'replication')));
    waited += 100
  ) {
    if (waited % 6000 === 0) await replica.call('CLUSTER', 'FAILOVER');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Lists and streams would show what is written twice; one value is built in parts. */
async function makeSource(build: ServerBuild): Promise<Source> {
  const source = await startServer({
    build,
    config: { ...debug(build), rdbcompression: 'no' },
  });
  const commands: (string | number)[][] = [];
  for (let index = 0; index < 300; index++) {
    commands.push(['SET', `string:${index}`, `value ${index}`, ...(index % 3 === 0 ? ['EX', 100_000] : [])]);
    commands.push(['XADD', `stream:${index}`, '1-1', 'field', index]);
    const items = Array.from({ length: 60 }, (_, at) => `${index} ${at} ${'x'.repeat(60)}`);
    commands.push(['RPUSH', `list:${index}`, ...items]);
  }
  for (let at = 0; at < 9; at++)
    commands.push([
      'RPUSH',
      large,
      ...Array.from({ length: 30 }, (_, part) => `${at} ${part} ${'y'.repeat(70_000)}`),
    ]);
  await source.connection.pipeline([...commands, ['SAVE']]);
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const dump = join(folder, 'copy.rdb');
  copyFileSync(source.dumpPath, dump);
  const keys = Number(await source.call('DBSIZE'));
  return { dump, digest: String(await source.call('DEBUG', 'DIGEST')), keys, state: join(folder, 'state') };
}

async function countKeys(nodes: readonly TestServer[]): Promise<number> {
  let keys = 0;
  for (const node of nodes) keys += Number(await node.call('DBSIZE'));
  return keys;
}

/** `at`: what is done when that share of the dump was read, in the first reading of it. */
async function restore(
  { dump, state }: Source,
  url: string,
  at: [share: number, what: () => Promise<void>][] = [],
): Promise<RestoreKeysReport> {
  const file = await fileSource(dump);
  const bytes = file.bytes ?? 0;
  const due = at;
  const source: KeySource = {
    ...file,
    async *open(signal) {
      let done = 0;
      for await (const chunk of file.open(signal))
        for (let from = 0; from < chunk.length; from += 256 * 1024) {
          if (due[0] !== undefined && done >= due[0][0] * bytes && writing) await due.shift()?.[1]();
          const part = chunk.subarray(from, from + 256 * 1024);
          yield part;
          done += part.length;
        }
    },
  };
  let writing = false;
  let time = 0;
  return await restoreKeys(
    {
      stateDirectory: state,
      // The journal is written before every part.
      clock: { ...systemClock, monotonic: () => (time += 5000) },
      signal: new AbortController().signal,
      progress: { report() {} },
    },
    {
      source,
      target: { name: 'target', url },
      choice: { patterns: ['*'], database: undefined, type: undefined },
      toDatabase: undefined,
      existing: 'stop',
      dryRun: false,
      restart: false,
      unasked: true,
      async agree() {
        writing = true;
        return true;
      },
    },
  );
}

/** A cluster whose masters change is down for a moment, as the nodes see it: then it is run again, as the error says. */
async function restoreAtLast(...task: Parameters<typeof restore>): Promise<RestoreKeysReport> {
  const at = task[2] ?? [];
  for (;;)
    try {
      return await restore(task[0], task[1], at);
    } catch (error) {
      const passes = error instanceof AgentError && ['redis', 'refused'].includes(error.code);
      if (!passes || error.reason === 'exists') throw error;
    }
}

test.each(tried)(
  '$name: replicas that take over while keys are written',
  { timeout: 120_000 },
  async (build) => {
    const source = await makeSource(build);
    const target = await startCluster(build);
    const [one, two, three] = target;
    const replica = await startNode(build);
    await addReplica(target, one, replica);

    // Without the master's consent, and without what that had confirmed last.
    const taken = await restoreAtLast(source, two.url, [
      [0.2, async () => process.kill(replica.pid, 'SIGSTOP') && undefined],
      [
        0.6,
        async () => {
          const takeover = replica.call('CLUSTER', 'FAILOVER', 'TAKEOVER');
          process.kill(replica.pid, 'SIGCONT');
          await takeover;
          await until(one, /role:slave/);
        },
      ],
    ]);
    expect(taken.result).toMatchObject({ failed: [], expired: 0 });
    expect((taken.result?.written ?? 0) + (taken.result?.existing ?? 0)).toBe(source.keys);
    expect(await digestOf([replica, two, three])).toBe(source.digest);

    // As an operator does it, for an upgrade.
    for (const node of [replica, two, three]) await node.call('FLUSHALL');
    await until(one, /master_link_status:up/);
    const agreed = await restoreAtLast(source, two.url, [
      [
        0.4,
        async () => {
          await failOver(one);
          await until(replica, /role:slave/);
        },
      ],
    ]);
    expect(agreed.result).toMatchObject({ failed: [], expired: 0 });
    expect(await digestOf(target)).toBe(source.digest);

    // A master that dies ends the restore; it is gone on with when another has taken over.
    for (const node of target) await node.call('FLUSHALL');
    await until(replica, /master_link_status:up/);
    const died = restore(source, two.url, [[0.5, async () => await one.kill('SIGKILL')]]);
    await expect(died).rejects.toBeInstanceOf(AgentError);
    await expect(died).rejects.toMatchObject({
      code: 'redis',
      hint: expect.stringContaining('the same command goes on from there'),
    });
    await until(replica, /role:master/);
    const report = await restoreAtLast(source, two.url);
    expect(report.result).toMatchObject({ failed: [], expired: 0 });
    expect(await digestOf([replica, two, three])).toBe(source.digest);
  },
);

test.each(tried)(
  '$name: killed again and again, with slots that are moved in between',
  { timeout: 120_000 },
  async (build) => {
    const source = await makeSource(build);
    const target = await startCluster(build);
    const [one, two, three] = target;
    await using proxy = await startCuttingProxy(one.port);
    // The others, and whoever asks them, know it by that.
    await one.call('CONFIG', 'SET', 'cluster-announce-port', proxy.port);
    while (!String(await two.call('CLUSTER', 'NODES')).includes(`:${proxy.port}@`))
      await new Promise(setImmediate);
    const task: RestoreKeysTask = {
      dump: source.dump,
      state: source.state,
      existing: 'stop',
      url: proxy.url,
      tick: 5000,
    };
    let kills = 0;
    let first = 0;
    for (const bytes of everything ? [2e3, 2e5, 2e5, 6e6, 1.2e7] : [2e5, 2e5, 8e6]) {
      kills += (await killRestoreKeys(task, proxy, bytes)) ? 1 : 0;
      await moveSlots(target, one, three, [first, first + 30]);
      first += 31;
    }
    expect(kills).toBeGreaterThan(2);
    const { plan, result } = await runTask(task);
    expect(plan.resumes_from).not.toBeNull();
    expect(result).toMatchObject({ failed: [], expired: 0 });
    expect([await countKeys(target), await digestOf(target)]).toEqual([source.keys, source.digest]);

    // Begun again: it is for whoever says so.
    await expect(runTask(task)).rejects.toMatchObject({ reason: 'exists' });
    await runTask({ ...task, existing: 'replace' });
    expect([await countKeys(target), await digestOf(target)]).toEqual([source.keys, source.digest]);
  },
);

test.skipIf(old === undefined)(
  `${old?.name ?? 'before 7.0'}: its nodes come from CLUSTER NODES`,
  async () => {
    if (old === undefined) return;
    const source = await makeSource(old);
    const target = await startCluster(old);
    const [one, two] = target;
    const report = await restore(source, two.url, [
      [0.5, async () => await moveSlots(target, one, two, [0, 40])],
    ]);
    expect(report.plan.target.cluster?.nodes).toHaveLength(3);
    expect(report.result).toMatchObject({ failed: [], expired: 0, written: source.keys });
    expect([await countKeys(target), await digestOf(target)]).toEqual([source.keys, source.digest]);
  },
);

test.runIf(everything)(
  'more keys than are noted, of a node that hands its slots to a replica',
  { timeout: 120_000 },
  async () => {
    const [build] = builds;
    if (build === undefined) return;
    const server = await startServer({ build, config: debug(build) });
    await server.call('DEBUG', 'POPULATE', 600_000, 'key', 30);
    await server.call('SAVE');
    const folder = makeTempFolder();
    onTestFinished(() => removeTempFolder(folder));
    const dump = join(folder, 'copy.rdb');
    copyFileSync(server.dumpPath, dump);
    const target = await startCluster(build);
    const [one, two, three] = target;
    const replica = await startNode(build);
    await addReplica(target, one, replica);
    const report = await restoreAtLast({ dump, digest: '', keys: 0, state: join(folder, 'state') }, two.url, [
      [
        0.05,
        async () => {
          await replica.call('CLUSTER', 'FAILOVER');
          await until(one, /role:slave/);
        },
      ],
    ]);
    expect(report.result).toMatchObject({ failed: [] });
    expect(report.result?.existing).toBeGreaterThan(0);
    expect(await countKeys([replica, two, three])).toBe(600_000);
    expect(await digestOf([replica, two, three])).toBe(await server.call('DEBUG', 'DIGEST'));
  },
);
