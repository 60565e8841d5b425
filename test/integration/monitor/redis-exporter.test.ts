import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeConfig } from '../../support/agent/cli.ts';
import { startDaemon } from '../../support/agent/daemon.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { peerProgram, startPeer } from '../../support/peers/peers.ts';
import { freePort } from '../../support/servers/free-port.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

const exporter = peerProgram('redis-exporter', 'prometheus-redis-exporter');
const page = readFileSync(join(import.meta.dirname, '../../../docs/monitoring.md'), 'utf8');

/** The page's table: what stands in a row, name by name. */
function mapped(): [theirs: string, ours: string][] {
  const rows = [...page.matchAll(/^\| (`redis_[^|]*) \| (`redis_agent_[^|]*) \|$/gm)];
  return rows.flatMap(([, left = '', right = '']): [string, string][] => {
    const names = (text: string): string[] => [...text.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
    const [theirs, ours] = [names(left), names(right)];
    expect({ row: left, names: theirs.length }).toEqual({ row: left, names: ours.length });
    return theirs.map((name, index) => [name, ours[index] ?? '']);
  });
}

/** The sum of a series, of one instance where it has that label; undefined: there is none. */
function valueIn(text: string, name: string, instance?: string): number | undefined {
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .filter((line) => instance === undefined || line.includes(`instance="${instance}"`));
  if (lines.length === 0) return undefined;
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** What goes on while one looks after the other: both look, and each is a client. */
const moving: Readonly<Record<string, number>> = {
  redis_memory_used_bytes: 1_000_000,
  redis_connected_clients: 3,
  redis_commands_processed_total: 500,
};

test.skipIf(exporter === undefined)(
  'redis_exporter: each of its series on the page is there, and says what ours does',
  async () => {
    const folder = makeTempFolder();
    try {
      const master = await startServer({
        config: { maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru', maxclients: '100' },
      });
      const replica = await startServer();
      await replica.call('REPLICAOF', '127.0.0.1', master.port);
      await master.call('DEBUG', 'POPULATE', '5000');
      for (const name of ['a', 'b', 'none']) await master.call('GET', name);
      for (const name of ['key:1', 'key:2', 'key:3']) await master.call('GET', name);
      await master.call('SET', 'short', 'lived', 'PX', '1');
      await expect.poll(() => master.call('EXISTS', 'short')).toBe(0);
      await expect
        .poll(async () => String(await replica.call('INFO', 'replication')))
        .toContain('master_link_status:up');
      const [agentPort, port] = [await freePort(), await freePort()];
      const config = writeConfig({
        instances: [
          { name: 'first', url: master.url },
          { name: 'second', url: replica.url },
        ],
        settings: {
          // What looking for queues touches counts as hits; the agent leaves its own out.
          monitor: { interval: '1s', find_queues: 'off' },
          backup: { schedule: 'off' },
          listen: `127.0.0.1:${agentPort}`,
        },
      });
      const daemon = startDaemon(config);
      await daemon.until({ msg: 'listening' });
      const base = `http://127.0.0.1:${port}`;
      await startPeer(
        exporter ?? '',
        ['-web.listen-address', `127.0.0.1:${port}`, '-redis.addr', master.url],
        {
          folder,
          ready: `${base}/health`,
        },
      );
      const text = async (url: string): Promise<string> => (await fetch(url)).text();
      const theirs = (server: TestServer): Promise<string> =>
        text(`${base}/scrape?target=${encodeURIComponent(server.url)}`);
      const ours = (): Promise<string> => text(`http://127.0.0.1:${agentPort}/metrics`);
      // Until the agent has seen what has happened.
      await expect
        .poll(async () => valueIn(await ours(), 'redis_agent_server_keyspace_misses_total', 'first'))
        .toBe(valueIn(await theirs(master), 'redis_keyspace_misses_total'));
      await expect
        .poll(async () => valueIn(await ours(), 'redis_agent_server_master_link_up', 'second'))
        .toBe(1);
      const [ofMaster, ofReplica, own] = [await theirs(master), await theirs(replica), await ours()];
      const pairs = mapped();
      expect(pairs.length).toBeGreaterThan(12);
      const differing = pairs.flatMap(([their, our]) => {
        const replicas = their === 'redis_master_link_up';
        const [left, right] = [
          valueIn(replicas ? ofReplica : ofMaster, their),
          valueIn(own, our, replicas ? 'second' : 'first'),
        ];
        const near =
          left !== undefined && right !== undefined && Math.abs(left - right) <= (moving[their] ?? 0);
        return near ? [] : [{ their, left, our, right }];
      });
      expect(differing).toEqual([]);
      await daemon.stop();
    } finally {
      removeTempFolder(folder);
    }
  },
);
