/* oxlint-disable vitest/no-standalone-expect -- the judges are called by the tests of the suite */
import { expect, test } from 'vitest';
import { openAlertmanager } from '../../src/alert/channels/alertmanager.ts';
import { openDiscord } from '../../src/alert/channels/discord.ts';
import { openNtfy } from '../../src/alert/channels/ntfy.ts';
import { openOpsgenie } from '../../src/alert/channels/opsgenie.ts';
import { openPagerduty } from '../../src/alert/channels/pagerduty.ts';
import { openSlack } from '../../src/alert/channels/slack.ts';
import { openTeams } from '../../src/alert/channels/teams.ts';
import { openTelegram } from '../../src/alert/channels/telegram.ts';
import { openWebhook } from '../../src/alert/channels/webhook.ts';
import { startHookServer, type HookAnswer, type HookRequest } from '../support/alerts/hook-server.ts';
import { noticeOf, tools } from '../support/alerts/notices.ts';
import { channelSuite } from './channel.ts';

const secret = 's3cr3t-path-9f8e7d';

// The limits are those that each service documents.
const within = (text: unknown, limit: number): void => {
  expect(typeof text).toBe('string');
  expect(String(text).length).toBeGreaterThan(0);
  expect(String(text).length).toBeLessThanOrEqual(limit);
};

const slackBlocks = ({ json }: HookRequest): void => {
  expect(json.blocks.length).toBeLessThanOrEqual(50);
  within(json.text, 40_000);
  for (const block of json.blocks) {
    if (block.type === 'header') within(block.text.text, 150);
    if (block.type === 'section') {
      within(block.text.text, 3000);
      // Nobody is called, and nothing is a link.
      expect(block.text.text).not.toMatch(/<!|<@|<http/);
    }
  }
};

channelSuite({
  name: 'slack by web hook',
  open: (url) =>
    openSlack({ name: 'chat', type: 'slack', webhook: { env: `${url}/services/${secret}` } }, tools),
  taken: { status: 200, body: 'ok' },
  unwanted: ['no_service', 'channel_is_archived', 'invalid_payload'].map((body) => ({
    answer: { status: body === 'invalid_payload' ? 400 : 410, body },
    again: 'never' as const,
  })),
  judge: slackBlocks,
  secrets: [secret],
});

channelSuite({
  name: 'slack by token',
  open: (url) =>
    openSlack(
      { name: 'chat', type: 'slack', token: { env: `xoxb-${secret}` }, channel: '#ops', api: `${url}/api` },
      tools,
    ),
  taken: { status: 200, body: { ok: true, ts: '1.2', channel: 'C1' } },
  unwanted: ['not_in_channel', 'invalid_auth', 'is_archived'].map((error) => ({
    answer: { status: 200, body: { ok: false, error } },
    again: 'never' as const,
  })),
  judge(request) {
    slackBlocks(request);
    expect(request.headers.authorization).toBe(`Bearer xoxb-${secret}`);
    expect(request.path).toBe('/api/chat.postMessage');
  },
  secrets: [secret],
});

channelSuite({
  name: 'webhook',
  open: (url) =>
    openWebhook(
      {
        name: 'hook',
        type: 'webhook',
        url: { env: `${url}/${secret}` },
        secret: { env: 'signing-key' },
        format: 'native',
      },
      tools,
    ),
  taken: { status: 204 },
  unwanted: [
    { answer: { status: 404, body: 'no such hook' }, again: 'never' },
    { answer: { status: 413 }, again: 'refused' },
  ],
  judge({ headers, json }) {
    expect(headers['x-redis-agent-signature']).toMatch(/^sha256=[0-9a-f]{64}$/);
    expect(headers['idempotency-key']).toBe('k3y-1');
    expect(json).toMatchObject({ version: 1, host: 'db1', instance: 'main' });
  },
  secrets: [secret, 'signing-key'],
});

channelSuite({
  name: 'webhook as Alertmanager sends it',
  open: (url) =>
    openWebhook(
      { name: 'hook', type: 'webhook', url: { env: `${url}/${secret}` }, format: 'alertmanager' },
      tools,
    ),
  taken: { status: 200 },
  unwanted: [{ answer: { status: 403 }, again: 'never' }],
  judge({ json }) {
    expect(json).toMatchObject({ version: '4', receiver: 'hook', groupLabels: { instance: 'main' } });
    for (const alert of json.alerts) expect(alert.labels.alertname).toBe('backup-failed');
  },
  secrets: [secret],
});

channelSuite({
  name: 'ntfy',
  open: (url) =>
    openNtfy(
      {
        name: 'phone',
        type: 'ntfy',
        server: url,
        topic: { env: `topic-${secret}` },
        token: { env: `tk_${secret}` },
      },
      tools,
    ),
  taken: { status: 200, body: { id: 'x' } },
  unwanted: [{ answer: { status: 403, body: { error: 'forbidden' } }, again: 'never' }],
  judge({ json, headers, path }) {
    expect(path).toBe('/');
    expect(headers.authorization).toBe(`Bearer tk_${secret}`);
    expect(Buffer.byteLength(json.message)).toBeLessThanOrEqual(4096);
    expect(json.priority).toBeGreaterThanOrEqual(1);
  },
  secrets: [secret],
});

