import { copyFileSync, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { AgentError } from '../../../src/domain/errors.ts';
import { readerAs } from '../../../src/lib/files/file-reader.ts';
import { tryTls } from '../../../src/harden/read/probe.ts';
import { connectRedis } from '../../../src/redis/connection/connect.ts';
import { runAgent, writeConfig } from '../../support/agent/cli.ts';
import { hardenerOf } from '../../support/harden/hardened.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { edgeBuilds } from '../../support/servers/redis-server.ts';
import { makeCertificates, shareCertificates } from '../../support/servers/certificates.ts';
import { freePort } from '../../support/servers/free-port.ts';
import { manageServer } from '../../support/servers/managed-server.ts';
import { giveToServer } from '../../support/servers/server-user.ts';

test.each(edgeBuilds())(
  '$name: TLS beside the plain port, which is closed when the agent itself comes by TLS, and not before',
  async (build) => {
    const server = await manageServer({ build });
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
    // It takes its ports when it starts.
    const old = build.name === 'redis-6.0';
    if (old) await server.restart();
    const target = { name: 'tls', url: `rediss://127.0.0.1:${port}`, tls: { ca } };
    (await connectRedis(target)).close();

    const early = await runAgent([...words, '--close-plain', '--json'], { config });
    expect(early.json.plan.refused).toMatchObject([{ directive: 'port' }]);
    await server.call('PING');

    config.rewrite({
      instances: [{ ...server.instance, url: target.url, tls: { ca }, role: 'queue' }],
    });
    await server.call('CLIENT', 'SETNAME', 'not-moved-yet');
    const left = await runAgent([...words, '--close-plain', '--json'], { config });
    expect(left.json.plan.refused).toMatchObject([
      { directive: 'port', why: expect.stringContaining('1 client is connected by that port') },
    ]);
    await server.call('PING');
    server.connection.close();
    const closed = await runAgent([...words, '--close-plain', '--json'], { config });
    expect(closed.json, closed.stdout).toMatchObject({ outcome: 'done', waiting: old ? ['port'] : [] });
    const plain = connectRedis({ name: 'plain', url: server.url }).then(
      (connection) => {
        connection.close();
        return 'open until its next start';
      },
      ({ reason }: AgentError) => reason,
    );
    expect(await plain).toBe(old ? 'open until its next start' : 'refused');
    (await connectRedis(target)).close();
    expect(existsSync(server.configFile)).toBe(true);
  },
);

test.each(edgeBuilds())('$name: a certificate that was renewed on disk is read again', async (build) => {
  const server = await manageServer({ build, down: true });
  const folder = dirname(server.configFile);
  const { ca, cert, key } = makeCertificates(folder);
  const port = await freePort();
  server.configure({
    'tls-port': String(port),
    'tls-cert-file': cert,
    'tls-key-file': key,
    'tls-ca-cert-file': ca,
  });
  await server.start();
  const served = async (): Promise<string | undefined> => {
    const found = await tryTls(
      { name: 'main', url: `rediss://127.0.0.1:${port}`, tls: { ca } },
      cert,
      readerAs(undefined),
    );
    return found.value?.served;
  };
  const before = await served();
  const hardener = await hardenerOf(server);
  expect((await hardener.plan()).changes.map(({ directive }) => directive)).not.toContain('tls-cert-file');
  makeCertificates(folder);
  giveToServer(folder);
  const { changes } = await hardener.plan();
  expect(changes.find(({ directive }) => directive === 'tls-cert-file')).toMatchObject({
    class: 'run time',
    to: cert,
  });
  expect((await hardener.apply()).outcome).toBe('done');
  const after = await served();
  expect(after).not.toBe(before);
  expect((await hardener.plan()).changes.map(({ directive }) => directive)).not.toContain('tls-cert-file');
  // One with another's key is not even tried at the server itself.
  const elsewhere = makeTempFolder();
  onTestFinished(() => removeTempFolder(elsewhere));
  copyFileSync(makeCertificates(elsewhere).cert, cert);
  giveToServer(folder);
  await expect(hardener.apply()).rejects.toMatchObject({
    code: 'refused',
    reason: 'boot',
    message: expect.stringMatching(/private key/),
  });
  expect(await served()).toBe(after);
});
