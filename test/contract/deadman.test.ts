import { expect, test } from 'vitest';
import { openDeadman } from '../../src/alert/channels/deadman.ts';
import { openTeams } from '../../src/alert/channels/teams.ts';
import { startHookServer } from '../support/alerts/hook-server.ts';
import { noticeOf, tools } from '../support/alerts/notices.ts';

const secret = 'pingp4th';
const open = (url: string) =>
  openDeadman({ name: 'alive', type: 'deadman', interval: 60_000, url: { env: `${url}/${secret}` } }, tools);
const signal = new AbortController().signal;

test('the dead man’s switch is pinged, and nothing is said of the address', async () => {
  const server = await startHookServer({ status: 200, body: 'OK' });
  const deadman = open(server.url);
  expect(await deadman.ping(signal)).toBeUndefined();
  expect(server.requests).toMatchObject([{ method: 'GET', path: `/${secret}` }]);
  for (const answer of [{ status: 404 }, { status: 500 }, 'cut'] as const) {
    server.answer(answer);
    const failure = await deadman.ping(signal);
    expect(failure).toMatchObject({ ok: false });
    expect(JSON.stringify(failure)).not.toContain(secret);
  }
  server.answer('hang');
  const stop = new AbortController();
  const pinged = deadman.ping(stop.signal);
  await expect.poll(() => server.requests.length, { interval: 5 }).toBe(5);
  stop.abort();
  expect(await pinged).toMatchObject({ ok: false, again: 'later' });
});

test('an address that is none is said to be', async () => {
  const deadman = openDeadman(
    { name: 'alive', type: 'deadman', interval: 60_000, url: { env: secret } },
    tools,
  );
  const failure = await deadman.ping(signal);
  expect(failure).toMatchObject({ ok: false, again: 'never', problem: expect.stringContaining('alive') });
  expect(JSON.stringify(failure)).not.toContain(secret);
});

test('Teams’ retired addresses are refused by name, and nobody is asked', async () => {
  const webhook = { env: `https://contoso.webhook.office.com/webhookb2/${secret}` };
  const channel = openTeams({ name: 'teams', type: 'teams', webhook }, tools);
  const refused = { ok: false, problem: expect.stringContaining('webhook.office.com') };
  expect(await channel.send(noticeOf(), { signal, reference: undefined })).toMatchObject({
    ...refused,
    again: 'never',
  });
  const checked = await channel.check(signal);
  expect(checked).toMatchObject({ ...refused, remedy: expect.stringContaining('Workflow') });
  expect(JSON.stringify(checked)).not.toContain(secret);
});
