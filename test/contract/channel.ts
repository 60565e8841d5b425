import { describe, expect, test } from 'vitest';
import type { Channel } from '../../src/alert/channels/channel.ts';
import {
  startHookServer,
  type HookAnswer,
  type HookRequest,
  type HookServer,
} from '../support/alerts/hook-server.ts';
import { hostileNotice, noticeOf, resolved } from '../support/alerts/notices.ts';

export interface ChannelKind {
  name: string;
  /** On a server that speaks for the other side. */
  open(url: string): Channel | Promise<Channel>;
  /** What the other side answers when it has taken a message. */
  taken: HookAnswer;
  /** What it answers to a message or key that it does not want, and what that means. */
  unwanted: { answer: HookAnswer; again: 'never' | 'refused' }[];
  /** How it says that it is called too often. */
  limited?: HookAnswer;
  /** What the requests have to be for the other side to take them; throws. */
  judge(request: HookRequest): void;
  /** What must not be said in any answer or error. */
  secrets: string[];
}

/** What every channel over HTTP does, whatever the other side does. */
export function channelSuite(kind: ChannelKind): void {
  const begin = async (): Promise<{ server: HookServer; channel: Channel }> => {
    const server = await startHookServer(kind.taken);
    return { server, channel: await kind.open(server.url) };
  };
  const send = async (channel: Channel, notice = noticeOf(), signal = new AbortController().signal) => {
    const sent = await channel.send(notice, { signal, reference: undefined });
    for (const secret of kind.secrets) expect(JSON.stringify(sent)).not.toContain(secret);
    return sent;
  };

  describe(`the channel ${kind.name}`, () => {
    test('says what, where and what to do, and that it is over', async () => {
      const { server, channel } = await begin();
      expect(await send(channel)).toMatchObject({ ok: true });
      expect(await send(channel, noticeOf([resolved()]))).toMatchObject({ ok: true });
      for (const request of server.requests) kind.judge(request);
      const [fired = ''] = server.requests.map(({ body }) => body);
      for (const word of ['backup-failed', 'main', 'no room on', 'make room on'])
        expect(fired).toContain(word);
      expect(server.requests.at(-1)?.body).not.toBe(fired);
    });

    test('takes whatever stands in an alert, and as much of it as the other side takes', async () => {
      const { server, channel } = await begin();
      expect(await send(channel, hostileNotice())).toMatchObject({ ok: true });
      for (const request of server.requests) kind.judge(request);
      // oxlint-disable-next-line no-control-regex -- that is the point
      for (const { body } of server.requests) expect(body).not.toMatch(/\\u001b|\\u202e|\u001b|\u202e/);
    });

    test.each([
      ['500', { status: 500, body: 'oops' }],
      ['503 with a page', { status: 503, body: '<html>bad gateway</html>' }],
      ['a cut', 'cut'],
    ] as const)('tries again later after %s', async (_, answer) => {
      const { server, channel } = await begin();
      server.answer(answer);
      expect(await send(channel)).toMatchObject({ ok: false, again: 'later' });
      server.answer(kind.taken);
      expect(await send(channel)).toMatchObject({ ok: true });
    });

    test('waits for as long as it is asked to', async () => {
      const { server, channel } = await begin();
      server.answer(kind.limited ?? { status: 429, headers: { 'retry-after': '30' }, body: 'slow down' });
      expect(await send(channel)).toMatchObject({ ok: false, again: 'later', after: 30_000 });
    });

    test('knows what is of no use', async () => {
      const { server, channel } = await begin();
      for (const { answer, again } of kind.unwanted) {
        server.answer(answer);
        const sent = await send(channel);
        expect(sent).toMatchObject({ ok: false, again });
        expect(sent.ok ? '' : sent.remedy).not.toBe('');
      }
    });

    test('follows nobody to another address', async () => {
      const { server, channel } = await begin();
      const other = await startHookServer();
      server.answer({ status: 307, headers: { location: other.url } });
      expect(await send(channel)).toMatchObject({ ok: false });
      expect(other.requests).toEqual([]);
    });

    test('ends when it is told to, also where nobody answers', async () => {
      const { server, channel } = await begin();
      server.answer('hang');
      const stop = new AbortController();
      const sent = send(channel, noticeOf(), stop.signal);
      await expect.poll(() => server.requests.length, { interval: 5 }).toBe(1);
      stop.abort();
      expect(await sent).toMatchObject({ ok: false, again: 'later' });
    });

    test('reads no more of an answer than means something', async () => {
      const { server, channel } = await begin();
      server.answer('endless');
      const sent = await send(channel);
      expect(JSON.stringify(sent).length).toBeLessThan(1000);
    });

    test('says that nobody is there', async () => {
      const { channel } = await begin().then(async () => ({
        channel: await kind.open('http://127.0.0.1:1'),
      }));
      expect(await send(channel)).toMatchObject({ ok: false, again: 'later' });
      const checked = await channel.check(new AbortController().signal);
      expect(checked).toMatchObject({ ok: false });
      for (const secret of kind.secrets) expect(JSON.stringify(checked)).not.toContain(secret);
    });
  });
}
