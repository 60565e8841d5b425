import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeConfig } from '../../support/agent/cli.ts';
import { startDaemon } from '../../support/agent/daemon.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { peerProgram, startPeer } from '../../support/peers/peers.ts';
import { freePort } from '../../support/servers/free-port.ts';
import { startServer } from '../../support/servers/redis-server.ts';

const conf = join(import.meta.dirname, '../../../conf');
const prometheus = peerProgram('prometheus', 'prometheus');
const promtool = peerProgram('prometheus', 'promtool') ?? '';
let folder: string;

beforeAll(() => {
  folder = makeTempFolder();
});
afterAll(() => removeTempFolder(folder));

interface Result {
  status: string;
  data: { result: { metric: Record<string, string>; value: [number, string] }[] };
}

test.skipIf(prometheus === undefined)('prometheus: its rules are valid, and fire as they are to', () => {
  execFileSync(promtool, ['check', 'rules', join(conf, 'prometheus/rules.yaml')]);
  execFileSync(promtool, ['test', 'rules', 'rules-test.yaml'], { cwd: join(conf, 'prometheus') });
});

test.skipIf(prometheus === undefined)(
  'prometheus: what it scrapes answers every expression of the dashboard',
  async () => {
    const server = await startServer();
    const [agentPort, port] = [await freePort(), await freePort()];
    const config = writeConfig({
      server,
      settings: { monitor: { interval: '1s' }, listen: `127.0.0.1:${agentPort}` },
    });
    const daemon = startDaemon(config);
    await daemon.until({ msg: 'listening' });
    const metrics = `http://127.0.0.1:${agentPort}/metrics`;
    const scraped = await (await fetch(metrics)).text();
    const rulesFile = join(conf, 'prometheus/rules.yaml');
    writeFileSync(join(folder, 'metrics'), scraped);
    // Names, types and help as Prometheus wants them.
    execFileSync(promtool, ['check', 'metrics'], { input: scraped });
    writeFileSync(
      join(folder, 'prometheus.yml'),
      [
        'global: { scrape_interval: 1s, evaluation_interval: 1s }',
        `rule_files: [${JSON.stringify(rulesFile)}]`,
        'scrape_configs:',
        `  - { job_name: redis-agent, static_configs: [{ targets: ["127.0.0.1:${agentPort}"] }] }`,
        '',
      ].join('\n'),
    );
    const base = `http://127.0.0.1:${port}`;
    await startPeer(
      prometheus ?? '',
      [
        '--config.file=prometheus.yml',
        `--web.listen-address=127.0.0.1:${port}`,
        `--storage.tsdb.path=${join(folder, 'tsdb')}`,
      ],
      { folder, ready: `${base}/-/ready` },
    );
    const ask = async (query: string): Promise<Result> => {
      const answer = await fetch(`${base}/api/v1/query?${new URLSearchParams({ query }).toString()}`);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as Prometheus documents it
      return (await answer.json()) as Result;
    };
    // Two backups and some traffic, so that there is something to divide.
    await server.call('SET', 'a', '1');
    await server.call('GET', 'a');
    await server.call('GET', 'none');
    const dashboard: { panels: { targets?: { expr: string }[] }[] } = JSON.parse(
      readFileSync(join(conf, 'grafana/dashboard.json'), 'utf8'),
    );
    const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(expressions.length).toBeGreaterThan(10);
    for (const expression of expressions) {
      const query = expression.replaceAll('$instance', '.*');
      await expect
        .poll(async () => (await ask(query)).data?.result.length ?? 0, {
          timeout: 30_000,
          interval: 200,
          message: query,
        })
        .toBeGreaterThan(0);
    }
    expect((await ask('redis_agent_server_up')).data.result).toMatchObject([
      { metric: { exported_instance: 'main', job: 'redis-agent' }, value: [expect.any(Number), '1'] },
    ]);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  },
);
