import { expect, test } from 'vitest';
import type { Channel, ChannelTools } from '../../src/alert/channels/channel.ts';
import { openDiscord } from '../../src/alert/channels/discord.ts';
import { openNtfy } from '../../src/alert/channels/ntfy.ts';
import { openSlack } from '../../src/alert/channels/slack.ts';
import { openTeams } from '../../src/alert/channels/teams.ts';
import { openTelegram } from '../../src/alert/channels/telegram.ts';
import { startHookServer } from '../support/alerts/hook-server.ts';
import { noticeOf, tools } from '../support/alerts/notices.ts';

// With all that a signature may hold, and what Markdown would take for its own.
const link = 'https://redis.example.org/alerts/12?until=1796000000&key=A_b-C_d';
const words = 'acknowledge it or silence it';
const linked: ChannelTools = { ...tools, context: { ...tools.context, link: () => link } };

type Row = [name: string, open: (url: string) => Channel, expected: string];

test.for<Row>([
  [
    'slack',
    (url) => openSlack({ name: 'chat', type: 'slack', webhook: { env: url } }, linked),
    `<${link.replace('&', '&amp;')}|${words}>`,
  ],
  [
    'teams',
    (url) => openTeams({ name: 'chat', type: 'teams', webhook: { env: url } }, linked),
    `[${words}](${link})`,
  ],
  [
    'discord',
    (url) => openDiscord({ name: 'chat', type: 'discord', webhook: { env: url } }, linked),
    `[${words}](${link})`,
  ],
  [
    'telegram',
    (url) =>
      openTelegram({ name: 'chat', type: 'telegram', token: { env: '1:x' }, chat: '-1', api: url }, linked),
    `<a href=\\"${link.replace('&', '&amp;')}\\">${words}</a>`,
  ],
  [
    'ntfy',
    (url) => openNtfy({ name: 'phone', type: 'ntfy', server: url, topic: 'redis' }, linked),
    JSON.stringify({ actions: [{ action: 'view', label: words, url: link }] }).slice(1, -1),
  ],
])('%s: the link is one that can be followed', async ([, open, expected]) => {
  const hook = await startHookServer({ status: 200 });
  await open(hook.url).send(noticeOf(), { signal: new AbortController().signal, reference: undefined });
  expect(JSON.stringify(hook.requests[0]?.json)).toContain(expected);
});
