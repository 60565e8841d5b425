import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { firstChannel } from '../../../../src/app/init/first-channel.ts';

const place = { host: 'db1', smtp: 'smtp://127.0.0.1:25', secrets: '/etc/redis-agent/secrets' };
const file = '/etc/redis-agent/secrets/alerts';

test('an e-mail address', () => {
  const { yaml, secret } = firstChannel(' ops@example.org ', place);
  expect(secret).toBeUndefined();
  expect(parse(yaml)).toEqual({
    alerts: {
      channels: [
        {
          name: 'mail',
          type: 'email',
          from: 'redis-agent@db1',
          to: ['ops@example.org'],
          smtp: { url: 'smtp://127.0.0.1:25' },
        },
      ],
    },
  });
});

test.each([
  ['https://hooks.slack.com/services/T/B/x', { type: 'slack', webhook: { file } }],
  ['https://discord.com/api/webhooks/1/x', { type: 'discord', webhook: { file } }],
  ['https://prod-1.westeurope.logic.azure.com/workflows/x', { type: 'teams', webhook: { file } }],
  ['https://notslack.com/x', { type: 'webhook', url: { file } }],
])('the address of a web hook, %s, is a secret', (url, channel) => {
  const { yaml, secret } = firstChannel(url, place);
  expect(secret).toEqual({ file, text: url });
  expect(yaml).not.toContain(url);
  expect(parse(yaml)).toEqual({ alerts: { channels: [{ name: 'chat', ...channel }] } });
});

test.each(['', 'ops', 'a@b@c', 'ops@example.org\nto: x', 'ftp://x', 'a@b,c@d'])('%j is neither', (answer) => {
  expect(() => firstChannel(answer, place)).toThrow(/no e-mail address/);
});
