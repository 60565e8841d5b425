import { expect, test } from 'vitest';
import { createStyle } from '../../../src/cli/render/style.ts';
import { watchCommand, type Watching } from '../../../src/cli/watch-command.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import type { Clock } from '../../../src/domain/clock.ts';

/** Sleeps are over at once, and noted; the signal aborts in the last of them. */
function watchFor(looks: number, more: Partial<Watching> = {}) {
  const stop = new AbortController();
  const [written, slept]: [string[], number[]] = [[], []];
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    async sleep(ms) {
      slept.push(ms);
      if (slept.length >= looks) stop.abort(new AgentError('interrupted', 'interrupted by SIGINT'));
      stop.signal.throwIfAborted();
    },
  };
  const watching: Watching = {
    every: 15_000,
    clock,
    signal: stop.signal,
    write: (text) => written.push(text),
    screen: undefined,
    look: async () => `look ${slept.length + 1}`,
    failure: ({ message }) => `failed: ${message}`,
    ...more,
  };
  return { run: () => watchCommand(watching), written, slept };
}

/** What a terminal shows after these writes: only what watching uses. */
function screenOf(written: readonly string[], rows = 10): string[] {
  let [lines, row, wraps]: [string[], number, boolean] = [[''], 0, true];
  for (const token of written.join('').match(/\u001b\[\??\d*[A-Za-z]|\n|\r|[^\u001b\n\r]+/g) ?? []) {
    if (token === '\n') row += 1;
    else if (token === '\u001b[?7l') wraps = false;
    else if (token === '\u001b[?7h') wraps = true;
    else if (token === '\u001b[J') lines = lines.slice(0, row);
    else if (token.endsWith('A') && token.startsWith('\u001b')) row -= Number.parseInt(token.slice(2), 10);
    else if (token === '\r' || token === '\u001b[K') continue;
    else {
      lines[row] = wraps ? `WRAPPED ${token}` : token;
    }
    expect(row).toBeGreaterThanOrEqual(0);
    expect(row).toBeLessThan(rows);
  }
  expect(wraps).toBe(true);
  return lines;
}

test('without a terminal each look is a line, at the pace that was asked for, and an interrupt ends it', async () => {
  const { run, written, slept } = watchFor(3);
  expect(await run()).toBe(130);
  expect(written).toEqual(['look 1\n', 'look 2\n', 'look 3\n']);
  expect(slept).toEqual([15_000, 15_000, 15_000]);
});

test('on a terminal it is drawn over, whether it gets longer or shorter, and leaves nothing switched', async () => {
  const texts = ['one\ntwo\nthree', 'one', 'a long line of many words that no terminal has room for\ntwo'];
  let at = 0;
  const screen = { rows: () => 10, style: createStyle(false) };
  const { run, written } = watchFor(3, { screen, look: async () => texts[at++] ?? '' });
  await run();
  expect(written).toHaveLength(3);
  const footer = '00:00:00 UTC, every 15 s, Ctrl-C ends';
  expect(screenOf(written.slice(0, 1))).toEqual(['one', 'two', 'three', footer]);
  expect(screenOf(written.slice(0, 2))).toEqual(['one', footer]);
  expect(screenOf(written)).toEqual([...(texts[2]?.split('\n') ?? []), footer]);
});

test('what is higher than the terminal is cut, and says so', async () => {
  const screen = { rows: () => 6, style: createStyle(false) };
  const look = async (): Promise<string> =>
    Array.from({ length: 40 }, (_, each) => `line ${each}`).join('\n');
  const { run, written } = watchFor(2, { screen, look });
  await run();
  expect(screenOf(written, 6)).toEqual([
    'line 0',
    'line 1',
    'line 2',
    '… 37 more lines',
    '00:00:00 UTC, every 15 s, Ctrl-C ends',
  ]);
});

test('a failure is shown, and the next look may be good; a defect ends it', async () => {
  let at = 0;
  const flaky = watchFor(2, {
    look: async () => {
      at += 1;
      if (at === 1) throw new AgentError('redis', 'it is away');
      return 'there again';
    },
  });
  expect(await flaky.run()).toBe(130);
  expect(flaky.written).toEqual(['failed: it is away\n', 'there again\n']);
  const broken = watchFor(2, { look: async () => Promise.reject(new TypeError('a defect')) });
  await expect(broken.run()).rejects.toThrow('a defect');
});
