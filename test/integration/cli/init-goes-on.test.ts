// From nothing to what can be relied on, in one pass: without a question, and by questions.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runAgent, spawnAgent } from '../../support/agent/cli.ts';
import { Place } from '../../support/agent/init-place.ts';
import { header, startSmtp } from '../../support/alerts/smtp-server.ts';
import { everything } from '../../support/house/tier.ts';
import { startServer } from '../../support/servers/redis-server.ts';

test('--yes: the channel is tested, all is checked, a first backup is proven, the audit is told', async () => {
  const server = await startServer();
  await server.call('HSET', 'bull:mail:meta', 'x', '1');
  const smtp = await startSmtp();
  const place = new Place();
  const words = ['--json', 'init', '--state', place.state, '--url', server.url, '--yes'];
  const channel = ['--alerts-to', 'ops@example.org', '--smtp', `smtp://127.0.0.1:${smtp.port}`];
  const { code, json } = await spawnAgent(['--config', place.config, ...words, ...channel]).ended;
  expect(json.steps).toMatchObject([
    { step: 'alerts', ok: true },
    { step: 'check', ok: true, said: expect.stringMatching(/^all \d+ are fine$/) as unknown },
    {
      step: 'backup',
      instance: 'main',
      ok: true,
      said: expect.stringMatching(/1 key as expected/) as unknown,
    },
    { step: 'audit', instance: 'main', ok: true, said: expect.stringMatching(/^\d+ of 100/) as unknown },
  ]);
  expect(code).toBe(0);
  expect(json.instances[0].role).toEqual({ role: 'queue', why: 'it has queues of BullMQ: mail' });
  expect(json.next).toEqual([`redis-agent --config ${place.config} run`]);
  expect(smtp.mails.map(({ source }) => header(source, 'Subject'))[0]).toContain('TEST');
  const { json: backups } = await place.run('--json', 'backups', 'list');
  expect(backups.backups ?? backups).toHaveLength(1);
});

test.runIf(everything)('what fails does not end the rest, and is what to type next', async () => {
  const server = await startServer();
  const place = new Place();
  const words = ['init', '--state', place.state, '--url', server.url, '--yes', '--role', 'cache'];
  const channel = ['--alerts-to', 'ops@example.org', '--smtp', 'smtp://127.0.0.1:1'];
  const { code, stdout } = await spawnAgent(['--config', place.config, ...words, ...channel]).ended;
  expect(code).toBe(1);
  expect(stdout).toMatch(/^alerts {2}failed {2}mail: /m);
  expect(stdout).toMatch(/^backup {2}ok {6}main: /m);
  expect(stdout).toMatch(/^role +main: cache, as --role says$/m);
  const next = stdout.slice(stdout.indexOf('\nNext\n'));
  expect(next).toContain(`redis-agent --config ${place.config} alerts test\n`);
});

test('on a terminal it asks; the address of a web hook is kept as a secret', async () => {
  const server = await startServer();
  const place = new Place();
  const hook = 'https://hooks.slack.com/services/T0/B0/a-secret-of-theirs';
  const words = ['--config', place.config, 'init', '--state', place.state, '--url', server.url];
  const { code, stdout, stderr } = await runAgent(words, {
    terminal: ['nobody', hook, 'kueue', 'queue', 'n'],
  });
  expect(stderr).toContain('no e-mail address');
  expect({ code, next: stdout.includes(' backup\n') }).toEqual({ code: 0, next: true });
  expect(readFileSync(place.config, 'utf8')).toMatch(/role: queue {8}# as was answered/);
  expect(readFileSync(join(place.secrets, 'alerts'), 'utf8')).toBe(`${hook}\n`);
  expect(stdout).toContain(join(place.secrets, 'alerts'));
  expect(stdout).not.toContain(hook);
});

test.each([
  [['--alerts-to', 'https://hooks.slack.com/x'], /everybody can read it/],
  [['--alerts-to', 'ops'], /no e-mail address/],
  [['--role', 'queues'], /role/],
])('%j is refused before anything is done', async (flags, message) => {
  const server = await startServer();
  const place = new Place();
  const { code, stderr } = await place.init(server, '--yes', ...flags);
  expect({ code, files: place.files() }).toEqual({ code: 2, files: [] });
  expect(stderr).toMatch(message);
});
