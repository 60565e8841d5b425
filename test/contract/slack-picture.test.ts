import { expect, test } from 'vitest';
import type { NoticeFile } from '../../src/domain/alert.ts';
import { openSlack } from '../../src/alert/channels/slack.ts';
import type { HookAnswer } from '../support/alerts/hook-server.ts';
import { noticeOf, tools } from '../support/alerts/notices.ts';
import { startSlack } from '../support/alerts/slack-server.ts';

const token = 'xoxb-s3cr3t-9f8e7d';
const picture: NoticeFile = {
  name: 'redis-report-main-2026-11-30.png',
  type: 'image/png',
  content: Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 255, 254, 13, 10]),
};
const page: NoticeFile = { name: 'redis-report.html', type: 'text/html', content: Buffer.from('<p>') };

async function begin() {
  const slack = await startSlack(token);
  const channel = openSlack(
    { name: 'chat', type: 'slack', token: { env: token }, channel: '#ops', api: slack.api },
    tools,
  );
  const send = (files: NoticeFile[]) =>
    channel.send(noticeOf(), { signal: new AbortController().signal, reference: undefined, files });
  return { slack, send };
}

test('a picture hangs below the message that it belongs to, byte for byte', async () => {
  const { slack, send } = await begin();
  expect(await send([page, picture])).toMatchObject({ ok: true, answer: 'ok' });
  expect(slack.posted).toHaveLength(1);
  expect(slack.shared).toEqual([
    {
      name: picture.name,
      bytes: Buffer.from(picture.content),
      channel: 'C0OPS',
      thread: slack.posted[0]?.ts,
    },
  ]);
});

test('where there is none, nothing is asked for', async () => {
  const { slack, send } = await begin();
  expect(await send([page])).toMatchObject({ ok: true, answer: 'ok' });
  expect(slack.hook.requests.map(({ path }) => path)).toEqual(['/api/chat.postMessage']);
});

test.each<[step: string, answer: HookAnswer, said: RegExp]>([
  [
    'files.getUploadURLExternal',
    { status: 200, body: { ok: false, error: 'missing_scope' } },
    /missing_scope$/,
  ],
  ['files.getUploadURLExternal', { status: 200, body: { ok: true } }, /no place for it$/],
  [
    'files.getUploadURLExternal',
    { status: 200, body: { ok: true, upload_url: 'file:///etc/passwd', file_id: 'F0' } },
    /no place for it$/,
  ],
  ['upload', { status: 500, body: 'oops' }, /answered 500/],
  ['upload', 'cut', /cannot be reached/],
  ['files.completeUploadExternal', { status: 429, headers: { 'retry-after': '30' } }, /answered 429/],
])('posted is posted, although %s fails', async (step, answer, said) => {
  const { slack, send } = await begin();
  slack.faults[step] = answer;
  const sent = await send([picture]);
  expect(sent).toMatchObject({ ok: true, answer: expect.stringMatching(/^ok, without its picture: /) });
  expect(sent).toMatchObject({ answer: expect.stringMatching(said) });
  expect(slack.posted).toHaveLength(1);
  expect(JSON.stringify(sent)).not.toMatch(/s3cr3t|upload\/v1/);
});
