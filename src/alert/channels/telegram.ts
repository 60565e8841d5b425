import type { TelegramChannelSettings } from '../../domain/settings/alerts.ts';
import { escapeHtml } from '../message/html.ts';
import { linkLabel, linkWords } from '../message/item.ts';
import { describeNotice, type Message } from '../message/message.ts';
import { cutLines } from '../message/text.ts';
import type { Channel, ChannelTools, Failure } from './channel.ts';
import { failureOf, jsonOf, later, never, request, said, type Answer } from './http.ts';

/** Telegram counts 4096 characters after entities; markup and entities make ours longer. */
const longest = 3500;

/** A bot's message into a chat; what follows answers the first message of its thread. */
export function openTelegram(settings: TelegramChannelSettings, tools: ChannelTools): Channel {
  const { name, chat, api } = settings;
  const token = tools.secret(settings.token, `token of the channel ${name}`);
  const call = async (method: string, body: object, signal: AbortSignal): Promise<Answer | Failure> => {
    const answer = await request({
      url: `${api}/bot${token.reveal()}/${method}`,
      body,
      signal,
      what: 'Telegram',
    });
    if (!answer.ok) return answer;
    const { ok, description, parameters } = jsonOf(answer);
    const words = typeof description === 'string' ? description : '';
    if (answer.status === 429) {
      const pause: unknown =
        typeof parameters === 'object' && parameters !== null
          ? Reflect.get(parameters, 'retry_after')
          : undefined;
      const after = typeof pause === 'number' ? pause * 1000 : answer.after;
      return { ...later('Telegram limits how often it is called', 'it is tried again'), after };
    }
    if (answer.status >= 500) return later(`Telegram answered ${answer.status}`, 'it is tried again');
    if (answer.status === 401 || answer.status === 404)
      return never('Telegram does not know the token', 'correct the token where it is kept');
    if (/chat not found|kicked|blocked|not a member|chat_write_forbidden|not enough rights/i.test(words))
      return never(
        `Telegram: ${words.slice(0, 120)}`,
        'add the bot to the chat, and see that chat is its id',
      );
    const failure = failureOf(answer, 'Telegram');
    if (failure !== undefined) return failure.again === 'never' ? { ...failure, again: 'refused' } : failure;
    return ok === true
      ? answer
      : later(`Telegram did not answer as it should${said(answer.text)}`, 'it is tried again');
  };
  return {
    name,
    description: `Telegram chat ${chat}`,
    pace: 1100,
    async send(notice, { signal, reference }) {
      const message = describeNotice(notice, tools.context);
      const reply =
        reference === undefined
          ? {}
          : { reply_parameters: { message_id: Number(reference), allow_sending_without_reply: true } };
      const quiet = message.severity === undefined ? { disable_notification: true } : {};
      const answer = await call(
        'sendMessage',
        {
          chat_id: chat,
          text: telegramText(message),
          parse_mode: 'HTML',
          link_preview_options: { is_disabled: true },
          ...reply,
          ...quiet,
        },
        signal,
      );
      if (!answer.ok) return answer;
      const { result } = jsonOf(answer);
      const id: unknown =
        typeof result === 'object' && result !== null ? Reflect.get(result, 'message_id') : undefined;
      return { ok: true, answer: 'ok', reference: typeof id === 'number' ? String(id) : undefined };
    },
    async check(signal) {
      const answer = await call('getChat', { chat_id: chat }, signal);
      return answer.ok ? { ok: true, detail: `Telegram knows the bot and the chat ${chat}` } : answer;
    },
    close() {},
  };
}

function telegramText({ headline, sections, footer, notice }: Message): string {
  const entries = sections.flatMap(({ items }) =>
    items.map(({ item, state, name, summary, details }) => {
      const where = notice.kind === 'digest' ? `${escapeHtml(item.instance)}: ` : '';
      const lines = details.map(({ label, text }) =>
        text.startsWith('redis-agent ')
          ? `${label}: <code>${escapeHtml(text)}</code>`
          : label === linkLabel
            ? `${label}: <a href="${escapeHtml(text)}">${linkWords}</a>`
            : `${label}: ${escapeHtml(text)}`,
      );
      return [
        `${where}<b>${escapeHtml(state)}</b>: <b>${escapeHtml(name)}</b>`,
        escapeHtml(summary),
        ...lines,
      ].join('\n');
    }),
  );
  // Entries are cut whole, so that no markup stays open; one that is too long goes without its markup.
  const fitting = entries.map((entry) =>
    entry.length <= longest
      ? entry
      : `${entry
          .replaceAll(/<[^>]*>/g, '')
          .replaceAll(/&[a-z#0-9]*;?/g, ' ')
          .slice(0, 1000)}…`,
  );
  return [
    `<b>${escapeHtml(headline.slice(0, 200))}</b>`,
    cutLines(fitting, longest, '\n\n'),
    escapeHtml(footer.join('\n').slice(0, 300)),
  ].join('\n\n');
}
