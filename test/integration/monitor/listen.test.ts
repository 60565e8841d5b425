import { request, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runAgent, writeConfig } from '../../support/agent/cli.ts';
import { sound, startDaemon } from '../../support/agent/daemon.ts';
import { freePort } from '../../support/servers/free-port.ts';
import { startServer } from '../../support/servers/redis-server.ts';

const often = { monitor: { interval: '1s' }, backup: { schedule: 'off' } };

async function get(
  where: { port: number } | { socketPath: string },
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<{ status: number; body: string; headers: IncomingHttpHeaders }> {
  return await new Promise((resolve, reject) => {
    request({ ...where, host: '127.0.0.1', path, headers, method }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
      );
    })
      .on('error', reject)
      .end();
  });
}

test('/metrics has what was polled, and /healthz is well', async () => {
  const server = await startServer({ config: sound });
  const port = await freePort();
  const smtp = { url: 'smtp://127.0.0.1:1' };
  const mail = { name: 'mail', type: 'email', from: 'a@example.org', to: ['b@example.org'], smtp };
  const settings = { ...often, listen: `127.0.0.1:${port}`, alerts: { channels: [mail] } };
  const daemon = startDaemon(writeConfig({ server, settings }));
  await daemon.until({ msg: 'started' });
  await expect
    .poll(async () => (await get({ port }, '/metrics')).body)
    .toMatch(/^redis_agent_server_up\{instance="main"\} 1$/m);
  const { body } = await get({ port }, '/metrics');
  expect(body).toMatch(
    /^# HELP redis_agent_server_memory_used_bytes .+\n# TYPE redis_agent_server_memory_used_bytes gauge$/m,
  );
  expect(body).toMatch(/^# TYPE redis_agent_server_commands_total counter$/m);
  expect(body).toMatch(/^redis_agent_findings\{instance="main",severity="critical"\} \d$/m);
  expect(body).toMatch(/^redis_agent_alerts_firing\{instance="main",severity="critical"\} \d$/m);
  expect(body).toMatch(/^redis_agent_outbox_notices\{channel="mail"\} \d+$/m);
  expect(body).toMatch(/^redis_agent_channel_works\{channel="mail"\} [01]$/m);
  expect(body).toMatch(/^redis_agent_server_state\{instance="main",state="up"\} 1$/m);
  expect(await get({ port }, '/healthz')).toMatchObject({
    status: 200,
    body: '{"status":"ok","reasons":[]}\n',
  });
  expect(await get({ port }, '/etc/passwd')).toMatchObject({ status: 404 });
  expect(await daemon.stop()).toMatchObject({ code: 0 });
});

test('with a token, and over a socket', async () => {
  const server = await startServer({ config: sound });
  const config = writeConfig({ server, settings: often });
  const socketPath = join(config.folder, 'http.sock');
  const token = config.secret('metrics', 'a-token-for-metrics-51c2');
  config.rewrite({ server, settings: { ...often, listen: { address: `unix://${socketPath}`, token } } });
  const daemon = startDaemon(config);
  await daemon.until({ msg: 'listening' });
  expect(await get({ socketPath }, '/metrics')).toMatchObject({ status: 401 });
  expect(await get({ socketPath }, '/metrics', { authorization: 'Bearer wrong' })).toMatchObject({
    status: 401,
  });
  const bearer = { authorization: 'Bearer a-token-for-metrics-51c2' };
  expect(await get({ socketPath }, '/healthz', bearer)).toMatchObject({ status: 200 });
  const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });
  const asked = await get({ socketPath }, '/');
  expect(asked).toMatchObject({ status: 401, body: 'the token is needed\n' });
  expect(asked.headers['www-authenticate']).toMatch(/^Bearer, Basic realm=/);
  expect(await get({ socketPath }, '/', basic('me:a-token-for-metrics-51c'))).toMatchObject({ status: 401 });
  expect(await get({ socketPath }, '/', basic('a-token-for-metrics-51c2:'))).toMatchObject({ status: 401 });
  expect(await get({ socketPath }, '/', basic('me:a-token-for-metrics-51c2'))).toMatchObject({ status: 200 });
  // One that was killed leaves its socket; the next one takes its place.
  daemon.kill('SIGKILL');
  await daemon.ended();
  const next = startDaemon(config);
  await next.until({ msg: 'listening' });
  expect(await next.stop()).toMatchObject({ code: 0 });
});

test('the report is what the command makes, and nothing else is to be had', async () => {
  const server = await startServer({ config: sound });
  const port = await freePort();
  const config = writeConfig({
    server,
    settings: { ...often, listen: `127.0.0.1:${port}`, timezone: 'UTC' },
  });
  const daemon = startDaemon(config);
  await daemon.until({ msg: 'listening' });
  const page = await get({ port }, '/');
  const { body, headers } = page;
  expect(page.status).toBe(200);
  expect(body).toMatch(/^<!doctype html>[^]*<title>Redis: main<\/title>/);
  const made = await runAgent(['report', '--format', 'html'], { config });
  const headings = (text: string): string[] => text.match(/<h2[^>]*>[^<]*/g) ?? [];
  expect(headings(body)).toEqual(headings(made.stdout));
  expect(headings(body).length).toBeGreaterThan(5);
  // The page's own policy, as a header too.
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(body)?.[1];
  expect(headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `${policy}; frame-ancestors 'none'`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
  });
  expect(headers).not.toHaveProperty('access-control-allow-origin');
  expect((await get({ port }, '/?since=7d')).body).not.toBe(body);
  const feed = await get({ port }, '/maintenance.ics');
  expect(feed.headers['content-type']).toBe('text/calendar; charset=utf-8');
  const file = await runAgent(['maintenance', 'list', '--format', 'ics'], { config });
  const uids = (text: string): string[] => text.match(/^UID:.*$/gm) ?? [];
  expect(uids(feed.body)).toEqual(uids(file.stdout));
  expect(uids(feed.body).length).toBeGreaterThan(3);
  const others = ['/?since=9999d', '/?since=x', '/../../etc/passwd', '/config.yaml', '//', '/%2e%2e/state'];
  for (const path of others) expect([400, 404]).toContain((await get({ port }, path)).status);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])
    expect(await get({ port }, '/', {}, method)).toMatchObject({ status: 405, headers: { allow: 'GET' } });
  // A page elsewhere whose name was made to point here comes with that name.
  for (const path of ['/', '/metrics', '/maintenance.ics'])
    expect(await get({ port }, path, { host: `evil.example:${port}` })).toMatchObject({ status: 421 });
  expect(await get({ port }, '/healthz', { host: `localhost:${port}` })).toMatchObject({ status: 200 });
  expect(await daemon.stop()).toMatchObject({ code: 0 });
});

test('off this host without a token it is refused', async () => {
  const config = writeConfig({ settings: { listen: '0.0.0.0:9722' } });
  const { code, stderr } = await runAgent(['config', 'check'], { config });
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('give it a token') });
});
