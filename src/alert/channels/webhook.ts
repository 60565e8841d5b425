import { createHmac } from 'node:crypto';
import type { Notice } from '../../domain/alert.ts';
import type { WebhookChannelSettings } from '../../domain/settings/alerts.ts';
import { describeNotice } from '../message/message.ts';
import { renderText } from '../message/text.ts';
import { alertmanagerPayload } from './alertmanager-payload.ts';
import type { Channel, ChannelTools } from './channel.ts';
import { checkReachable, failureOf, hostOf, never, request, urlProblem } from './http.ts';
import { noticeDocument } from './notice-document.ts';

/**
 * JSON to any address. `X-Redis-Agent-Signature: sha256=…` is the HMAC of `<X-Redis-Agent-Timestamp>.<body>`, where a
 * secret is configured; `Idempotency-Key` is the same for the same notice.
 */
export function openWebhook(settings: WebhookChannelSettings, tools: ChannelTools): Channel {
  const { name, format } = settings;
  const url = tools.secret(settings.url, `url of the channel ${name}`);
  const secret = settings.secret && tools.secret(settings.secret, `secret of the channel ${name}`);
  const what = `the web hook at ${hostOf(url.reveal())}`;
  const wrong = urlProblem(url.reveal());
  const invalid =
    wrong === undefined
      ? undefined
      : never(`the url of the channel ${name} ${wrong}`, 'correct it where it is kept');
  return {
    name,
    description: what,
    pace: 0,
    async send(notice, { signal }) {
      if (invalid !== undefined) return invalid;
      const body = JSON.stringify(documentOf(notice));
      const timestamp = String(Math.floor(tools.now() / 1000));
      const headers: Record<string, string> = {
        'idempotency-key': notice.key,
        'x-redis-agent-timestamp': timestamp,
        ...(secret && { 'x-redis-agent-signature': signature(secret.reveal(), `${timestamp}.${body}`) }),
      };
      const answer = await request({ url: url.reveal(), headers, body, signal, what });
      if (!answer.ok) return answer;
      return failureOf(answer, what) ?? { ok: true, answer: `${what} answered ${answer.status}` };
    },
    check: async (signal) => (invalid === undefined ? checkReachable(url.reveal(), what, signal) : invalid),
    close() {},
  };

  function documentOf(notice: Notice): unknown {
    if (format === 'alertmanager') return alertmanagerPayload(notice, { receiver: name, ...tools.context });
    return {
      ...noticeDocument(notice, tools.context),
      text: renderText(describeNotice(notice, tools.context)),
    };
  }
}

function signature(secret: string, text: string): string {
  return `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`;
}
