import { expect, test } from 'vitest';
import { AgentError, type ReasonOf } from '../../../src/domain/errors.ts';
import { createPoller, type Poller } from '../../../src/monitor/poll.ts';
import type { RedisConnection, Reply } from '../../../src/redis/connection/connect.ts';
import { ManualClock } from '../../support/clocks/manual-clock.ts';
import { runId } from '../../support/monitor/samples.ts';

const { signal } = new AbortController();
type Answer = (command: string) => Reply | AgentError;
const error = (reason: ReasonOf<'redis'>): AgentError =>
  new AgentError('redis', `it says ${reason}`, { reason });
const info = `redis_version:7.0.15\r\nrun_id:${runId}\r\nuptime_in_seconds:5\r\ntotal_commands_processed:10\r\n`;

const healthy: Answer = (command) => {
  if (command === 'INFO') return info;
  if (command.startsWith('SLOWLOG') || command.startsWith('TIME')) return [];
  return 'OK';
};

/** A server that is nothing but its answers. */
function place(): {
  clock: ManualClock;
  sent: string[];
  answer: Answer;
  connects: number;
  refuses: AgentError | undefined;
  poller(frugal?: boolean): Poller;
} {
  const one = {
    clock: new ManualClock(),
    sent: [] as string[],
    answer: healthy,
    connects: 0,
    refuses: undefined as AgentError | undefined,
    poller: (frugal = false) => createPoller({ connect, clock: one.clock, frugal }),
  };
  const reply = (words: (string | number)[]): Reply | AgentError => {
    one.sent.push(words.join(' '));
    return one.answer(words.join(' '));
  };
  async function connect(): Promise<RedisConnection> {
    one.connects += 1;
    if (one.refuses !== undefined) throw one.refuses;
    return {
      target: { name: 'main', url: 'redis://127.0.0.1' },
      async call(...words) {
        const answer = reply(words);
        if (answer instanceof AgentError) throw answer;
        return answer;
      },
      pipeline: async (commands) => commands.map(reply),
      close: () => {},
    };
  }
  return one;
}

test('one connection is held, and what is rare is asked rarely', async () => {
  const server = place();
  const poller = server.poller();
  for (let poll = 0; poll < 9; poll++) {
    expect(await poller.poll(signal)).toMatchObject({ up: 'up', values: { up: 1 }, runId });
    server.clock.advance(15_000);
  }
  const count = (command: string): number => server.sent.filter((text) => text.startsWith(command)).length;
  expect(server.connects).toBe(1);
  expect([count('PING'), count('SLOWLOG GET 16'), count('CLIENT LIST'), count('TIME')]).toEqual([9, 9, 1, 3]);
  expect(server.sent.filter((text) => text === 'INFO')).toHaveLength(9);
  expect(server.sent.filter((text) => /KEYS|MONITOR/.test(text))).toEqual([]);
  const { values } = await poller.poll(signal);
  // And the PING of a new connection, which the connection itself sends.
  expect(values['own_commands_total']).toBe(server.sent.length + 1);
});

test('billed by command: INFO alone in nearly every poll', async () => {
  const server = place();
  const poller = server.poller(true);
  for (let poll = 0; poll < 4; poll++) {
    await poller.poll(signal);
    server.clock.advance(60_000);
  }
  expect(server.sent.filter((text) => text === 'INFO')).toHaveLength(4);
  expect(server.sent).not.toContain('PING');
  expect(server.sent.length).toBeLessThan(15);
});

test.for<[reason: ReasonOf<'redis'>, up: string]>([
  ['busy', 'busy'],
  ['misconf', 'misconf'],
  ['maxclients', 'maxclients'],
])('an answer of %s is a class and no exception', async ([reason, up]) => {
  const server = place();
  server.answer = (command) => (command === 'PING' ? error(reason) : healthy(command));
  expect(await server.poller().poll(signal)).toMatchObject({ up });
});

test.for<[reason: ReasonOf<'redis'>, up: string]>([
  ['refused', 'refused'],
  ['timeout', 'timeout'],
  ['unknown-host', 'unreachable'],
])('a connection that fails by %s is a class and no exception', async ([reason, up]) => {
  const server = place();
  server.refuses = error(reason);
  expect(await server.poller().poll(signal)).toMatchObject({
    up,
    values: { up: 0, own_connect_failures_total: 1 },
  });
});

test('a broken connection is opened anew', async () => {
  const server = place();
  const poller = server.poller();
  await poller.poll(signal);
  server.answer = () => error('closed');
  expect(await poller.poll(signal)).toMatchObject({ up: 'refused', values: { up: 0 } });
  server.answer = healthy;
  expect(await poller.poll(signal)).toMatchObject({ up: 'up' });
  expect(server.connects).toBe(2);
});

test('a server that loads says how far it is', async () => {
  const server = place();
  const loading = `${info}loading:1\r\nloading_loaded_perc:40.00\r\nloading_eta_seconds:12\r\n`;
  server.answer = (command) =>
    command === 'INFO' ? loading : command === 'PING' ? error('loading') : healthy(command);
  expect(await server.poller().poll(signal)).toMatchObject({
    up: 'loading',
    detail: '40 % loaded, about 12 s to go',
    values: { up: 0 },
  });
});

test('a credential that is refused is tried ever more rarely, and counted as ours', async () => {
  const server = place();
  const poller = server.poller();
  server.refuses = error('wrongpass');
  for (let poll = 0; poll < 240; poll++) {
    expect(await poller.poll(signal)).toMatchObject({ up: 'noauth' });
    server.clock.advance(15_000);
  }
  // An hour: at once, after 15 s, 30 s, 1, 2 and then every 5 minutes.
  expect(server.connects).toBeLessThan(18);
  server.refuses = undefined;
  server.clock.advance(300_000);
  const { up, values } = await poller.poll(signal);
  expect({ up, own: values['own_auth_failures_total'] }).toEqual({ up: 'up', own: server.connects - 1 });
});

test('a missing right makes its collector blind, and is tried again after an hour', async () => {
  const server = place();
  server.answer = (command) => (command.startsWith('SLOWLOG') ? error('noperm') : healthy(command));
  const poller = server.poller();
  for (let poll = 0; poll < 239; poll++) {
    const { up, blind } = await poller.poll(signal);
    expect({ up, blind }).toEqual({
      up: 'up',
      blind: [{ collector: 'slowlog', reason: 'noperm', message: 'it says noperm' }],
    });
    server.clock.advance(15_000);
  }
  expect(server.sent.filter((text) => text.startsWith('SLOWLOG'))).toHaveLength(1);
  server.clock.advance(30_000);
  server.answer = healthy;
  expect(await poller.poll(signal)).toMatchObject({ blind: [], values: { own_noperm_errors_total: 1 } });
});

test('it ends by its signal alone', async () => {
  const server = place();
  const stop = new AbortController();
  server.answer = () => {
    stop.abort(new Error('stopped'));
    return error('closed');
  };
  await expect(server.poller().poll(stop.signal)).rejects.toThrow('stopped');
});
