import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../../src/domain/secret.ts';
import { policyNames } from '../../../src/harden/policy.ts';
import { connectRedis, type RedisConnection } from '../../../src/redis/connect.ts';
import { runAgent } from '../../support/agent/cli.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { freePort } from '../../support/servers/free-port.ts';
import { serverBuilds } from '../../support/servers/server-builds.ts';
import { giveToServer, serverUser } from '../../support/servers/server-user.ts';

describe.each(serverBuilds())('harden render for $name', (build) => {
  test.each([...policyNames])(
    '%s: the server starts with it, and nobody gets in but the admin',
    async (policy) => {
      const folder = makeTempFolder();
      onTestFinished(() => removeTempFolder(folder));
      const engine = `${build.engine}-${build.version}`;
      const out = join(folder, 'out');
      const { code, stdout } = await runAgent(
        ['harden', 'render', '--policy', policy, '--engine', engine, '--memory', '1gb', '--out', out],
        {},
      );
      expect(code, stdout).toBe(0);
      expect(statSync(join(out, 'admin-password')).mode & 0o777).toBe(0o600);
      const port = await freePort();
      mkdirSync(join(folder, 'data'));
      const conf = readFileSync(join(out, 'redis.conf'), 'utf8')
        .replaceAll(`/var/lib/${build.engine}`, join(folder, 'data'))
        .replaceAll(`/etc/${build.engine}`, out)
        .replace(/^logfile .*/m, 'logfile ""')
        .replace(/^port .*/m, `port ${port}`);
      writeFileSync(join(out, 'redis.conf'), conf);
      giveToServer(folder);
      chmodSync(folder, 0o711);
      const child = spawn(build.server, [join(out, 'redis.conf')], {
        stdio: ['ignore', 'pipe', 'pipe'],
        ...serverUser,
      });
      let said = '';
      child.stdout.on('data', (chunk) => (said += String(chunk)));
      onTestFinished(async () => {
        child.kill('SIGKILL');
        if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
      });
      const target = { name: 'rendered', url: `redis://127.0.0.1:${port}` };
      const password = new Secret(readFileSync(join(out, 'admin-password'), 'utf8').trim());
      let connection: RedisConnection | undefined;
      while (connection === undefined) {
        if (child.exitCode !== null) throw new Error(said);
        connection = await connectRedis({ ...target, username: 'admin', password }).catch(() => undefined);
        if (connection === undefined) await delay(10);
      }
      onTestFinished(() => connection?.close());
      expect([await connection.call('CONFIG', 'GET', 'maxmemory-policy')].flat()[1]).toBe(
        { cache: 'allkeys-lru', session: 'volatile-lru', queue: 'noeviction', durable: 'noeviction' }[policy],
      );
      await expect(connectRedis(target)).rejects.toMatchObject({ reason: 'noauth' });
    },
  );
});
