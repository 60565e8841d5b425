import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import Bull from 'bull';
import { expect, onTestFinished, test } from 'vitest';
import type { RunbookReport } from '../../src/app/runbook/report.ts';
import { findProfile } from '../../src/formats/acl/profiles/index.ts';
import { profileRules } from '../../src/formats/acl/profiles/rules.ts';
import { runAgent, writeConfig, type TestConfig } from '../support/agent/cli.ts';
import { hasEnded } from '../support/servers/owned-process.ts';
import { defaultBuild, startServer, type TestServer } from '../support/servers/redis-server.ts';
import { until } from '../support/servers/sentinels.ts';

// What the runbook of queues offers, run as it is printed, in a folder that has the application's library: this checkout.

const root = join(import.meta.dirname, '../..');

async function look(config: TestConfig): Promise<RunbookReport> {
  const { json, code } = await runAgent(['runbook', 'queue', '--json'], { config });
  expect(code).toBe(0);
  return json.reports[0];
}

const causes = ({ found }: RunbookReport): string =>
  found.flatMap(({ state, text }) => (state === 'cause' ? [text] : [])).join('\n');

/** Runs what a person would copy: the command of that step as it stands on the terminal. */
async function follow(server: TestServer, config: TestConfig, pattern: RegExp): Promise<void> {
  const { stdout } = await runAgent(['runbook', 'queue'], { config });
  const command = stdout.split('\n').find((line) => line.startsWith('     ') && pattern.test(line));
  if (command === undefined) throw new Error(`not offered: ${stdout}`);
  execFileSync('sh', ['-c', command.trim().replace(/^redis-cli/, server.build.cli)], {
    cwd: root,
    env: { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env['PATH']}` },
    timeout: 60_000,
  });
}

async function serverWithQueue(
  name = 'mail',
): Promise<{ server: TestServer; config: TestConfig; queue: Queue }> {
  const server = await startServer();
  await server.call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  const queue = new Queue(name, { connection: { port: server.port } });
  onTestFinished(() => queue.close());
  return { server, config: writeConfig({ server }), queue };
}

async function addJobs(queue: Queue, count: number): Promise<void> {
  await queue.addBulk(Array.from({ length: count }, () => ({ name: 'job', data: {} })));
}

/** A worker that is a process of its own; it fails each job once where it is told to. */
function startWorker(
  server: TestServer,
  { does = '', login = '', name = 'mail' } = {},
): ReturnType<typeof spawn> {
  const code = `const {Worker}=require('bullmq');const w=new Worker(${JSON.stringify(name)},async(job)=>{${does}},{connection:{port:${server.port},maxRetriesPerRequest:null,${login}},lockDuration:1000,stalledInterval:1000});w.on('error',()=>{})`;
  const worker = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, '-e', code], {
    cwd: root,
    stdio: 'ignore',
  });
  onTestFinished(async () => {
    if (hasEnded(worker)) return;
    const ended = once(worker, 'exit');
    worker.kill('SIGKILL');
    await ended;
  });
  return worker;
}

const completed = async (queue: Queue, count: number): Promise<void> =>
  await until(async () => (await queue.getCompletedCount()) === count);

test('no worker is there: it says so, and that no command of Redis mends it; with one all is well', async () => {
  const { server, config, queue } = await serverWithQueue();
  await addJobs(queue, 5);
  const report = await look(config);
  expect(report.applies).toBe(true);
  expect(causes(report)).toContain('bull:mail: no worker is connected; its jobs wait and are not lost');
  expect(report.steps[0]?.why).toContain('start the workers of bull:mail');
  expect(report.steps.every(({ effect }) => effect === 'looks')).toBe(true);
  startWorker(server);
  await completed(queue, 5);
  expect((await look(config)).applies).toBe(false);
});

test.each(['mail', `it's "odd" $(touch x)\n\\`])('paused: the offered command resumes %j', async (name) => {
  const { server, config, queue } = await serverWithQueue(name);
  await queue.pause();
  await addJobs(queue, 3);
  startWorker(server, { name });
  const report = await look(config);
  expect(causes(report)).toContain('paused');
  await follow(server, config, /resume/);
  await completed(queue, 3);
  expect((await look(config)).applies).toBe(false);
});

test('Bull, paused: the offered command resumes it', async () => {
  const { server, config } = await serverWithQueue();
  const queue = new Bull('post', { redis: { port: server.port } });
  onTestFinished(() => queue.close());
  await queue.pause();
  await queue.add({});
  expect(causes(await look(config))).toContain('bull:post: 1 due');
  await follow(server, config, /require\("bull"\).*resume/);
  expect(await queue.isPaused()).toBe(false);
});

test('failed jobs: by their reasons first, and then all are tried again', async () => {
  const { server, config, queue } = await serverWithQueue();
  await addJobs(queue, 4);
  startWorker(server, { does: 'if(job.attemptsStarted===1)throw new Error("no mail server")' });
  await until(async () => (await queue.getFailedCount()) === 4);
  const { steps } = await look(config);
  const commands = steps.map(({ command }) => command);
  const reasons = commands.indexOf('redis-agent queues failed bull:mail');
  expect(reasons).toBeGreaterThanOrEqual(0);
  expect(commands.findIndex((each) => each.includes('retryJobs'))).toBeGreaterThan(reasons);
  await follow(server, config, /retryJobs/);
  await completed(queue, 4);
});

test('a worker that is stopped, its job stalled: it is named, and the offered command has it go on', async () => {
  const { server, config, queue } = await serverWithQueue();
  const worker = startWorker(server, { does: 'await new Promise(done=>setTimeout(done,200))' });
  await addJobs(queue, 10);
  await until(async () => (await queue.getActiveCount()) > 0);
  worker.kill('SIGSTOP');
  // Its lock ends; nobody else is there who would take the job up.
  await until(async () => causes(await look(config)).includes('that no worker holds any more'));
  const report = await look(config);
  expect(causes(report)).toContain(`(pid ${worker.pid}) is stopped`);
  await follow(server, config, /^ +kill -CONT/);
  await completed(queue, 10);
  await until(async () => !(await look(config)).applies);
});

test('keys are evicted: the offered policy ends that', async () => {
  const { server, queue } = await serverWithQueue();
  // By chance it is the queue itself that goes, and then there is none to be found.
  const config = writeConfig({ instances: [{ name: 'main', url: server.url, role: 'queue' }] });
  await addJobs(queue, 200);
  await server.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  await server.call('CONFIG', 'SET', 'maxmemory', '2mb');
  const evicted = async (): Promise<number> =>
    Number(/evicted_keys:(\d+)/.exec(String(await server.call('INFO', 'stats')))?.[1]);
  for (let at = 0; (await evicted()) === 0; at++) await server.call('SET', `more:${at}`, 'x'.repeat(100_000));
  expect(causes(await look(config))).toMatch(/maxmemory-policy is allkeys-lru: \d+ keys? evicted/);
  await follow(server, config, /maxmemory-policy noeviction/);
  const before = await evicted();
  await expect(server.call('SET', 'again', 'x'.repeat(3_000_000))).rejects.toThrow(/memory/i);
  expect(await evicted()).toBe(before);
});

test('all keys of a queue were evicted: that is told where none is found', async () => {
  const server = await startServer();
  const config = writeConfig({ instances: [{ name: 'main', url: server.url, role: 'queue' }] });
  await server.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random');
  await server.call('SET', 'key', 'x');
  await server.call('CONFIG', 'SET', 'maxmemory', '1');
  // What cannot be had by evicting is refused.
  await server.call('SET', 'another', 'x').catch(() => {});
  await server.call('CONFIG', 'SET', 'maxmemory', '0');
  const report = await look(config);
  expect(report.applies).toBe(true);
  expect(causes(report)).toMatch(/maxmemory-policy is allkeys-random: 1 key evicted/);
});

test('a worker without a right: the refusal is told, and the offered rule mends it', async () => {
  const build = defaultBuild();
  const { server, config, queue } = await serverWithQueue();
  const profile = findProfile('bullmq');
  if (profile === undefined) throw new Error('no profile');
  const rules = profileRules(profile, { engine: build.engine, version: build.version, docker: false });
  const secret = 'a-long-and-random-secret';
  await server.call(
    'ACL',
    'SETUSER',
    'worker',
    'on',
    `>${secret}`,
    ...rules,
    '-bzpopmin',
    '~other:*',
    '+hget',
  );
  await addJobs(queue, 3);
  startWorker(server, { login: `username:'worker',password:'${secret}'` });
  await until(async () => causes(await look(config)).includes('was refused bzpopmin'));
  await follow(server, config, /ACL SETUSER worker/);
  expect(String(await server.call('ACL', 'LIST'))).toMatch(/user worker [^,]*~other:\*/);
  await addJobs(queue, 3);
  await completed(queue, 6);
});
