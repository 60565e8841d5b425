import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runAgent, writeConfig } from '../support/agent/cli.ts';
import { often, planned, serverWithKey, startDaemon } from '../support/agent/daemon.ts';
import { startHookServer } from '../support/alerts/hook-server.ts';
import { makeTempFolder, removeTempFolder } from '../support/house/temp-folder.ts';
import { peerProgram, startPeer } from '../support/peers/peers.ts';
import { freePort } from '../support/servers/free-port.ts';

const alertmanager = peerProgram('alertmanager', 'prometheus-alertmanager');
let folder: string;

beforeAll(() => {
  folder = makeTempFolder();
});
afterAll(() => removeTempFolder(folder));

test.skipIf(alertmanager === undefined)(
  'alertmanager: takes an alert and its end, and hands both on',
  async () => {
    const hook = await startHookServer({ status: 200 });
    const port = await freePort();
    writeFileSync(
      join(folder, 'alertmanager.yml'),
      [
        'route: { receiver: hook, group_wait: 0s, group_interval: 1s, group_by: [alertname] }',
        `receivers: [{ name: hook, webhook_configs: [{ url: "${hook.url}/hook", send_resolved: true }] }]`,
        '',
      ].join('\n'),
    );
    const base = `http://127.0.0.1:${port}`;
    await startPeer(
      alertmanager ?? '',
      [
        '--config.file=alertmanager.yml',
        `--web.listen-address=127.0.0.1:${port}`,
        '--cluster.listen-address=',
        `--storage.path=${join(folder, 'data')}`,
      ],
      { folder, ready: `${base}/-/ready` },
    );
    const server = await serverWithKey();
    const options = planned(server, { schedule: often });
    const alerts = { group_interval: '0s', channels: [{ name: 'am', type: 'alertmanager', url: base }] };
    const config = writeConfig({ ...options, settings: { ...options.settings, alerts } });
    expect((await runAgent(['alerts', 'test', 'am', '--json'], { config })).json).toMatchObject([
      { channel: 'am', ok: true },
    ]);
    const told = (): string[] =>
      hook.requests.flatMap(({ json }) =>
        json.alerts
          .filter(
            (alert: { labels: Record<string, string> }) => alert.labels['alertname'] === 'backup-failed',
          )
          .map(
            (alert: { status: string; labels: Record<string, string> }) =>
              `${alert.status} ${alert.labels['severity']}`,
          ),
      );
    await server.call('ACL', 'SETUSER', 'default', '-bgsave');
    const daemon = startDaemon(config);
    await expect.poll(told, { interval: 50 }).toContain('firing critical');
    await server.call('ACL', 'SETUSER', 'default', '+bgsave');
    await expect.poll(told, { interval: 50 }).toContain('resolved critical');
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  },
);
