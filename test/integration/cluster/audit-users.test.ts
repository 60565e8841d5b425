import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { runAgent, writeConfig } from '../../support/agent/cli.ts';
import { clusterBuilds, joinCluster, nodeConfig, oldClusterBuild } from '../../support/servers/cluster.ts';
import { everything } from '../../support/house/tier.ts';
import { startServer } from '../../support/servers/redis-server.ts';

const old = oldClusterBuild();
const builds = [...clusterBuilds().slice(0, 1), ...(everything && old !== undefined ? [old] : [])];
const hash = (text: string): string => createHash('sha256').update(text.repeat(40)).digest('hex');

interface Report {
  subject: string;
  findings: { resource: string; summary: string }[];
  not_applicable: { rule: string }[];
}

test.each(builds)(
  '$name: users that differ between nodes of a cluster are told on each of them, and no other server’s',
  { timeout: 60_000 },
  async (build) => {
    const start = async () => startServer({ build, config: await nodeConfig(build) });
    const nodes = [await start(), await start(), await start()] as const;
    await joinCluster(nodes);
    const elsewhere = await startServer({ build });
    for (const node of [...nodes, elsewhere])
      await node.call('ACL', 'SETUSER', 'same', 'on', `#${hash('x')}`, '~*', '+get');
    const [one, two, three] = nodes;
    for (const node of [one, two])
      await node.call('ACL', 'SETUSER', 'app', 'on', `#${hash('y')}`, '~*', '+get');
    await three.call('ACL', 'SETUSER', 'app', 'on', `#${hash('z')}`, '~*', '+get');
    await elsewhere.call('ACL', 'SETUSER', 'app', 'on', `#${hash('y')}`, '~*', '+@all');
    const names = ['one', 'two', 'three', 'elsewhere'];
    const instances = [...nodes, elsewhere].map(({ url }, index) => ({ name: names[index] ?? '', url }));
    const config = writeConfig({ instances });
    const { json } = await runAgent(['audit', '--check', 'ACL23', '--json'], { config });
    const of = ({ subject, findings, not_applicable: apart }: Report): unknown[] => [
      subject,
      findings.map(({ resource, summary }) => `${resource}: ${summary}`),
      apart.map(({ rule }) => rule),
    ];
    const said = (where: string): string =>
      `app: the user app is not the same on ${where}: another password, so that clients of ${where} are refused here`;
    expect(json.reports.map(of)).toEqual([
      ['one', [said('three')], []],
      ['two', [said('three')], []],
      ['three', [said('one'), said('two')], []],
      ['elsewhere', [], ['ACL23']],
    ]);
  },
);
