import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { connectRedis } from '../../../src/redis/connect.ts';
import { runAgent, writeConfig } from '../../support/agent/cli.ts';
import { shareCertificates } from '../../support/servers/certificates.ts';
import { freePort } from '../../support/servers/free-port.ts';
import { manageServer } from '../../support/servers/managed-server.ts';
import { giveToServer } from '../../support/servers/server-user.ts';

test('TLS beside the plain port, which is closed when the agent itself comes by TLS, and not before', async () => {
  const server = await manageServer();
  const folder = dirname(server.configFile);
  const { ca, cert, key } = shareCertificates(folder);
  giveToServer(folder);
  const port = await freePort();
  const config = writeConfig({ instances: [{ ...server.instance, role: 'queue' }] });
  const words = [
    'harden',
    'tls',
    'enable',
    '--cert',
    cert,
    '--key',
    key,
    '--ca',
    ca,
    '--port',
    String(port),
    '--yes',
  ];
  const enabled = await runAgent([...words, '--json'], { config });
  expect(enabled.code, enabled.stdout).toBe(0);
  const target = { name: 'tls', url: `rediss://127.0.0.1:${port}`, tls: { ca } };
  (await connectRedis(target)).close();

  const early = await runAgent([...words, '--close-plain', '--json'], { config });
  expect(early.json.plan.refused).toMatchObject([{ directive: 'port' }]);
  await server.call('PING');

  config.rewrite({
    instances: [{ ...server.instance, url: target.url, tls: { ca }, role: 'queue' }],
  });
  const closed = await runAgent([...words, '--close-plain', '--json'], { config });
  expect(closed.json, closed.stdout).toMatchObject({ outcome: 'done' });
  await expect(connectRedis({ name: 'plain', url: server.url })).rejects.toMatchObject({ reason: 'refused' });
  (await connectRedis(target)).close();
  expect(existsSync(server.configFile)).toBe(true);
});
