import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Channel, Sent } from '../../src/alert/channels/channel.ts';
import { openExec } from '../../src/alert/channels/exec.ts';
import { hostileNotice, noticeOf, resolved, tools } from '../support/alerts/notices.ts';
import { makeTempFolder, removeTempFolder } from '../support/house/temp-folder.ts';

let folder: string;

beforeEach(() => {
  folder = makeTempFolder();
});
afterEach(() => removeTempFolder(folder));

/** A channel that runs this shell script. */
function program(script: string, { timeout = 20_000, words = [] as string[] } = {}): Channel {
  const path = join(folder, 'program');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return openExec({ name: 'own', type: 'exec', command: [path, ...words], timeout }, tools);
}

const send = (channel: Channel, notice = noticeOf(), signal = new AbortController().signal): Promise<Sent> =>
  channel.send(notice, { signal, reference: undefined });

test('the program reads what is told, and its end, as JSON on its stdin', async () => {
  const heard = join(folder, 'heard');
  const channel = program(`cat >>${heard}`);
  expect(await send(channel)).toMatchObject({ ok: true });
  expect(await send(channel, noticeOf([resolved()]))).toMatchObject({ ok: true });
  const documents = readFileSync(heard, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  expect(documents).toMatchObject([
    { version: 1, instance: 'main', host: 'db1', alerts: [{ rule: 'backup-failed', change: 'fired' }] },
    { alerts: [{ rule: 'backup-failed', change: 'resolved' }] },
  ]);
});

test('nothing of an alert reaches a command line, a shell or the environment', async () => {
  const seen = join(folder, 'seen');
  const channel = program(`{ printf '%s\\n' "$@"; env; } >${seen}; cat >/dev/null`, {
    words: ['$(id)', 'a b'],
  });
  expect(await send(channel, hostileNotice())).toMatchObject({ ok: true });
  const text = readFileSync(seen, 'utf8');
  expect(text.startsWith('$(id)\na b\n')).toBe(true);
  expect(text).not.toMatch(/script|backup-failed/);
});

test.each([
  ['fails', 'echo no such pager >&2; exit 3', 'ended with 3', 'no such pager'],
  ['is killed', 'kill -9 $$', 'SIGKILL', ''],
  ['reads nothing and fails', 'exec <&-; exit 1', 'ended with 1', ''],
])('one that %s is run again later', async (_, script, problem, said) => {
  const sent = await send(program(script), hostileNotice());
  expect(sent).toMatchObject({ ok: false, again: 'later', problem: expect.stringContaining(problem) });
  expect(sent.ok ? '' : sent.problem).toContain(said);
});

test('one that writes without end, and escapes, is quoted in a line', async () => {
  const sent = await send(program('yes "$(printf \'\\033[31m\')red" | head -c 1000000; exit 1'));
  // oxlint-disable-next-line no-control-regex -- that is the point
  expect(JSON.stringify(sent)).not.toMatch(/\\u001b/);
  expect(JSON.stringify(sent).length).toBeLessThan(1000);
});

test('one that takes too long is ended with all that it has started', async () => {
  const pidFile = join(folder, 'pid');
  const script = `sleep 60 & echo $! >${pidFile}.new && mv ${pidFile}.new ${pidFile}; wait`;
  const sent = await send(program(script, { timeout: 2000 }));
  expect(sent).toMatchObject({
    ok: false,
    again: 'later',
    problem: expect.stringContaining('did not end within'),
  });
  await expectEnded(pidFile);
  rmSync(pidFile);
  const stop = new AbortController();
  const stopped = send(program(script), noticeOf(), stop.signal);
  await expect.poll(() => existsSync(pidFile), { interval: 5 }).toBe(true);
  stop.abort();
  expect(await stopped).toMatchObject({ ok: false, again: 'later' });
  await expectEnded(pidFile);
});

test('what it leaves behind is not waited for', async () => {
  const pidFile = join(folder, 'left');
  const sent = await send(program(`sleep 60 & echo $! >${pidFile}`, { timeout: 60_000 }));
  expect(sent).toMatchObject({ ok: true });
  process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
});

/** Gone, or only waiting for whoever inherits it to take note. */
async function expectEnded(pidFile: string): Promise<void> {
  const pid = readFileSync(pidFile, 'utf8').trim();
  const state = (): string => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .charAt(0);
    } catch {
      return 'gone';
    }
  };
  await expect.poll(state, { interval: 5 }).toMatch(/gone|Z/);
}

test('one that is not there, or may not be run, is told before it is needed', async () => {
  const missing = openExec(
    { name: 'own', type: 'exec', command: [join(folder, 'none')], timeout: 1000 },
    tools,
  );
  expect(await missing.check(new AbortController().signal)).toMatchObject({ ok: false });
  expect(await send(missing)).toMatchObject({ ok: false, again: 'never' });
  const channel = program('exit 0');
  expect(await channel.check(new AbortController().signal)).toMatchObject({ ok: true });
  chmodSync(join(folder, 'program'), 0o644);
  expect(await channel.check(new AbortController().signal)).toMatchObject({ ok: false });
});
