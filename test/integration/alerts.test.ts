import { expect, test } from 'vitest';
import { runAgent, writeConfig, type TestConfig } from '../support/agent/cli.ts';
import { often, planned, serverWithKey, startDaemon } from '../support/agent/daemon.ts';
import { startHookServer, type HookServer } from '../support/alerts/hook-server.ts';
import { header, startSmtp, textPart, type TestSmtp } from '../support/alerts/smtp-server.ts';
import type { TestServer } from '../support/servers/redis-server.ts';

interface Scene {
  server: TestServer;
  config: TestConfig;
  smtp: TestSmtp;
  hook: HookServer;
}

/** A daemon's configuration with a schedule of every second, a mail server and a web hook. */
async function setScene(): Promise<Scene> {
  const [server, smtp, hook] = [
    await serverWithKey(),
    await startSmtp(),
    await startHookServer({ status: 204 }),
  ];
  const options = planned(server, { schedule: often });
  const config = writeConfig(options);
  const url = config.secret('hook', `${hook.url}/s3cret-path`);
  const alerts = {
    group_interval: '0s',
    channels: [
      {
        name: 'mail',
        type: 'email',
        from: 'redis-agent@example.org',
        to: ['ops@example.org'],
        smtp: { url: `smtp://127.0.0.1:${smtp.port}` },
      },
      { name: 'hook', type: 'webhook', url },
    ],
  };
  config.rewrite({ ...options, settings: { ...options.settings, alerts } });
  return { server, config, smtp, hook };
}

const forbid = (server: TestServer) => server.call('ACL', 'SETUSER', 'default', '-bgsave');
const allow = (server: TestServer) => server.call('ACL', 'SETUSER', 'default', '+bgsave');

/** What the web hook heard of failed backups. */
const heard = ({ hook }: Scene): string[] =>
  hook.requests.flatMap(({ json }) =>
    json.alerts
      .filter(({ rule }: { rule: string }) => rule === 'backup-failed')
      .map(({ change }: { change: string }) => change),
  );

const until = async (what: () => unknown, expected: unknown): Promise<void> => {
  await expect.poll(what, { interval: 20 }).toEqual(expected);
};

test('a backup that fails is told once, and its end too, although the agent was killed in between', async () => {
  const scene = await setScene();
  const { server, config, smtp } = scene;
  const first = startDaemon(config);
  await first.until({ msg: /^backup 2/ });
  await forbid(server);
  await first.until({ msg: 'alert sent', channel: 'mail' });
  await first.until({ msg: 'alert sent', channel: 'hook' });
  first.kill('SIGKILL');
  await first.ended();
  const { json: list } = await runAgent(['alerts', 'list', '--json'], { config });
  expect(list).toMatchObject({
    delivered: false,
    alerts: [{ rule: 'backup-failed', state: 'firing', told: [{}, {}] }],
  });
  const second = startDaemon(config);
  // It fails again, and nobody is told again.
  await second.until({ msg: 'job failed' });
  await allow(server);
  await until(() => heard(scene), ['fired', 'resolved']);
  await until(() => smtp.mails.length, 2);
  await second.stop();
  expect(heard(scene)).toEqual(['fired', 'resolved']);
  const [fired, over] = smtp.mails.map(({ source }) => source);
  expect(textPart(fired!)).toContain('may not run BGSAVE');
  expect(textPart(fired!)).toContain('ACL SETUSER default +bgsave');
  expect(textPart(over!)).toContain('resolved: backup-failed');
  expect(header(over!, 'references')).toBe(header(fired!, 'references'));
  const { json: history } = await runAgent(['alerts', 'history', '--json'], { config });
  expect(history).toMatchObject([
    { rule: 'backup-failed', resolution: 'cleared', duration_seconds: expect.any(Number) },
  ]);
});

test('what could not be sent before the agent was killed is sent after its start, once', async () => {
  const scene = await setScene();
  const { server, config, hook } = scene;
  hook.answer({ status: 503 });
  await forbid(server);
  const first = startDaemon(config);
  await first.until({ msg: 'alert not sent', channel: 'hook' });
  first.kill('SIGKILL');
  await first.ended();
  hook.requests.length = 0;
  hook.answer({ status: 204 });
  const second = startDaemon(config);
  await second.until({ msg: 'alert sent', channel: 'hook' });
  await second.stop();
  expect(heard(scene)).toEqual(['fired']);
});

test('silences, acknowledges and tests as it is told to, and says when nobody is there to tell', async () => {
  const { server, config, hook } = await setScene();
  await forbid(server);
  const failed = await runAgent(['backup'], { config });
  expect(failed.stderr).toContain('1 alert to tell, and no daemon runs that would');
  const said = async (...args: string[]) => runAgent(['alerts', ...args], { config });
  expect((await said('ack', '1')).code).toBe(0);
  expect((await said('silence', 'backup-*', '--for', '2h', '--why', 'disk swap')).stdout).toMatch(
    /silence 1: .* ends in 2 h/,
  );
  const list = (await said('list')).stdout;
  expect(list).toMatch(/critical {2,}main {2,}backup-failed/);
  expect(list).toContain('silenced by');
  expect((await said('show', '1')).stdout).toContain('may not run BGSAVE');
  expect((await said('unsilence', '1')).code).toBe(0);
  expect((await said('unsilence', '1')).stderr).toContain('no silence 1 that has not ended');
  for (const [args, problem] of [
    [['silence', 'backup-fialed', '--for', '2h', '--why', 'x'], 'did you mean backup-failed?'],
    [['silence', 'backup-failed', '--why', 'x'], 'needs an end'],
    [['silence', 'backup-failed', '--for', '2h'], 'needs a reason'],
    [['silence', 'backup-failed', '--for', '2y', '--why', 'x'], 'is no duration'],
    [['ack', '99'], 'there is no alert 99'],
    [['show', 'x'], 'is no number'],
    [['test', 'mial'], 'did you mean mail?'],
  ] as const) {
    const { code, stderr } = await said(...args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(problem) });
  }
  hook.answer({ status: 404 });
  const tested = await runAgent(['alerts', 'test', '--json'], { config });
  expect(tested.code).toBe(1);
  expect(tested.json).toMatchObject([
    { channel: 'mail', ok: true },
    { channel: 'hook', ok: false },
  ]);
});
