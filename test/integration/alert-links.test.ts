import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { signLink } from '../../src/lib/signed-link.ts';
import { runAgent, writeConfig, type TestConfig } from '../support/agent/cli.ts';
import { sound, startDaemon } from '../support/agent/daemon.ts';
import { startSmtp, textPart } from '../support/alerts/smtp-server.ts';
import { freePort } from '../support/servers/free-port.ts';
import { startServer } from '../support/servers/redis-server.ts';

interface Reply {
  status: number;
  body: string;
  headers: IncomingHttpHeaders;
}

async function ask(
  port: number,
  method: string,
  path: string,
  { body = '', headers = {} }: { body?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  return await new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, headers, method }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }),
      );
    })
      .on('error', reject)
      .end(body);
  });
}

interface Alert {
  id: number;
  rule: string;
  ack: { by: string } | null;
  held: { by: string } | null;
}

const alertsOf = async (config: TestConfig): Promise<Alert[]> =>
  (await runAgent(['alerts', 'list', '--json'], { config })).json.alerts;

async function watched(more: Record<string, unknown> = {}) {
  const [server, smtp, port] = [await startServer({ config: sound }), await startSmtp(), await freePort()];
  const mail = {
    name: 'mail',
    type: 'email',
    from: 'agent@example.org',
    to: ['ops@example.org'],
    smtp: { url: `smtp://127.0.0.1:${smtp.port}` },
  };
  const config = writeConfig({ server });
  const token = config.secret('listen', 'a-token-for-pages-71d2');
  const settings = (links: string, listen: unknown = `127.0.0.1:${port}`) => ({
    monitor: { interval: '1s' },
    backup: { schedule: 'off' },
    listen,
    alerts: { channels: [mail], public_url: `http://127.0.0.1:${port}`, links, group_wait: '0s' },
    ...more,
  });
  return { server, smtp, port, config, settings, token };
}

