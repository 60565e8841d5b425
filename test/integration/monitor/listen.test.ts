import { request } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runAgent, writeConfig } from '../../support/agent/cli.ts';
import { startDaemon } from '../../support/agent/daemon.ts';
import { freePort } from '../../support/servers/free-port.ts';
import { startServer } from '../../support/servers/redis-server.ts';

const often = { monitor: { interval: '1s' }, backup: { schedule: 'off' } };

async function get(
  where: { port: number } | { socketPath: string },
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  return await new Promise((resolve, reject) => {
    request({ ...where, host: '127.0.0.1', path, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    })
      .on('error', reject)
      .end();
  });
}

test('/metrics has what was polled, and /healthz is well', async () => {
  const server = await startServer();
  const port = await freePort();
  const daemon = startDaemon(writeConfig({ server, settings: { ...often, listen: `127.0.0.1:${port}` } }));
  await daemon.until({ msg: 'started' });
  await expect
    .poll(async () => (await get({ port }, '/metrics')).body, { timeout: 10_000 })
    .toMatch(/^redis_agent_server_up\{instance="main"\} 1$/m);
  const { body } = await get({ port }, '/metrics');
  expect(body).toMatch(
    /^# HELP redis_agent_server_memory_used_bytes .+\n# TYPE redis_agent_server_memory_used_bytes gauge$/m,
  );
  expect(body).toMatch(/^# TYPE redis_agent_server_commands_total counter$/m);
  expect(body).toMatch(/^redis_agent_findings\{instance="main",severity="critical"\} \d$/m);
  expect(body).toMatch(/^redis_agent_server_state\{instance="main",state="up"\} 1$/m);
  expect(await get({ port }, '/healthz')).toEqual({ status: 200, body: '{"status":"ok","reasons":[]}\n' });
  expect(await get({ port }, '/etc/passwd')).toMatchObject({ status: 404 });
  expect(await daemon.stop()).toMatchObject({ code: 0 });
});

test('with a token, and over a socket', async () => {
  const server = await startServer();
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
  // One that was killed leaves its socket; the next one takes its place.
  daemon.kill('SIGKILL');
  await daemon.ended();
  const next = startDaemon(config);
  await next.until({ msg: 'listening' });
  expect(await next.stop()).toMatchObject({ code: 0 });
});

test('off this host without a token it is refused', async () => {
  const config = writeConfig({ settings: { listen: '0.0.0.0:9722' } });
  const { code, stderr } = await runAgent(['config', 'check'], { config });
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('give it a token') });
});