channelSuite({
  name: 'telegram',
  open: (url) =>
    openTelegram(
      { name: 'tg', type: 'telegram', token: { env: `123:${secret}` }, chat: '-100', api: url },
      tools,
    ),
  taken: { status: 200, body: { ok: true, result: { message_id: 7 } } },
  unwanted: [
    { answer: { status: 401, body: { ok: false, description: 'Unauthorized' } }, again: 'never' },
    {
      answer: { status: 400, body: { ok: false, description: 'Bad Request: chat not found' } },
      again: 'never',
    },
    { answer: { status: 400, body: { ok: false, description: "can't parse entities" } }, again: 'refused' },
  ],
  limited: { status: 429, body: { ok: false, error_code: 429, parameters: { retry_after: 30 } } },
  judge({ json, path }) {
    expect(path).toBe(`/bot123:${secret}/sendMessage`);
    within(json.text, 4096);
    const open = [...json.text.matchAll(/<(b|code)>/g)].length;
    expect([...json.text.matchAll(/<\/(b|code)>/g)]).toHaveLength(open);
    expect(json.text.replaceAll(/<\/?(?:b|code)>/g, '')).not.toMatch(/[<>]/);
  },
  secrets: [secret],
});

channelSuite({
  name: 'discord',
  open: (url) =>
    openDiscord({ name: 'dc', type: 'discord', webhook: { env: `${url}/api/webhooks/1/${secret}` } }, tools),
  taken: { status: 204 },
  unwanted: [{ answer: { status: 404, body: { message: 'Unknown Webhook' } }, again: 'never' }],
  limited: { status: 429, body: { message: 'rate limited', retry_after: 30 } },
  judge({ json }) {
    expect(json.allowed_mentions).toEqual({ parse: [] });
    const [embed] = json.embeds;
    within(embed.title, 256);
    within(embed.description, 4096);
    within(embed.footer.text, 2048);
  },
  secrets: [secret],
});

channelSuite({
  name: 'teams',
  open: (url) =>
    openTeams({ name: 'teams', type: 'teams', webhook: { env: `${url}/workflows/${secret}` } }, tools),
  taken: { status: 202 },
  unwanted: [{ answer: { status: 401 }, again: 'never' }],
  judge({ json, body }) {
    expect(json.attachments[0].content.type).toBe('AdaptiveCard');
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(28 * 1024);
  },
  secrets: [secret],
});

channelSuite({
  name: 'pagerduty',
  open: (url) =>
    openPagerduty({ name: 'pager', type: 'pagerduty', routing_key: { env: secret }, api: url }, tools),
  taken: { status: 202, body: { status: 'success' } },
  unwanted: [{ answer: { status: 400, body: { status: 'invalid event' } }, again: 'refused' }],
  judge({ json, path }) {
    expect(path).toBe('/v2/enqueue');
    within(json.dedup_key, 255);
    if (json.event_action === 'trigger') within(json.payload.summary, 1024);
  },
  secrets: [secret],
});

channelSuite({
  name: 'opsgenie',
  open: (url) => openOpsgenie({ name: 'og', type: 'opsgenie', api_key: { env: secret }, api: url }, tools),
  taken: { status: 202, body: { result: 'Request will be processed' } },
  unwanted: [{ answer: { status: 401 }, again: 'never' }],
  judge({ json, path, headers }) {
    expect(headers.authorization).toBe(`GenieKey ${secret}`);
    if (path !== '/v2/alerts') return;
    within(json.message, 130);
    within(json.alias, 512);
    within(json.description, 15_000);
  },
  secrets: [secret],
});

channelSuite({
  name: 'alertmanager',
  open: (url) =>
    openAlertmanager(
      { name: 'am', type: 'alertmanager', url, username: 'agent', password: { env: secret } },
      tools,
    ),
  taken: { status: 200 },
  unwanted: [{ answer: { status: 400, body: 'bad start time' }, again: 'never' }],
  judge({ json, path }) {
    expect(path).toBe('/api/v2/alerts');
    for (const { labels, startsAt, endsAt } of json) {
      expect(labels.alertname).toBe('backup-failed');
      expect(Date.parse(endsAt)).toBeGreaterThanOrEqual(Date.parse(startsAt));
    }
  },
  secrets: [secret],
});

test.each<[HookAnswer, RegExp]>([
  [{ status: 302, headers: { location: 'http://127.0.0.1:1/' } }, /sends on to another address \(302\)$/],
  [{ status: 404, body: '<h1>no such page</h1>' }, /^Slack \(127\.0\.0\.1:\d+\) answered 404$/],
  [{ status: 410, body: 'no_service' }, /answered no_service$/],
])('what is no word of Slack’s is told by its status: %o', async (answer, problem) => {
  const hook = await startHookServer(answer);
  const channel = openSlack(
    { name: 'chat', type: 'slack', webhook: { env: `${hook.url}/${secret}` } },
    tools,
  );
  const sent = await channel.send(noticeOf(), { signal: new AbortController().signal, reference: undefined });
  expect(sent).toMatchObject({ ok: false, again: 'never', problem: expect.stringMatching(problem) });
});