test('a link in a mail: looking changes nothing, pressing does, once', async () => {
  const { server, smtp, port, config, settings } = await watched();
  config.rewrite({ server, settings: settings('1h') });
  const daemon = startDaemon(config);
  await daemon.until({ msg: 'listening' });
  await server.kill('SIGKILL');
  const linkIn = (): string | undefined =>
    smtp.mails
      .map(({ source }) => /http:\/\/127\.0\.0\.1:\d+(\/a\/\S+)/.exec(textPart(source))?.[1])
      .find(Boolean);
  await expect.poll(linkIn, { interval: 200 }).toBeDefined();
  const path = linkIn() ?? '';
  const key = readFileSync(join(config.state, 'links.key'));
  expect(statSync(join(config.state, 'links.key')).mode & 0o777).toBe(0o600);
  const alert = { id: Number(/^\/a\/(\d+)\./.exec(path)?.[1]) };

  // Mail scanners and previews look, some of them twice.
  for (let times = 0; times < 3; times += 1) {
    const page = await ask(port, 'GET', path);
    expect(page.status).toBe(200);
    expect(page.body).toContain('<form method="post">');
    expect(page.body).not.toMatch(/<script|\son\w+=|src=/i);
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-\S+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
    );
    expect(page.headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  }
  expect((await ask(port, 'GET', `${path}?utm_source=mail`)).status).toBe(200);
  const posted = (body: string, headers: Record<string, string> = {}) =>
    ask(port, 'POST', path, { body, headers });
  const refused: [Promise<Reply>, number][] = [
    [ask(port, 'HEAD', path), 405],
    [ask(port, 'PUT', path, { body: 'action=ack' }), 405],
    [ask(port, 'POST', '/', { body: 'action=ack' }), 405],
    [ask(port, 'POST', '/a/', { body: 'action=ack' }), 405],
    [posted(''), 400],
    [posted('action=delete'), 400],
    [posted('action=ack&action=silence'), 400],
    [posted(`action=ack${' '.repeat(100_000)}`), 413],
    [posted('action=ack', { 'sec-fetch-site': 'cross-site' }), 403],
    [posted('action=ack', { 'sec-fetch-site': 'same-site' }), 403],
    [posted('action=ack', { host: 'evil.example' }), 421],
    [ask(port, 'POST', path.replace(/\/a\/\d+/, '/a/99'), { body: 'action=ack' }), 404],
    [ask(port, 'POST', `${path}x`, { body: 'action=ack' }), 404],
    [ask(port, 'POST', `${path}/../..`, { body: 'action=ack' }), 405],
    [ask(port, 'GET', `/a/${'9'.repeat(500)}.1.x.y`), 404],
    [ask(port, 'GET', '/a/%00%0d%0aSet-Cookie:x'), 404],
    [ask(port, 'GET', `/a/${encodeURIComponent('<script>alert(1)</script>')}`), 404],
  ];
  for (const [answer, status] of refused) expect((await answer).status).toBe(status);
  expect((await alertsOf(config)).map(({ ack, held }) => [ack, held])).toContainEqual([null, null]);
  expect((await alertsOf(config)).every(({ ack, held }) => ack === null && held?.by !== 'silence')).toBe(
    true,
  );

  // Of ten at once one acts.
  const answers = await Promise.all(Array.from({ length: 10 }, () => posted('action=ack')));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 410)).toHaveLength(9);
  const byId = async (): Promise<Alert | undefined> =>
    (await alertsOf(config)).find(({ id }) => id === alert.id);
  const taken = await byId();
  expect(taken).toMatchObject({ id: alert.id, ack: { by: 'a link sent to mail' } });
  expect((await ask(port, 'GET', path)).status).toBe(410);

  const soon = Math.floor(Date.now() / 1000) + 3600;
  const sign = (id: number, until: number, channel = 'mail'): string =>
    `/a/${signLink({ alert: id, until, channel }, key)}`;
  const silenced = await ask(port, 'POST', sign(alert.id, soon, '<b>'), { body: 'action=silence' });
  expect(silenced).toMatchObject({ status: 200, body: expect.stringContaining('Silenced until') });
  const quiet = await byId();
  expect(quiet).toMatchObject({ id: alert.id, held: { by: 'silence' } });
  expect((await ask(port, 'GET', sign(alert.id, soon - 7200))).status).toBe(410);
  expect((await ask(port, 'GET', sign(4711, soon))).status).toBe(410);
  expect(await runAgent(['backup'], { config })).toMatchObject({ code: 4 });
  const failed = (await alertsOf(config)).find(({ rule }) => rule === 'backup-failed')?.id ?? 0;
  expect((await ask(port, 'GET', sign(failed, soon))).status).toBe(200);
  await server.restart();
  await server.call('SET', 'a', 'b');
  expect(await runAgent(['backup'], { config })).toMatchObject({ code: 0 });
  expect(await ask(port, 'POST', sign(failed, soon), { body: 'action=ack' })).toMatchObject({
    status: 410,
    body: expect.stringContaining('over'),
  });
  await daemon.stop();
});

test('without links nothing is there, with a token a link needs none, and a key that others can read is none', async () => {
  const { server, port, config, settings, token } = await watched();
  config.rewrite({ server, settings: settings('off') });
  const off = startDaemon(config);
  await off.until({ msg: 'listening' });
  expect((await ask(port, 'GET', '/a/1.2.bWFpbA.x')).status).toBe(404);
  expect((await ask(port, 'POST', '/a/1.2.bWFpbA.x', { body: 'action=ack' })).status).toBe(405);
  await off.stop();
  const key = Buffer.alloc(32, 7);
  const file = join(config.state, 'links.key');
  writeFileSync(file, key, { mode: 0o600 });
  const address = `127.0.0.1:${port}`;
  config.rewrite({ server, settings: settings('1h', { address, token }) });
  const on = startDaemon(config);
  await on.until({ msg: 'listening' });
  const path = `/a/${signLink({ alert: 4711, until: Math.floor(Date.now() / 1000) + 60, channel: 'mail' }, key)}`;
  expect(await ask(port, 'GET', path)).toMatchObject({ status: 410, body: expect.stringContaining('over') });
  expect((await ask(port, 'GET', '/')).status).toBe(401);
  chmodSync(file, 0o644);
  expect((await ask(port, 'GET', path)).status).toBe(500);
  await on.stop();
});

test.each([
  [{ links: '1h' }, /needs alerts\.public_url/],
  [{ links: '1h', public_url: 'http://redis.example.org' }, /with https:/],
  [{ links: '1h', public_url: 'https://redis.example.org' }, /needs listen/],
])('what links need is said when the configuration is read: %j', async (alerts, problem) => {
  const config = writeConfig({ settings: { alerts } });
  const { code, stderr } = await runAgent(['config', 'check'], { config });
  expect(code).toBe(2);
  expect(stderr).toMatch(problem);
});
