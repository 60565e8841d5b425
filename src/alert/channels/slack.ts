import type { SlackChannelSettings } from '../../domain/settings/alerts.ts';
import { describeNotice, type Message } from '../message/message.ts';
import type { Channel, ChannelTools, Failure, SendOptions, Sent } from './channel.ts';
import {
  checkReachable,
  failureOf,
  hostOf,
  jsonOf,
  later,
  never,
  request,
  said,
  urlProblem,
  type Answer,
} from './http.ts';
import { slackBlocks } from './slack-blocks.ts';
import { addPicture } from './slack-picture.ts';

const api = 'https://slack.com/api';
/** Slack takes one message a second. Milliseconds. */
const pace = 1100;

/** By an incoming web hook, or by a bot's token, which can also edit and reply. */
export function openSlack(settings: SlackChannelSettings, tools: ChannelTools): Channel {
  return settings.token === undefined ? byWebhook(settings, tools) : byToken(settings, tools);
}

function byWebhook(
  settings: Extract<SlackChannelSettings, { token?: undefined }>,
  tools: ChannelTools,
): Channel {
  const { name } = settings;
  const url = tools.secret(settings.webhook, `webhook of the channel ${name}`);
  const what = `Slack (${hostOf(url.reveal())})`;
  const wrong = urlProblem(url.reveal());
  const invalid =
    wrong === undefined
      ? undefined
      : never(`the webhook of the channel ${name} ${wrong}`, 'correct it where it is kept');
  return {
    name,
    description: what,
    pace,
    async send(notice, { signal }) {
      if (invalid !== undefined) return invalid;
      const body = bodyOf(describeNotice(notice, tools.context));
      const answer = await request({ url: url.reveal(), body, signal, what });
      if (!answer.ok) return answer;
      const failure = failureOf(answer, what);
      // Of its own words it is known what to do; of anybody else's the status tells it.
      if (failure?.again === 'never')
        return Object.hasOwn(remedies, answer.text.trim()) ? permanent(answer.text) : failure;
      if (failure !== undefined) return failure;
      // A page of something in between is no answer of Slack's.
      if (answer.text.trim() === 'ok') return { ok: true, answer: 'ok' };
      return later(
        `${what} did not answer ok${said(answer.text)}`,
        'is it the address of an incoming web hook?',
      );
    },
    check: async (signal) => invalid ?? checkReachable(url.reveal(), what, signal),
    close() {},
  };
}

function byToken(
  settings: Extract<SlackChannelSettings, { webhook?: undefined }>,
  tools: ChannelTools,
): Channel {
  const { name, channel } = settings;
  const token = tools.secret(settings.token, `token of the channel ${name}`);
  const base = settings.api ?? api;
  const call = async (method: string, body: object, signal: AbortSignal): Promise<Answer | Failure> => {
    const headers = { authorization: `Bearer ${token.reveal()}` };
    const answer = await request({ url: `${base}/${method}`, headers, body, signal, what: 'Slack' });
    if (!answer.ok) return answer;
    const failure = failureOf(answer, 'Slack');
    if (failure !== undefined) return failure;
    const { ok, error } = jsonOf(answer);
    if (ok === true) return answer;
    if (typeof error !== 'string')
      return later(`Slack did not answer as it should${said(answer.text)}`, 'it is tried again');
    const passing = [
      'ratelimited',
      'internal_error',
      'fatal_error',
      'service_unavailable',
      'request_timeout',
    ];
    return passing.includes(error)
      ? { ...later(`Slack answered ${error}`, 'it is tried again'), after: answer.after }
      : permanent(error);
  };
  return {
    name,
    description: `Slack channel ${channel}`,
    pace,
    async send(notice, { signal, reference, files = [] }: SendOptions): Promise<Sent> {
      const message = describeNotice(notice, tools.context);
      const root = rootOf(reference);
      const fresh = message.sections.some(({ heading }) => heading === 'New');
      const thread = root === undefined ? {} : { thread_ts: root.ts, reply_broadcast: fresh };
      const posted = await call(
        'chat.postMessage',
        { channel: root?.channel ?? channel, ...bodyOf(message), ...thread },
        signal,
      );
      if (!posted.ok) return posted;
      const { ts, channel: id } = jsonOf(posted);
      // The first message shows how things are now. That it could not be edited is nobody's loss.
      if (root !== undefined) await call('chat.update', { ...root, ...bodyOf(message) }, signal);
      const named =
        typeof ts === 'string' && typeof id === 'string' ? JSON.stringify({ ts, channel: id }) : undefined;
      const picture = files.find(({ type }) => type === 'image/png');
      const lacking =
        picture === undefined || typeof ts !== 'string' || typeof id !== 'string'
          ? undefined
          : await addPicture(picture, { call, thread: { channel: id, ts: root?.ts ?? ts }, signal });
      // What was posted is not posted again for want of its picture.
      return {
        ok: true,
        answer: lacking === undefined ? 'ok' : `ok, without its picture: ${lacking}`,
        reference: named,
      };
    },
    async check(signal) {
      const answer = await call('auth.test', {}, signal);
      if (!answer.ok) return answer;
      return {
        ok: true,
        detail: `Slack knows the token; whether it may write to ${channel} shows: redis-agent alerts test ${name}`,
      };
    },
    close() {},
  };
}

function bodyOf(message: Message): { text: string; blocks: unknown[] } {
  return { text: noticeText(message), blocks: slackBlocks(message) };
}

/** What a phone or a desktop shows of it: blocks are not read there. */
function noticeText({ headline, sections }: Message): string {
  const [first, ...others] = sections.flatMap(({ items }) => items);
  return first === undefined || others.length > 0 ? headline : `${headline}: ${first.summary}`;
}

function rootOf(reference: string | undefined): { ts: string; channel: string } | undefined {
  if (reference === undefined) return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by send above
  return JSON.parse(reference) as { ts: string; channel: string };
}

const remedies: Record<string, string> = {
  channel_is_archived: 'bring the channel back, or name another one',
  is_archived: 'bring the channel back, or name another one',
  channel_not_found: 'correct the channel’s name, or invite the bot to it',
  not_in_channel: 'invite the bot to the channel',
  no_service: 'the web hook was removed or switched off: make a new one',
  no_team: 'the web hook’s workspace is gone: make a new one',
  invalid_auth: 'the token is not valid: make a new one',
  token_revoked: 'the token was revoked: make a new one',
  account_inactive: 'the bot was removed: add it again',
  missing_scope: 'give the bot the scope chat:write, and files:write for pictures',
  invalid_payload: 'Slack does not take this message: please report it',
  invalid_blocks: 'Slack does not take this message: please report it',
};

function permanent(text: string): Failure {
  const word = /^[a-z_]+/.exec(text.trim())?.[0];
  return never(
    `Slack answered${word === undefined ? said(text) : ` ${word}`}`,
    remedies[word ?? ''] ?? 'see whether its address, token and rights are still valid',
  );
}
