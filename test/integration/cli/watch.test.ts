import { spawn } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { agentProgram } from '../../support/agent/agent-program.ts';
import { runAgent, spawnAgent, takeBackup, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { faraway, planned, serverWithKey, startDaemon } from '../../support/agent/daemon.ts';
import { startHookServer } from '../../support/alerts/hook-server.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Commands that the server has been sent, without those of whoever asks. */
async function commandsOf(server: TestServer): Promise<Record<string, number>> {
  const info = String(await server.call('INFO', 'commandstats'));
  return Object.fromEntries(
    [...info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)].map(([, name = '', calls]) => [name, Number(calls)]),
  );
}

function watched(interval = '1s', more: Record<string, unknown> = {}) {
  return { monitor: { interval, ...more } };
}

test('status --watch: a line each time where there is no terminal, until SIGINT', async () => {
  const server = await startServer();
  const config = writeConfig({ server, settings: watched() });
  const id = await takeBackup(config);
  const agent = spawnAgent(['status', '--watch'], { config });
  await expect.poll(() => lines(agent.stdout).length).toBeGreaterThanOrEqual(2);
  await server.kill('SIGKILL');
  await expect.poll(() => agent.stdout).toContain('connection refused');
  await server.restart();
  const seen = lines(agent.stdout).length;
  await expect.poll(() => lines(agent.stdout).length).toBeGreaterThan(seen + 1);
  agent.kill('SIGINT');
  const { code, stdout, stderr } = await agent.ended;
  expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
  expect(id).not.toBe('');
  expect(lines(stdout)[0]).toMatch(
    /^\d{4}-\S+Z main  memory [\d.]+ \w+  clients \d+  keys \d+  backup .* ago  findings none$/,
  );
  expect(lines(stdout).at(-1)).toContain('main  memory');
});

test('with --json each look is a document on a line', async () => {
  const server = await startServer();
  await server.call('RPUSH', 'ai-queue', 'a', 'b');
  const config = writeConfig({ server, settings: watched('1s', { queues: [{ list: 'ai-queue' }] }) });
  const agent = spawnAgent(['queues', '--watch', '--json'], { config });
  await expect.poll(() => lines(agent.stdout).length).toBeGreaterThanOrEqual(2);
  agent.kill('SIGTERM');
  expect(await agent.ended).toMatchObject({ code: 130 });
  for (const line of lines(agent.stdout))
    expect(JSON.parse(line)).toMatchObject([
      { instance: 'main', queues: [{ queue: 'ai-queue', waiting: 2 }] },
    ]);
  expect(await runAgent(['queues', '--watch', '--search'], { config })).toMatchObject({ code: 2 });
});

/** In a pseudo-terminal of script(1); `^C` is typed once the screen was drawn twice. */
async function inTerminal(args: string[], config: TestConfig): Promise<{ code: number; output: string }> {
  const words = [...agentProgram(), '--config', config.path, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qefc', `stty rows 30 cols 80; ${words}`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, TERM: 'xterm', NO_COLOR: '' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? -1)));
  await expect.poll(() => output.split('\u001b[?7h').length).toBeGreaterThan(2);
  child.stdin.write('\u0003');
  return { code: await ended, output };
}

test.each([['status'], ['queues']])(
  '%s --watch on a terminal draws in its place, and Ctrl-C leaves it whole',
  async (command) => {
    const server = await startServer();
    await server.call('RPUSH', 'ai-queue', 'a');
    const config = writeConfig({ server, settings: watched('1s', { queues: [{ list: 'ai-queue' }] }) });
    const { code, output } = await inTerminal([command, '--watch'], config);
    expect(code).toBe(130);
    expect(output).toMatch(/every 1 s, Ctrl-C ends/);
    // Wrapping is on again, nothing else was switched, and nothing scrolls.
    expect(output.lastIndexOf('\u001b[?7h')).toBeGreaterThan(output.lastIndexOf('\u001b[?7l'));
    // oxlint-disable-next-line no-control-regex -- what a terminal obeys is what is tested
    expect(new Set(output.match(/\u001b\[\?\d+[a-z]/g))).toEqual(new Set(['\u001b[?7l', '\u001b[?7h']));
    const drawings = output.split('\u001b[?7l').slice(1);
    // oxlint-disable-next-line no-control-regex -- as above
    for (const drawing of drawings.slice(1)) expect(drawing).toMatch(/^\u001b\[\d+A\r/);
  },
);

test.each([['status'], ['queues']])(
  '%s --watch asks the server for no more than the daemon does',
  async (command) => {
    const server = await serverWithKey();
    for (const name of ['ai-queue', 'mail-queue']) await server.call('RPUSH', name, 'a', 'b');
    const queues = [{ list: 'ai-queue' }, { list: 'mail-queue' }];
    const options = planned(server, { schedule: faraway() });
    const settings = { ...options.settings, ...watched('1s', { queues }) };
    const config = writeConfig({ ...options, settings });
    const total = (counts: Record<string, number>): number =>
      Object.values(counts).reduce((sum, calls) => sum + calls, 0);
    /** Commands a round, of three. */
    const cost = async (rounds: () => Promise<number>): Promise<number> => {
      await expect.poll(rounds).toBeGreaterThanOrEqual(2);
      const [from, before] = [await rounds(), await commandsOf(server)];
      await expect.poll(rounds, { interval: 500 }).toBeGreaterThanOrEqual(from + 3);
      const after = await commandsOf(server);
      const info = (asked: Record<string, number>): number => asked['info'] ?? 0;
      return (total(after) - total(before) - (info(after) - info(before))) / ((await rounds()) - from);
    };
    const agent = spawnAgent([command, '--watch'], { config });
    const look = await cost(async () => lines(agent.stdout).length);
    agent.kill('SIGINT');
    await agent.ended;
    const daemon = startDaemon(config);
    await daemon.until({ msg: /^backup 2/ });
    const slowlog = (counts: Record<string, number>): number =>
      counts['slowlog|get'] ?? counts['slowlog'] ?? 0;
    const poll = await cost(async () => slowlog(await commandsOf(server)));
    await daemon.stop();
    // Its name and the like, when it logs in.
    expect(look).toBeLessThan(poll + 5);
  },
);

test('status shows a channel that gets nothing through, and when the report is due', async () => {
  const hook = await startHookServer({ status: 410, body: 'gone' });
  const server = await startServer();
  const config = writeConfig({ server });
  const { file } = config.secret('hook', `${hook.url}/very-secret`);
  config.rewrite({
    server,
    settings: {
      ...watched(),
      report: { schedule: '0 8 * * 1' },
      alerts: {
        channels: [
          { name: 'chat', type: 'webhook', url: { file } },
          {
            name: 'mail',
            type: 'email',
            from: 'a@example.org',
            to: ['b@example.org'],
            smtp: { url: 'smtp://127.0.0.1:1' },
          },
        ],
      },
    },
  });
  const daemon = startDaemon(config);
  await server.kill('SIGKILL');
  const trouble = async () => (await runAgent(['status', '--json'], { config })).json[0].channels;
  await expect
    .poll(trouble, { interval: 500 })
    .toContainEqual(
      expect.objectContaining({ channel: 'chat', trouble: 'disabled', since: expect.stringMatching(/Z$/) }),
    );
  const { stdout } = await runAgent(['status'], { config });
  expect(stdout).toMatch(/\breport in \d+/);
  expect(stdout).toMatch(/alerts\s+chat does not work since .* \(.*410.*\)/);
  expect(stdout).not.toContain('very-secret');
  await daemon.stop();
});
