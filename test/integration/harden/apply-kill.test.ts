import { appendFileSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { sha256 } from '../../../src/harden/read/hash.ts';
import { applySteps, undoSteps } from '../../../src/harden/apply/journal.ts';
import type { HardenChild } from '../../support/harden/harden-child.ts';
import { everything, sampled } from '../../support/house/tier.ts';
import { childScript } from '../../support/house/child-script.ts';
import { hardenerOf, type Hardener } from '../../support/harden/hardened.ts';
import { runChild, type ChildRun } from '../../support/restore/kill-restore.ts';
import { manageServer, type ManagedServer } from '../../support/servers/managed-server.ts';

/** On its own: the bundled script has no others beside it. */
const policyText = `name: kill
summary: something at run time, something that takes a restart
directives:
  timeout: { value: 300, reason: a test, source: here }
  save: { value: [900 1, 300 10], reason: a test, source: here }
  appendonly: { value: "yes", reason: a test, source: here }
  tcp-backlog: { value: 511, reason: a test, source: here }
`;

interface Place {
  server: ManagedServer;
  original: string;
  hardener: Hardener;
  /** In a process of its own, which does not survive that step. */
  killed(what: HardenChild['what'], killAt: string): Promise<ChildRun>;
}

const secret = 'a-long-and-random-secret-of-the-test';
const acl = { worker: { profile: 'bullmq' }, web: { profile: 'session' } };

/** A server with something to change at run time, something that takes a restart, and users. */
async function place(): Promise<Place> {
  const server = await manageServer({
    down: true,
    username: 'boss',
    password: secret,
    config: { 'tcp-backlog': '128', timeout: '0', save: '3600 1', maxmemory: '64mb' },
  });
  appendFileSync(
    server.configFile,
    ['boss', 'worker'].map((name) => `user ${name} on #${sha256(secret)} ~* &* +@all\n`).join(''),
  );
  await server.start();
  await server.call('SET', 'kept', 'value');
  const policy = join(dirname(server.configFile), 'policy.yaml');
  writeFileSync(policy, policyText);
  const file = join(dirname(server.configFile), 'secret');
  writeFileSync(file, secret, { mode: 0o600 });
  const hardener = await hardenerOf(
    server,
    { policy, username: 'boss', password: { file } },
    { harden: { acl } },
  );
  const { path: config } = hardener.config;
  return {
    server,
    hardener,
    original: readFileSync(server.configFile, 'utf8'),
    killed: (what, killAt) =>
      runChild(childScript('harden/harden-child'), {
        config,
        what,
        policy,
        restart: true,
        killAt,
      } satisfies HardenChild),
  };
}

/** Every step once; of several users that are changed alike by default the first and the last, and each third of all that. */
function killedAt(steps: readonly string[]): string[] {
  return sampled(
    [...new Set(steps)].filter((step) => everything || !step.endsWith('users 2 of 3')),
    3,
  );
}

async function valueOf(server: ManagedServer, name: string): Promise<unknown> {
  return [await server.call('CONFIG', 'GET', name)].flat()[1];
}

/** All of it as it was, or all of it as it is to be: run time, file and what the next start would have. */
async function stateOf({ server, original, hardener }: Place): Promise<'before' | 'after'> {
  if ((await server.pids()).length === 0) throw new Error('the server is down');
  await server.reconnect();
  expect(await server.call('GET', 'kept')).toBe('value');
  expect(existsSync(join(dirname(server.configFile), '.redis-agent-harden/journal.json'))).toBe(false);
  const left = readdirSync(dirname(server.configFile)).filter((name) => name.endsWith('.tmp'));
  expect(left).toEqual([]);
  const names = ['timeout', 'appendonly', 'tcp-backlog', 'slowlog-max-len'];
  const running: unknown[] = [];
  for (const name of names) running.push(await valueOf(server, name));
  const isBefore = readFileSync(server.configFile, 'utf8') === original;
  // The agent's connection and this one alone are left, and neither is default.
  const users = [await server.call('ACL', 'LIST')].flat().map(String);
  expect(users.filter((line) => /^user (?:default on|worker .*\+@all|web )/.test(line))).toHaveLength(
    isBefore ? 2 : 1,
  );
  const passwords = join(hardener.app.settings.state.path, 'passwords');
  expect(existsSync(passwords) ? readdirSync(passwords) : []).toHaveLength(isBefore ? 0 : 1);
  expect(running).toEqual(isBefore ? ['0', 'no', '128', '128'] : ['300', 'yes', '511', '128']);
  return isBefore ? 'before' : 'after';
}

test('an apply that is killed at any step is finished or taken back by the next one', async () => {
  const whole = await place();
  const steps: string[] = [];
  const report = await whole.hardener.apply({ restart: true, onStep: (step) => void steps.push(step) });
  expect(report).toMatchObject({ outcome: 'done', waiting: [] });
  expect(await stateOf(whole)).toBe('after');
  // Every step of the list was come to, so that none goes without being killed below.
  expect(applySteps.filter((step) => !steps.includes(step))).toEqual([]);
  for (const step of killedAt(steps)) {
    const one = await place();
    const { signal } = await one.killed('apply', step);
    expect(signal, step).toBe('SIGKILL');
    await one.hardener.apply({ restart: true });
    expect(await stateOf(one), step).toBe('after');
    await one.server.kill();
  }
}, 400_000);

test('a rollback that is killed at any step is finished by the next one', async () => {
  const whole = await place();
  await whole.hardener.apply({ restart: true });
  const steps: string[] = [];
  const report = await whole.hardener.rollback({ restart: true, onStep: (step) => void steps.push(step) });
  expect(report).toMatchObject({ outcome: 'done' });
  expect(await stateOf(whole)).toBe('before');
  expect(undoSteps.filter((step) => !steps.includes(step))).toEqual([]);
  for (const step of killedAt(steps)) {
    const one = await place();
    await one.hardener.apply({ restart: true });
    const { signal } = await one.killed('rollback', step);
    expect(signal, step).toBe('SIGKILL');
    expect(await one.hardener.rollback({ restart: true }), step).toMatchObject({
      outcome: 'done',
      waiting: [],
    });
    expect(await stateOf(one), step).toBe('before');
    await one.server.kill();
  }
}, 400_000);
