// A server whose administrator has switched commands off (rename-command CONFIG ""), as old guides advise.
import { expect, test } from 'vitest';
import { idsIn, runAgent, writeConfig } from '../../support/agent/cli.ts';
import { startServer } from '../../support/servers/redis-server.ts';

test.each(['CONFIG', 'BGSAVE'])(
  'without %s there is no backup, and it is said what to do',
  async (command) => {
    const server = await startServer({ config: { 'rename-command': `${command} ""` } });
    await server.call('SET', 'key', 'value');
    const config = writeConfig({ server });
    const backup = await runAgent(['backup'], { config });
    expect(backup.stderr).toMatch(
      new RegExp(
        `^redis-agent: instance main: ${command}.*: the server does not know this command; .*rename-command.*\n$`,
      ),
    );
    expect({ code: backup.code, ids: idsIn(config) }).toEqual({ code: 4, ids: [] });
    const checked = await runAgent(['--json', 'check'], { config });
    const lines: { verdict: string; next: string }[] = checked.json;
    const failed = lines.filter(({ verdict }) => verdict === 'failed');
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.map(({ next }) => next)).toEqual(
      failed.map(() => expect.stringContaining('rename-command')),
    );
  },
);

test('a plan that comes to nothing is told to who asked, and to nobody else', async () => {
  const server = await startServer();
  const config = writeConfig({ server });
  expect(await runAgent(['restore', '--dry-run'], { config })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('has no backup'),
  });
  expect(await runAgent(['restore', '--undo', '--dry-run'], { config })).toMatchObject({ code: 1 });
  const status = await runAgent(['status'], { config });
  expect(status.stdout).not.toContain('restore failed');
});
