import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Channel, Sent } from '../../../src/alert/channels/channel.ts';
import { Deliverer } from '../../../src/alert/deliver.ts';
import type { Notice } from '../../../src/domain/alert.ts';
import { channelHealth } from '../../../src/state/alerts/channels.ts';
import { enqueue, outboxDepth, waitingFor } from '../../../src/state/alerts/outbox.ts';
import { openState, type State } from '../../../src/state/db/open.ts';
import { noticeOf, resolved } from '../../support/alerts/notices.ts';
import { memoryLog } from '../../support/agent/memory-log.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

const second = 1000;
const hour = 60 * 60 * second;

let directory: string;
let state: State;
let now: number;
let sent: Notice[];
/** What the other side does, one after the other; then it takes everything. */
let answers: (Sent | 'hang' | 'throw')[];
let pauses: number[];

beforeEach(() => {
  directory = makeTempFolder();
  now = Date.parse('2026-11-29T02:00:00Z');
  state = open();
  sent = [];
  answers = [];
  pauses = [];
});
afterEach(() => {
  state.close();
  removeTempFolder(directory);
});

const clock = {
  now: () => now,
  monotonic: () => now,
  // oxlint-disable-next-line typescript/require-await -- time does not pass by itself here
  async sleep(ms: number) {
    pauses.push(ms);
    now += ms;
  },
};

const open = (): State => openState(directory, { clock, log: memoryLog() });

const later: Sent = { ok: false, again: 'later', problem: 'no room', remedy: 'wait' };

function deliverer(pace = 0): Deliverer {
  const channel: Channel = {
    name: 'chat',
    description: 'chat',
    pace,
    async send(notice, { signal }) {
      const answer = answers.shift();
      if (answer === 'throw') throw new Error('a defect with s3cret');
      if (answer === 'hang') {
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return later;
      }
      sent.push(notice);
      return answer ?? { ok: true, answer: 'ok', reference: undefined };
    },
    check: async () => ({ ok: true, detail: '' }),
    close() {},
  };
  return new Deliverer({
    state,
    clock,
    log: memoryLog(),
    open: async () => channel,
    giveUpAfter: 24 * hour,
    redact: (text) => text.replaceAll('s3cret', '[secret]'),
    // What comes of it is no whole number of milliseconds.
    random: () => 0.50001,
  });
}

async function deliver(with_ = deliverer(), signal = new AbortController().signal): Promise<void> {
  await new Promise<void>((resolve) => {
    with_.start(['chat'], signal, resolve);
    if (with_.next(['chat']) !== null || outboxDepth(state).length === 0) resolve();
  });
}

const put = (...notices: Notice[]): void =>
  enqueue(
    state,
    notices.map((notice) => ({ ...notice, channel: 'chat', at: now })),
  );

const changes = (): string[][] => sent.map(({ items }) => items.map(({ change }) => change));

test('sends in order, and each once', async () => {
  put(noticeOf(), noticeOf([resolved({ instance: 'b' })], { instance: 'b' }));
  await deliver();
  await deliver();
  expect(sent.map(({ instance }) => instance)).toEqual(['main', 'b']);
  expect(outboxDepth(state)).toEqual([]);
});

test('tells in one message what came and went while nothing got through', async () => {
  const worker = deliverer();
  answers = [later];
  put(noticeOf());
  await deliver(worker);
  expect(worker.next(['chat'])).toBe(now + 5 * second);
  now += 8 * hour;
  put(noticeOf([resolved()]));
  await deliver(worker);
  expect(changes()).toEqual([['fired'], ['passed']]);
  expect(outboxDepth(state)).toEqual([]);
});

test('waits longer with each failure, and for as long as it is asked to', async () => {
  const worker = deliverer();
  put(noticeOf());
  const waited: number[] = [];
  answers = Array.from({ length: 12 }, () => later);
  for (let attempt = 0; attempt < 12; attempt += 1) {
    await deliver(worker);
    const next = worker.next(['chat']) ?? 0;
    waited.push((next - now) / second);
    now = next;
  }
  expect(waited.map((seconds) => Math.round(seconds))).toEqual([
    5, 10, 20, 40, 80, 160, 320, 600, 600, 600, 600, 600,
  ]);
  answers = [{ ...later, after: 3 * hour }];
  await deliver(worker);
  expect(worker.next(['chat'])! - now).toBeGreaterThanOrEqual(3 * hour);
  const asked = sent.length;
  now += 2 * hour;
  put(noticeOf([resolved()]));
  await deliver(worker);
  expect(sent).toHaveLength(asked);
});

test('gives up what could not be told in a day, and says what is wrong with the channel', async () => {
  const worker = deliverer();
  answers = [later];
  put(noticeOf());
  await deliver(worker);
  expect(channelHealth(state)).toMatchObject([
    { name: 'chat', failing_since: now, disabled: false, problem: 'no room' },
  ]);
  now += 25 * hour;
  await deliver(worker);
  expect(sent).toHaveLength(1);
  expect(outboxDepth(state)).toEqual([]);
});

test('asks a channel of no use once an hour, and loses nothing', async () => {
  const worker = deliverer();
  answers = [{ ok: false, again: 'never', problem: 'channel_is_archived', remedy: 'name another' }];
  put(noticeOf());
  await deliver(worker);
  expect(channelHealth(state)).toMatchObject([{ disabled: true }]);
  expect(worker.next(['chat'])).toBe(now + hour);
  now += hour;
  await deliver(worker);
  expect(changes()).toEqual([['fired'], ['fired']]);
  expect(channelHealth(state)).toMatchObject([{ disabled: false, failing_since: null, sent_at: now }]);
});

test('drops a message that is refused, and goes on with the next', async () => {
  answers = [{ ok: false, again: 'refused', problem: 'too long', remedy: '-' }];
  put(noticeOf(), noticeOf([resolved({ instance: 'b' })], { instance: 'b' }));
  await deliver();
  expect(sent.map(({ instance }) => instance)).toEqual(['main', 'b']);
  expect(outboxDepth(state)).toEqual([]);
});

test('tells two hundred at once no faster than the channel takes them', async () => {
  put(...Array.from({ length: 200 }, (_, index) => noticeOf(undefined, { instance: `i${index}` })));
  await deliver(deliverer(1100));
  expect(sent).toHaveLength(200);
  expect(pauses.every((ms) => ms === 1100)).toBe(true);
  expect(pauses).toHaveLength(200);
});

test('sends again under the same key what may or may not have got through', async () => {
  put(noticeOf());
  const stop = new AbortController();
  answers = ['hang'];
  const worker = deliverer();
  const done = deliver(worker, stop.signal);
  stop.abort();
  await done;
  await worker.close();
  // The process dies after the message was taken and before that is written down.
  const [row] = waitingFor(state, 'chat');
  state.close();
  state = open();
  await deliver();
  expect(sent.map(({ key }) => key)).toEqual([row!.notice.key]);
  expect(outboxDepth(state)).toEqual([]);
});

test('takes a defect of a channel for a failure, and shows no secret', async () => {
  answers = ['throw'];
  put(noticeOf());
  await deliver();
  expect(channelHealth(state)).toMatchObject([{ problem: 'a defect with [secret]' }]);
  expect(waitingFor(state, 'chat')).toMatchObject([{ attempts: 1 }]);
});
