import { expect, it, test } from 'vitest';
import { parseSettings } from '../../../src/config/load.ts';
import { showSettingsYaml } from '../../../src/config/show.ts';
import { messageOf } from '../../../src/domain/errors.ts';

const rules = ['backup-failed', 'backup-stale', 'memory-high'];

const withAlerts = (alerts: string): string => `instances: [{ name: main, url: redis://127.0.0.1 }]
repository: { type: filesystem, path: /repo }
alerts:
${alerts}`;

const settings = (alerts: string) => parseSettings(withAlerts(alerts), '/etc/x.yaml', rules);

/** What is wrong, without the file's name. */
async function problem(alerts: string): Promise<string> {
  const message = await settings(alerts).then(() => 'valid', messageOf);
  return message.replaceAll('/etc/x.yaml:', '');
}

const secret = '{ env: X }';
const mail = 'type: email, from: a@example.org, to: [b@example.org]';

test.each([
  [
    'a web hook in the file',
    `  channels: [{ type: slack, webhook: "https://hooks.slack.com/services/T0/B0/verysecret" }]`,
    '4:38: alerts.channels[0].webhook: a secret does not belong in the configuration, only where it is kept; write { file: PATH }, { env: NAME } or { credential: NAME }',
  ],
  [
    'a name twice',
    `  channels: [{ type: discord, webhook: ${secret} }, { name: discord, type: teams, webhook: ${secret} }]`,
    '4:54: alerts.channels[1]: two channels are called discord; give each its own name (the other is in line 4)',
  ],
  [
    'an unknown rule',
    `  routes: [{ match: { rule: backup-fialed }, to: [] }]`,
    '4:29: alerts.routes[0].match.rule: names a rule that is not there; did you mean backup-failed?',
  ],
  [
    'an unknown channel',
    `  channels: [{ name: chat, type: discord, webhook: ${secret} }]\n  routes: [{ to: [cat] }]`,
    '5:19: alerts.routes[0].to[0]: names a channel that is not there; did you mean chat?',
  ],
  [
    'an unknown instance',
    `  windows: [{ every: "Sun 02:00-04:00", instances: [mian], reason: x }]`,
    '4:53: alerts.windows[0].instances[0]: names an instance that is not there; did you mean main?',
  ],
  [
    'a window without a day',
    `  windows: [{ every: "02:00-04:00", reason: x }]`,
    '4:22: alerts.windows[0].every: is no recurring window; write days and time of day: "Sun 02:00-04:00", "Mon-Fri 22:00-06:00", "daily 03:00-03:30"',
  ],
  [
    'a password without TLS',
    `  channels: [{ ${mail}, smtp: { url: smtp://mail, tls: off, username: a, password: ${secret} } }]`,
    '4:102: alerts.channels[0].smtp.tls: a password is never sent without TLS; write tls: required, or leave tls out',
  ],
  [
    'a user in the address',
    `  channels: [{ ${mail}, smtp: { url: "smtp://a:b@mail" } }]`,
    '4:84: alerts.channels[0].smtp.url: is no mail server; write smtp://host:587 or smtps://host, without user and password',
  ],
  [
    'a type that is none',
    `  channels: [{ type: slak, webhook: ${secret} }]`,
    '4:22: alerts.channels[0].type: is not one of email, slack, webhook, exec, ntfy, telegram, discord, teams, pagerduty, opsgenie, alertmanager, deadman; did you mean slack?',
  ],
  [
    'a misspelt key',
    `  channels: [{ type: discord, webhok: ${secret} }]`,
    'unknown key; did you mean webhook?',
  ],
  [
    'a program by its short name',
    `  channels: [{ type: exec, command: [notify] }]`,
    'is no program; write [PROGRAM, ARGUMENT, …] with its whole path, no shell reads it',
  ],
])('refuses %s, in one line with its place and what to write', async (_, alerts, expected) => {
  const message = await problem(alerts);
  expect(message).toContain(expected);
  expect(message).not.toContain('verysecret');
});

it('knows what TLS a mail server needs', async () => {
  const smtp = async (more: string) => {
    const { alerts } = await settings(`  channels: [{ ${mail}, smtp: { ${more} } }]`);
    const [channel] = alerts.channels;
    return channel?.type === 'email' ? [channel.smtp.tls, channel.smtp.verify] : [];
  };
  expect(await smtp('url: smtp://localhost:25')).toEqual(['opportunistic', false]);
  expect(await smtp('url: smtp://127.0.0.1')).toEqual(['opportunistic', false]);
  expect(await smtp('url: smtp://mail.example.org:25')).toEqual(['required', true]);
  expect(await smtp('url: smtp://localhost.example.org')).toEqual(['required', true]);
  expect(await smtp(`url: smtp://localhost, username: a, password: ${secret}`)).toEqual(['required', true]);
  expect(await smtp('url: smtp://mail.example.org, tls: off')).toEqual(['off', false]);
});

it('is shown as the file would have it', async () => {
  const before = await settings(`  channels:
    - { ${mail}, smtp: { url: smtps://mail.example.org, username: a, password: ${secret} } }
    - { name: bot, type: slack, token: ${secret}, channel: "#ops" }
    - { name: script, type: exec, command: [/bin/true], timeout: 5s }
    - { type: telegram, token: ${secret}, chat: -100123 }
    - { type: deadman, url: ${secret} }
  routes:
    - { match: { rule: "backup-*", hours: "22:00-06:30", severity: high }, to: [email, bot] }
    - { to: [] }
  digest: "0 8 * * *"
  escalation: [{ after: 30m, to: [bot] }]
  windows:
    - { every: "Mon-Fri 22:00-06:00", timezone: Europe/Berlin, instances: [main], reason: "nights" }
    - { every: "daily 03:00-03:30", reason: "rotation" }
`);
  expect(before.alerts.windows).toMatchObject([
    { days: [1, 2, 3, 4, 5], from: 1320, to: 360 },
    { days: [0, 1, 2, 3, 4, 5, 6] },
  ]);
  expect(await parseSettings(showSettingsYaml(before), '/etc/x.yaml', rules)).toEqual(before);
});

test('a waiver of a rule that is not there waives nothing, and is refused', async () => {
  const waiver = (rule: string): Promise<unknown> =>
    parseSettings(
      `instances: [{ name: main, url: redis://127.0.0.1 }]
repository: { type: filesystem, path: /repo }
audit: { waivers: [{ rule: ${rule}, reason: x, author: kim, until: 2027-03-31 }] }
`,
      '/etc/x.yaml',
      ['ACL01', 'ACL10', 'backup-failed'],
    ).then(() => 'valid', messageOf);
  expect(await waiver('ACL10')).toBe('valid');
  expect(await waiver('ACL99')).toMatch(
    /^\/etc\/x\.yaml:3:28: audit\.waivers\[0\]\.rule: names a rule that is not there; /,
  );
});
