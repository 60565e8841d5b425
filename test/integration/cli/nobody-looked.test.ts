import { expect, test } from 'vitest';
import { runAgent, takeBackup, writeConfig } from '../../support/agent/cli.ts';
import { startServer } from '../../support/servers/redis-server.ts';

test('a status without findings says who has not looked', async () => {
  const config = writeConfig({ server: await startServer() });
  const { code, stdout } = await runAgent(['status'], { config });
  expect({ code, stdout }).toMatchObject({ code: 0 });
  expect(stdout).toMatch(
    /^findings +none known: not watched in the last day \(redis-agent run\), never audited \(redis-agent audit\)$/m,
  );
  await runAgent(['audit'], { config });
  const { json } = await runAgent(['status', '--json'], { config });
  expect(json).toMatchObject([{ audited: expect.stringMatching(/^\d{4}-/) }]);
});

test('of an instance that was renamed, a restore and the list say where its backups may be', async () => {
  const server = await startServer();
  const config = writeConfig({ server });
  await takeBackup(config);
  config.rewrite({ instances: [{ name: 'sessions', url: server.url }] });
  const where = 'if it had another name before: redis-agent backups list --fleet';
  expect(await runAgent(['restore', '--dry-run'], { config })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(where),
  });
  expect(await runAgent(['backups', 'list'], { config })).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(where),
  });
  const { stdout } = await runAgent(['backups', 'list', '--fleet'], { config });
  expect(stdout).toMatch(/^main /m);
});
