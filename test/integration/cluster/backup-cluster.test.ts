import { expect, test } from 'vitest';
import { keySlot } from '../../../src/formats/cluster/key-slot.ts';
import { everything } from '../../support/house/tier.ts';
import { runAgent, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { clusterBuilds, joinCluster, moveSlots, nodeConfig } from '../../support/servers/cluster.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';
import type { ServerBuild } from '../../support/servers/server-builds.ts';

const builds = clusterBuilds();
const tried = everything ? builds : builds.slice(0, 1);

async function startNodes(build: ServerBuild): Promise<[ManagedServer, ManagedServer, ManagedServer]> {
  const start = async (): Promise<ManagedServer> => manageServer({ build, config: await nodeConfig() });
  const nodes: Awaited<ReturnType<typeof startNodes>> = [await start(), await start(), await start()];
  await joinCluster(nodes);
  return nodes;
}

/** Each key at the node that has its slot. */
async function fill(nodes: ManagedServer[], count: number): Promise<number[]> {
  const counts = nodes.map(() => 0);
  for (let index = 0; index < count; index++) {
    const key = `key:${index}`;
    const at = Math.floor(keySlot(Buffer.from(key)) / Math.ceil(16_384 / nodes.length));
    await nodes[at]?.call('SET', key, `value ${index}`);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}

function configOf(node: ManagedServer): TestConfig {
  return writeConfig({ instances: [node.instance] });
}

test.each(tried)(
  '$name: every master in one command; slots are compared',
  { timeout: 120_000 },
  async (build) => {
    const nodes = await startNodes(build);
    const [one, two, three] = nodes;
    const counts = await fill(nodes, 300);
    const config = configOf(one);

    const { code, json } = await runAgent(['--json', 'backup', '--cluster'], { config });
    expect({ code, problems: json.problems }).toEqual({ code: 0, problems: [] });
    const ports = nodes.map(({ url }) => new URL(url).port);
    expect(json.nodes.map(({ instance }: { instance: string }) => instance)).toEqual([
      'main',
      `main-node-127_0_0_1__${ports[1]}`,
      `main-node-127_0_0_1__${ports[2]}`,
    ]);
    // oxlint-disable-next-line typescript/no-explicit-any -- the document
    const manifests = json.nodes.map(({ report }: any) => report.backup);
    expect(manifests.map(({ cluster }: { cluster: unknown }) => cluster)).toEqual([
      { node: expect.any(String), slots: [[0, 5461]], moving: [] },
      { node: expect.any(String), slots: [[5462, 10_923]], moving: [] },
      { node: expect.any(String), slots: [[10_924, 16_383]], moving: [] },
    ]);
    // oxlint-disable-next-line typescript/no-explicit-any -- the document
    expect(manifests.map(({ keyspace }: any) => keyspace.databases[0].keys)).toEqual(counts);
    for (const { instance } of json.nodes) {
      const listed = await runAgent(['--json', 'backups', 'list', '--instance', instance], { config });
      expect(listed.json.backups).toHaveLength(1);
    }
    const shown = await runAgent(['backup', '--cluster'], { config });
    expect(shown.stdout).toContain('all 3 masters of the cluster are backed up');

    await moveSlots(nodes, one, two, [0, 99]);
    await moveSlots(nodes, three, one, [16_000, 16_020]);
    const there = await one.call('DBSIZE');
    const refused = await runAgent(['--json', 'restore', '--yes'], { config });
    expect({ code: refused.code, ...refused.json.error }).toMatchObject({
      code: 'refused',
      reason: 'slots',
      message: expect.stringMatching(
        /the slots 0-5461, and this node has the slots 100-5461 16000-16020 now; 100 are elsewhere.*; 21 are new/,
      ),
      hint: expect.stringContaining('--other-slots'),
    });
    const live = await runAgent(['--json', 'restore', '--yes', '--method', 'live'], { config });
    expect(live.json.error).toMatchObject({ code: 'refused', reason: 'cluster' });
    expect(await one.call('DBSIZE')).toBe(there);

    const again = await runAgent(['--json', 'restore', '--yes', '--other-slots'], { config });
    expect({ code: again.code, error: again.json.error }).toEqual({ code: 0, error: undefined });
    await one.reconnect();
    // Valkey deletes keys of slots that are elsewhere as it starts, and the refusal has said so.
    const deletes = build.engine === 'valkey';
    const gone = Number(await one.call('DBSIZE')) < (counts[0] ?? 0);
    expect([gone, /Valkey would delete keys/.test(refused.json.error.message)]).toEqual([deletes, deletes]);

    // The first by its slots now; the others are taken all the same.
    await two.kill();
    const partly = await runAgent(['--json', 'backup', '--cluster', '--no-verify'], { config });
    expect(partly.code).toBe(1);
    // oxlint-disable-next-line typescript/no-explicit-any -- the document
    expect(partly.json.nodes.map(({ report, error }: any) => [report !== null, error?.code])).toEqual([
      [false, 'redis'],
      [true, undefined],
      [true, undefined],
    ]);
  },
);
