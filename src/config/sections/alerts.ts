import * as z from 'zod';
import { severities } from '../../domain/finding.ts';
import type { AlertSettings } from '../../domain/settings/alerts.ts';
import { channelSchema } from '../alerts/channels.ts';
import { hours, window } from '../alerts/hours.ts';
import { showAlerts } from '../alerts/show-alerts.ts';
import { duration, schedule, text, timezone } from '../fields.ts';
import type { Section } from './section.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const severity = z.enum(severities);

export const alertsSection: Section<AlertSettings> = {
  schema: alertsSchema,
  show: showAlerts,
  example: `# Who is told of what. Without a channel nobody is: findings are in \`status\` and \`alerts list\` only.
alerts:
  # With channels and no routes, everything of warning and above goes to every channel.
  channels: []
  # channels:
  #   - name: mail                                # the type when left out
  #     type: email
  #     from: redis-agent@example.org
  #     to: [ops@example.org]
  #     smtp:
  #       url: smtp://mail.example.org:587        # STARTTLS; smtps://…:465 is TLS from the first byte
  #       tls: required                           # or opportunistic, or off; with a password TLS is always required.
  #                                               # Default: required; opportunistic to this host without a password
  #       ca: /etc/redis-agent/tls/ca.pem         # default: the system's authorities
  #       verify: true                            # false believes any certificate
  #       username: agent
  #       password: { file: /etc/redis-agent/secrets/smtp }
  #   # Addresses that let whoever knows them write are secrets.
  #   - { name: chat, type: slack, webhook: { file: /etc/redis-agent/secrets/slack } }
  #   - { name: bot, type: slack, token: { file: /etc/redis-agent/secrets/slack-bot }, channel: "#ops" }
  #   - { name: phone, type: ntfy, topic: { file: /etc/redis-agent/secrets/ntfy-topic }, server: https://ntfy.sh }
  #   - { type: telegram, token: { file: /etc/redis-agent/secrets/telegram }, chat: "-1001234567890" }
  #   - { type: discord, webhook: { file: /etc/redis-agent/secrets/discord } }
  #   - { type: teams, webhook: { file: /etc/redis-agent/secrets/teams } }         # the address of a Workflow
  #   - { name: pager, type: pagerduty, routing_key: { file: /etc/redis-agent/secrets/pagerduty } }
  #   - { type: opsgenie, api_key: { file: /etc/redis-agent/secrets/opsgenie }, api: https://api.eu.opsgenie.com }
  #   - { type: alertmanager, url: http://alertmanager.internal.example:9093 }
  #   - name: hook
  #     type: webhook
  #     url: { file: /etc/redis-agent/secrets/hook }
  #     secret: { file: /etc/redis-agent/secrets/hook-key }   # signs what is sent
  #     format: native                            # or alertmanager: as Alertmanager calls its web hooks
  #   - { name: script, type: exec, command: [/usr/local/bin/on-alert], timeout: 30s }   # JSON on stdin, no shell
  #   - { type: deadman, url: { file: /etc/redis-agent/secrets/deadman }, interval: 5m } # pinged while all is watched
  #
  # The first route that matches decides; what none matches goes to every channel. \`to: []\` is nobody.
  # routes:
  #   - { match: { severity: critical }, to: [mail, pager] }                       # this or worse
  #   - { match: { rule: "backup-*", instance: main, hours: "08:00-18:00" }, to: [mail] }   # comes later: waits for it
  # Warnings once a day, or off: each when it comes.
  digest: off                                  # "0 8 * * *"
  # What nobody acknowledges (redis-agent alerts ack) goes to others too.
  # escalation: [{ after: 30m, severity: critical, to: [pager] }]
  # Recurring maintenance: what fires then is told afterwards, if it is still so.
  # windows: [{ every: "Sun 02:00-04:00", timezone: Europe/Berlin, instances: [main], reason: "OS updates" }]
  # For links in messages; none without.
  # public_url: https://redis.example.org
  # Links by which whoever has one acknowledges an alert, or silences it for an hour: once.
  # links: 24h
  group_wait: 30s                              # what is not critical waits so long for company
  group_interval: 5m                           # least time between two messages about one instance, unless critical
  repeat: { critical: 4h, high: 12h, warning: 1d }   # how often what stays open is told again
  give_up_after: 1d                            # what could not be delivered for so long is given up
`,
};

/** Names in it are checked against the rest of the document by nameProblems. */
function alertsSchema(folder: string) {
  const repeat = z.strictObject({
    critical: duration(minute, 30 * day).default(4 * hour),
    high: duration(minute, 30 * day).default(12 * hour),
    warning: duration(minute, 30 * day).default(day),
  });
  const route = z.strictObject({
    match: z
      .strictObject({
        severity: severity.optional(),
        rule: text.optional(),
        instance: text.optional(),
        hours: hours.optional(),
      })
      .prefault({}),
    to: z.array(text),
  });
  const step = z.strictObject({
    after: duration(minute, 30 * day),
    severity: severity.default('critical'),
    to: z.array(text).min(1, 'is empty; name at least one channel'),
  });
  return z
    .strictObject({
      channels: z.array(channelSchema(folder)).default([]),
      routes: z.array(route).default([]),
      digest: schedule.default(null),
      escalation: z.array(step).default([]),
      windows: z
        .array(
          z
            .strictObject({
              every: window,
              timezone: timezone.optional(),
              instances: z.array(text).min(1, 'is empty; leave it out for all instances').optional(),
              reason: text,
            })
            .transform(({ every, ...rest }) => ({ ...every, ...rest })),
        )
        .default([]),
      public_url: z
        .string()
        .regex(/^https?:\/\/[^\s@]+$/, 'is no address; write https://host/path, without user and password')
        .optional(),
      links: z.union([z.literal('off').transform(() => null), duration(5 * minute, 30 * day)]).default(null),
      group_wait: duration(0, hour).default(30 * second),
      group_interval: duration(0, day).default(5 * minute),
      repeat: repeat.prefault({}),
      give_up_after: duration(hour, 30 * day).default(day),
    })
    .prefault({}) satisfies z.ZodType<AlertSettings>;
}
