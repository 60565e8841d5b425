import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runAgent, takeBackup, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

async function start(): Promise<{ config: TestConfig; server: TestServer }> {
  const server = await startServer();
  return { server, config: writeConfig({ server }) };
}

describe('maintenance', () => {
  test('a person does a task: who, when and why stay, and it is due again', async () => {
    const { config } = await start();
    const done = await runAgent(['maintenance', 'done', 'failover-test', '--note', '28 s', '--json'], {
      config,
    });
    expect(done.json).toMatchObject({
      task: 'failover-test',
      outcome: 'done',
      note: '28 s',
      by: expect.any(String),
    });
    const skipped = await runAgent(['maintenance', 'skip', 'password-rotation', '--why', 'a test'], {
      config,
    });
    expect(skipped.stdout).toContain('password-rotation: skipped');
    const { json } = await runAgent(['maintenance', 'history', '--json'], { config });
    expect(json).toMatchObject({
      entries: [{ task: 'password-rotation', note: 'a test' }, { task: 'failover-test' }],
    });
  });

  test('the agent does one: the log is looked at, and what is not in order gives 3', async () => {
    const { config, server } = await start();
    appendFileSync(
      server.logFile,
      [
        "9:M 29 Nov 2026 08:00:00.123 # Error moving temp DB file 'a' on the final destination",
        'a line that is none of a log, and may be a secret',
        '',
      ].join('\n'),
    );
    const { code, json, stdout } = await runAgent(['maintenance', 'run', 'log-review', '--json'], { config });
    expect({ code, json }).toMatchObject({ code: 3, json: { task: 'log-review' } });
    expect(stdout).toContain("1 × Error moving temp DB file '*' on the final destination");
    expect(stdout).toContain('it grows for ever');
    expect(stdout).not.toContain('may be a secret');
  });

  test.each([
    'memory-trend',
    'slowlog-review',
    'certificate-review',
    'performance-review',
    'capacity-review',
  ])('where nobody has looked, %s is not done, and says so', async (task) => {
    const { config } = await start();
    const { code, stdout } = await runAgent(['maintenance', 'run', task], { config });
    expect({ code, stdout }).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('it does not count as done'),
    });
    expect(stdout).not.toMatch(/^ok /m);
    const { json } = await runAgent(['maintenance', 'show', task, '--json'], { config });
    expect(json).toMatchObject({ last: null });
  });

  test('what a job does is done when the job has run, and not by saying so', async () => {
    const { config } = await start();
    await takeBackup(config);
    const { code, stderr } = await runAgent(['maintenance', 'done', 'recovery-drill', '--note', 'x'], {
      config,
    });
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('redis-agent drill') });
    await runAgent(['drill'], { config });
    const { json } = await runAgent(['maintenance', 'show', 'recovery-drill', '--json'], { config });
    expect(json).toMatchObject({ state: 'upcoming', last: { outcome: 'done', by: 'redis-agent' } });
  });

  test('the go-live list notes what holds, and only that', async () => {
    const { config, server } = await start();
    const open = await runAgent(['maintenance', 'run', 'go-live-memory-limit', '--json'], { config });
    expect(open).toMatchObject({ code: 3, json: { evidence: [{ ok: false }] } });
    await server.call('CONFIG', 'SET', 'maxmemory', '100mb');
    const set = await runAgent(['maintenance', 'run', 'go-live-memory-limit'], { config });
    expect(set).toMatchObject({ code: 0 });
    const { json } = await runAgent(['maintenance', 'history', '--json'], { config });
    expect(json).toMatchObject({ entries: [{ task: 'go-live-memory-limit', evidence: [{ ok: true }] }] });
  });

  test('as a calendar: one event a task, of one identity', async () => {
    const { config } = await start();
    const { stdout } = await runAgent(['maintenance', 'list', '--format', 'ics'], { config });
    expect(stdout).toMatch(/^BEGIN:VCALENDAR\r?\n/);
    expect(stdout.match(/BEGIN:VEVENT/g)?.length).toBeGreaterThan(9);
    expect(stdout).toContain('UID:main-memory-trend-');
  });

  test('a note of several lines, a task that is none, a server that is away', async () => {
    const { config, server } = await start();
    expect(
      await runAgent(['maintenance', 'done', 'failover-test', '--note', 'a\nb'], { config }),
    ).toMatchObject({ code: 2 });
    expect(await runAgent(['maintenance', 'show', 'log-reviw'], { config })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('did you mean log-review?'),
    });
    expect(await runAgent(['maintenance', 'history', 'log-reviw'], { config })).toMatchObject({ code: 2 });
    expect(await runAgent(['maintenance', 'history', 'log-review'], { config })).toMatchObject({ code: 0 });
    await server.stop();
    expect(await runAgent(['maintenance', 'run', 'version-review'], { config })).toMatchObject({ code: 4 });
  });
});

describe('report', () => {
  test('one file, for the owner and the group, that holds what the commands say', async () => {
    const { config, server } = await start();
    await server.call('SET', 'user:1:<i>', 'x');
    const id = await takeBackup(config);
    const out = join(config.folder, 'report.html');
    expect(await runAgent(['report', '--out', out], { config })).toMatchObject({ code: 0 });
    const page = readFileSync(out, 'utf8');
    expect(page).toContain(id);
    expect(page).not.toContain('<i>');
    const { json } = await runAgent(['report', '--json'], { config });
    expect(json).toMatchObject({ verdict: { tone: expect.any(String) }, sections: expect.any(Array) });
  });

  test('where it cannot be written, nothing is, and it says how else', async () => {
    const { config } = await start();
    const out = join(config.folder, 'no-such-folder', 'report.html');
    const { code, stderr } = await runAgent(['report', '--out', out], { config });
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('name a file in a folder that is there'),
    });
    expect(existsSync(out)).toBe(false);
  });
});
