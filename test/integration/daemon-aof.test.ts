import { appendFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { growingFile, rewriteAof, startAofServer } from '../support/data/aof.ts';
import { runAgent, writeConfig } from '../support/agent/cli.ts';
import { expectClean, faraway, often, planned, startDaemon } from '../support/agent/daemon.ts';
import { defaultBuild } from '../support/servers/redis-server.ts';

test('the schedule checks the AOF: a bad one is a finding until it is sound again', async () => {
  const server = await startAofServer(defaultBuild());
  await server.call('SET', 'key', 'value');
  const { settings, ...options } = planned(server, { schedule: faraway() });
  const config = writeConfig({ ...options, settings: { ...settings, aof: { schedule: often } } });
  const daemon = startDaemon(config);
  await daemon.until({ job: 'check-aof', msg: /^AOF sound: / });

  appendFileSync(growingFile(server), 'what no server writes\n');
  const opened = await daemon.until({ msg: 'finding opened', rule: 'aof-corrupt' });
  expect(opened).toMatchObject({ severity: 'critical', resource: expect.stringMatching(/\.incr\.aof$/) });
  const status = await runAgent(['status', '--json'], { config });
  expect(status.code).toBe(3);
  const rules = status.json[0].findings.map(({ rule }: { rule: string }) => rule);
  expect(rules).toContain('aof-corrupt');
  // It is no failure of the job, and raised once for all the runs that find it.
  await daemon.until({ job: 'check-aof', msg: /^AOF corrupt: / }, 3);
  expect(
    daemon.lines().filter(({ msg, rule }) => msg === 'finding opened' && rule === 'aof-corrupt'),
  ).toHaveLength(1);

  await rewriteAof(server);
  await daemon.until({ msg: 'finding closed', rule: 'aof-corrupt' });
  expect(await daemon.stop()).toMatchObject({ code: 0, stderr: '' });
  expect(daemon.lines().filter(({ level }) => level === 'error')).toEqual([]);
  expectClean(config);
});

test('without an AOF it says so, and finds nothing', async () => {
  const server = await startAofServer(defaultBuild(), { appendonly: 'no' });
  const { settings, ...options } = planned(server, { schedule: faraway() });
  const config = writeConfig({ ...options, settings: { ...settings, aof: { schedule: often } } });
  const daemon = startDaemon(config);
  await daemon.until({ job: 'check-aof', msg: /^AOF off/ });
  expect(await daemon.stop()).toMatchObject({ code: 0 });
  expect(daemon.lines().filter(({ rule }) => String(rule).startsWith('aof-'))).toEqual([]);
});
