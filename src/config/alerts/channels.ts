import * as z from 'zod';
import type { SecretRef } from '../../domain/secret.ts';
import type { ChannelSettings } from '../../domain/settings/alerts.ts';
import { duration, path, secretRef, text } from '../fields.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

const address = z
  .string()
  .regex(/^(?:[^<>@\r\n]*<)?[^\s<>@,;]+@[^\s<>@,;]+>?$/, 'is no e-mail address; write ops@example.org');
const httpAddress = z
  .string()
  .regex(/^https?:\/\/[^\s@]+$/, 'is no address; write https://host, without user and password');
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/, 'is not a usable name; letters, digits, _ . and -, at most 40');

/** One entry of `alerts.channels`; its name is its type when left out. */
export function channelSchema(folder: string) {
  const secret = secretRef(folder);
  const common = { name: name.optional() };
  const slack = z
    .strictObject({
      ...common,
      type: z.literal('slack'),
      webhook: secret.optional(),
      token: secret.optional(),
      channel: text.optional(),
      api: httpAddress.optional(),
    })
    .superRefine(({ webhook, token, channel }, context) => {
      const problem = (key: string, message: string): void =>
        context.addIssue({ code: 'custom', path: [key], message });
      if ((webhook === undefined) === (token === undefined))
        problem(
          'webhook',
          'one of webhook and token is needed; write webhook: { file: … }, or token and channel',
        );
      else if (token !== undefined && channel === undefined)
        problem('channel', 'is missing beside the token; write channel: "#ops"');
      else if (webhook !== undefined && channel !== undefined)
        problem('channel', 'is not used with a web hook, which has a channel of its own; leave it out');
    });
  return z
    .discriminatedUnion('type', [
      z.strictObject({
        ...common,
        type: z.literal('email'),
        from: address,
        to: z.array(address).min(1, 'is empty; name at least one address'),
        smtp: smtpSchema({ ca: path(folder), secret }),
      }),
      slack,
      z.strictObject({
        ...common,
        type: z.literal('webhook'),
        url: secret,
        secret: secret.optional(),
        format: z.enum(['native', 'alertmanager']).default('native'),
      }),
      z.strictObject({
        ...common,
        type: z.literal('exec'),
        command: z
          .array(z.string())
          .refine(
            (words) => String(words[0]).startsWith('/'),
            'is no program; write [PROGRAM, ARGUMENT, …] with its whole path, no shell reads it',
          ),
        timeout: duration(second, hour).default(30 * second),
      }),
      z.strictObject({
        ...common,
        type: z.literal('ntfy'),
        server: httpAddress.default('https://ntfy.sh'),
        topic: z.union([z.string().regex(/^[\w-]{1,64}$/, 'is no topic; letters, digits, _ and -'), secret]),
        token: secret.optional(),
      }),
      z.strictObject({
        ...common,
        type: z.literal('telegram'),
        token: secret,
        chat: z.union([text, z.int()]).transform(String),
        api: httpAddress.default('https://api.telegram.org'),
      }),
      z.strictObject({ ...common, type: z.literal('discord'), webhook: secret }),
      z.strictObject({ ...common, type: z.literal('teams'), webhook: secret }),
      z.strictObject({
        ...common,
        type: z.literal('pagerduty'),
        routing_key: secret,
        api: httpAddress.default('https://events.pagerduty.com'),
      }),
      z.strictObject({
        ...common,
        type: z.literal('opsgenie'),
        api_key: secret,
        api: httpAddress.default('https://api.opsgenie.com'),
      }),
      z.strictObject({
        ...common,
        type: z.literal('alertmanager'),
        url: httpAddress,
        username: text.optional(),
        password: secret.optional(),
      }),
      z.strictObject({
        ...common,
        type: z.literal('deadman'),
        url: secret,
        interval: duration(minute, 24 * hour).default(5 * minute),
      }),
    ])
    .transform((channel): ChannelSettings => {
      const named = { ...channel, name: channel.name ?? channel.type };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- slack has one of its two forms, as refined above
      return named as ChannelSettings;
    });
}

function smtpSchema({ ca, secret }: { ca: z.ZodType<string, string>; secret: z.ZodType<SecretRef> }) {
  return z
    .strictObject({
      url: z
        .string()
        .regex(
          /^smtps?:\/\/(?:[^\s/@:[\]]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?\/?$/,
          'is no mail server; write smtp://host:587 or smtps://host, without user and password',
        ),
      tls: z.enum(['required', 'opportunistic', 'off']).optional(),
      ca: ca.optional(),
      verify: z.boolean().optional(),
      username: text.optional(),
      password: secret.optional(),
    })
    .superRefine(({ url, tls, username, password }, context) => {
      const problem = (key: string, message: string): void =>
        context.addIssue({ code: 'custom', path: [key], message });
      if ((username === undefined) !== (password === undefined))
        problem(
          username === undefined ? 'password' : 'username',
          'username and password belong together; write both or neither',
        );
      if (tls !== undefined && tls !== 'required' && password !== undefined)
        problem('tls', 'a password is never sent without TLS; write tls: required, or leave tls out');
      if (tls !== undefined && tls !== 'required' && url.startsWith('smtps:'))
        problem('tls', 'smtps:// is TLS from the first byte; write smtp://, or leave tls out');
    })
    .transform((smtp) => {
      const local = /^smtp:\/\/(?:localhost|127(?:\.\d+){3}|\[::1\])(?=[:/]|$)/.test(smtp.url);
      const tls =
        smtp.tls ??
        (local && smtp.password === undefined ? ('opportunistic' as const) : ('required' as const));
      // Encryption that is not asked for is better than none, whoever signed it.
      return { ...smtp, tls, verify: smtp.verify ?? tls === 'required' };
    });
}
