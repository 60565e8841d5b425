import Bull from 'bull';
import { FlowProducer, Queue } from 'bullmq';
import { expect, onTestFinished, test } from 'vitest';
import type { QueueReading } from '../../../src/domain/queue.ts';
import { runAgent, writeConfig } from '../../support/agent/cli.ts';
import { startWorker } from '../../support/queues/start-worker.ts';
import { watchQueues } from '../../support/queues/watch-queues.ts';
import { edgeBuilds, startServer, type TestServer } from '../../support/servers/redis-server.ts';

const minute = 60_000;

function openQueue(server: TestServer, name: string, prefix = 'bull', db = 0): Queue {
  const queue = new Queue(name, { connection: { host: '127.0.0.1', port: server.port, db }, prefix });
  onTestFinished(async () => queue.close());
  return queue;
}

function openBull(server: TestServer, name: string): Bull.Queue {
  const queue = new Bull(name, { redis: { host: '127.0.0.1', port: server.port } });
  onTestFinished(async () => queue.close());
  return queue;
}

const byName = ([a]: readonly unknown[], [b]: readonly unknown[]): number => (String(a) < String(b) ? -1 : 1);

const shown = ({ label, ref, waiting, active, delayed, prioritized, paused }: QueueReading): unknown[] => [
  label,
  ref.kind,
  { waiting, active, delayed, prioritized, paused },
];

const many = (count: number, name = 'work'): { name: string; data: object }[] =>
  Array.from({ length: count }, () => ({ name, data: {} }));

/** BullMQ 6 needs scripts that 6.0 does not run. */
const able = edgeBuilds().filter(({ version }) => !version.startsWith('6.0.'));

test.for(able)('what is in queues of every kind is found and counted, on $name', async (build) => {
  const server = await startServer({ build });
  const mail = openQueue(server, 'mail');
  await mail.addBulk(many(3));
  await mail.add('work', {}, { delay: 3_600_000 });
  await mail.add('work', {}, { priority: 3 });
  await mail.upsertJobScheduler('hourly', { every: 3_600_000 }, { name: 'work' });
  const halted = openQueue(server, 'halted', '{bull}');
  await halted.addBulk(many(2));
  await halted.pause();
  await openQueue(server, 'elsewhere', 'bull', 4).add('work', {});
  const flows = new FlowProducer({ connection: { host: '127.0.0.1', port: server.port } });
  onTestFinished(async () => flows.close());
  await flows.add({ name: 'work', queueName: 'flow', children: [{ name: 'work', queueName: 'flow' }] });
  const sms = openBull(server, 'sms');
  await sms.addBulk([{ data: {} }, { data: {} }]);
  await sms.add({}, { delay: 3_600_000 });
  const silent = openBull(server, 'silent:night');
  await silent.add({});
  await silent.pause();
  await server.call('LPUSH', 'ai-queue', JSON.stringify({ type: 'generate', createdAt: Date.now() - 5000 }));
  await server.call('ZADD', 'ai-queue-priority', Date.now() - 5000, 'a', Date.now() + 3_600_000, 'b');
  await server.call('XADD', 'orders', '*', 'a', '1');
  await server.call('XGROUP', 'CREATE', 'orders', 'mailers', '0');
  // What is no queue.
  await server.call('SET', 'product:id', '5');
  await server.call('SET', 'user:1:meta', 'x');
  await server.call('RPUSH', 'recent', 'x');
  await server.call('XADD', 'lonely', '*', 'a', '1');

  const watch = watchQueues(server);
  await watch.poll();
  const { queues, found } = await watch.poll();
  const none = { waiting: 0, active: 0, delayed: 0, prioritized: 0, paused: false };
  expect(queues.map(shown).toSorted(byName)).toEqual([
    ['ai-queue', 'list', { ...none, waiting: 1 }],
    ['ai-queue-priority', 'zset', { ...none, waiting: 1, delayed: 1 }],
    ['bull:elsewhere (database 4)', 'bullmq', { ...none, waiting: 1 }],
    ['bull:flow', 'bullmq', { ...none, waiting: 1 }],
    [
      'bull:mail',
      'bullmq',
      { ...none, waiting: expect.any(Number), delayed: expect.any(Number), prioritized: 1 },
    ],
    ['bull:silent:night', 'bull', { ...none, waiting: 1, paused: true }],
    ['bull:sms', 'bull', { ...none, waiting: 2, delayed: 1 }],
    ['orders/mailers', 'stream', { ...none, waiting: 1 }],
    ['{bull}:halted', 'bullmq', { ...none, waiting: 2, paused: true }],
  ]);
  const own = (label: string): QueueReading | undefined => queues.find((queue) => queue.label === label);
  expect([own('bull:mail')?.waiting, own('bull:mail')?.delayed].map(Number).reduce((a, b) => a + b)).toBe(5);
  expect(own('bull:flow')?.children).toBe(1);
  expect([own('ai-queue')?.oldestName, own('bull:mail')?.oldestName]).toEqual(['generate', 'work']);
  expect(found).toEqual(
    expect.arrayContaining(['queue-unattended bull:mail critical', 'queue-unattended bull:sms critical']),
  );
  expect(found.join()).not.toMatch(/halted|silent/);
});

test('Bull: jobs are done and counted, and a stopped worker is stuck, a paused queue is not', async () => {
  const server = await startServer();
  const queue = openBull(server, 'sms');
  const worker = await startWorker(server, { library: 'bull', queue: 'sms', jobMs: 50 });
  const watch = watchQueues(server);
  await watch.poll();
  await queue.addBulk([...many(12), ...many(4, 'fail')].map(({ name, data }) => ({ name, data })));
  await expect.poll(async () => (await queue.getCompletedCount()) + (await queue.getFailedCount())).toBe(16);
  watch.forward(11_000);
  await watch.poll();
  await queue.addBulk(many(30));
  await expect.poll(() => queue.getActiveCount()).toBe(1);
  worker.signal('SIGSTOP');
  await expect.poll(async () => server.call('KEYS', 'bull:sms:*:lock')).toEqual([]);
  watch.forward(minute);
  await watch.poll();
  watch.forward(6 * minute);
  const { found, queues } = await watch.poll();
  expect(found).toContain('queue-stuck bull:sms critical');
  expect(queues[0]).toMatchObject({ workers: 1, held: 0, abandoned: 1, failed: 4 });
  await queue.pause();
  expect((await watch.poll()).found).not.toContain('queue-stuck bull:sms critical');
});

test('a worker is killed: its jobs are counted as stalled, and another one takes them', async () => {
  const server = await startServer();
  const queue = openQueue(server, 'mail');
  const first = await startWorker(server, {
    library: 'bullmq',
    queue: 'mail',
    jobMs: 60_000,
    concurrency: 3,
  });
  await queue.addBulk(many(3));
  const watch = watchQueues(server);
  await expect.poll(() => queue.getActiveCount()).toBe(3);
  await watch.poll();
  await watch.poll();
  await first.kill();
  await expect.poll(async () => server.call('KEYS', 'bull:mail:*:lock')).toEqual([]);
  watch.forward(minute);
  const lost = await watch.poll();
  expect(lost.queues[0]).toMatchObject({ active: 3, due: 3, abandoned: 3, stalledTotal: 3, workers: 0 });
  expect(lost.found).toEqual(['queue-unattended bull:mail critical', 'queue-stalled bull:mail warning']);
  await startWorker(server, { library: 'bullmq', queue: 'mail', jobMs: 10, concurrency: 3 });
  await expect.poll(() => queue.getCompletedCount()).toBe(3);
  watch.forward(minute);
  const { queues, found } = await watch.poll();
  expect(queues[0]).toMatchObject({ due: 0, workers: 1, completedTotal: 3 });
  expect(found).toEqual(['queue-stalled bull:mail warning']);
});

test('a list with a worker, then without; a stream whose consumer hangs', async () => {
  const server = await startServer();
  await server.call('XADD', 'orders', '*', 'a', '1');
  await server.call('XGROUP', 'CREATE', 'orders', 'mailers', '0');
  await server.call('XREADGROUP', 'GROUP', 'mailers', 'one', 'STREAMS', 'orders', '>');
  const watch = watchQueues(server, [
    { list: 'ai-queue', processing: 'worker:processing', completed: 'jobs:completed:today' },
  ]);
  let made = 0;
  const push = async (): Promise<void> => {
    await server.call(
      'LPUSH',
      'ai-queue',
      JSON.stringify({ id: made++, type: 'generate', data: { prompt: 'p' } }),
    );
  };
  await push();
  await push();
  await server.call('SET', 'worker:processing', 1);
  await server.call('SET', 'jobs:completed:today', 40);
  const own = (queues: readonly QueueReading[], label: string): QueueReading | undefined =>
    queues.find((queue) => queue.label === label);
  for (let turn = 0; turn < 40; turn++) {
    await push();
    await server.call('RPOP', 'ai-queue');
    await server.call('INCR', 'jobs:completed:today');
    watch.forward(15_000);
    const { found } = await watch.poll();
    expect(found.filter((text) => text.includes('ai-queue'))).toEqual([]);
  }
  const { queues } = await watch.poll();
  expect(own(queues, 'ai-queue')).toMatchObject({ waiting: 2, active: 1, completedTotal: 39 });
  for (let turn = 0; turn < 26; turn++) {
    await push();
    watch.forward(15_000);
    await watch.poll();
  }
  const { found, summaries } = await watch.poll();
  expect(found).toContain('queue-stuck ai-queue critical');
  expect(summaries.join('\n')).toMatch(/ai-queue: 28 due, 0 finished in \dm/);
  // The server's own clock says how long a delivered entry lies there: it did not move with ours.
  expect(own(queues, 'orders/mailers')).toMatchObject({ active: 1, waiting: 0, workers: 1 });
});

test('names that break terminals and globs are read as they are', async () => {
  const server = await startServer();
  const names = ['ev\u001B[31mil', 'a*?[b]', 'тест 😀', 'quo"te\'s', 'line\nbreak', '$(rm -rf)'];
  for (const name of names) await openQueue(server, name).add('work', {});
  const watch = watchQueues(server);
  await watch.poll();
  const { queues } = await watch.poll();
  expect(queues.map(({ ref, waiting }) => [ref.name, waiting] as const).toSorted(byName)).toEqual(
    names.map((name) => [name, 1] as const).toSorted(byName),
  );
});

test('the keys of a queue are refused: said once an hour, and the others are watched', async () => {
  const server = await startServer();
  await openQueue(server, 'mail').add('work', {});
  await openQueue(server, 'mail', 'tp024-prod').add('work', {});
  await server.call('ACL', 'SETUSER', 'default', 'resetkeys', '~bull:*');
  const watch = watchQueues(server, [{ name: 'mail', prefix: 'tp024-prod' }]);
  for (let poll = 0; poll < 4; poll++) await watch.poll();
  const { queues, sample } = await watch.poll();
  expect(queues.map(({ label }) => label)).toEqual(['bull:mail']);
  expect(sample.blind).toEqual([
    {
      collector: 'queue tp024-prod:mail',
      reason: 'keys',
      message: expect.stringContaining('%R~tp024-prod:*'),
    },
  ]);
});

test('a key that is no such queue is said to be that, and is no queue that is empty', async () => {
  const server = await startServer();
  await server.call('ZADD', 'ai-queue', 1, 'job');
  await server.call('HSET', 'bull:odd:meta', 'opts.maxLenEvents', 10_000);
  await server.call('SET', 'bull:odd:wait', 'job');
  const queues = [{ list: 'ai-queue' }];
  const watch = watchQueues(server, queues);
  await watch.poll();
  const { sample } = await watch.poll();
  const told = [
    ['ai-queue', expect.stringMatching(/^its key is no list/)],
    ['bull:odd', expect.stringMatching(/^one of its keys is of another type/)],
  ];
  expect(sample.blind).toEqual(
    told.map(([label, message]) => ({ collector: `queue ${label}`, reason: 'type', message })),
  );
  expect(sample.queues).toEqual([]);

  const config = writeConfig({
    instances: [{ name: 'main', url: server.url }],
    settings: { monitor: { queues } },
  });
  const { json } = await runAgent(['queues', '--json'], { config });
  expect(json).toMatchObject([{ queues: [], not_readable: ['ai-queue', 'bull:odd'] }]);
  expect((await runAgent(['queues'], { config })).stdout).toContain('ai-queue: its key is no list');
});

test('more queues than are watched are said to be that', async () => {
  const server = await startServer();
  await server.connection.pipeline(
    Array.from({ length: 503 }, (_, at) => ['HSET', `bull:t${at}:meta`, 'opts.maxLenEvents', 10_000]),
  );
  const config = writeConfig({ instances: [{ name: 'main', url: server.url }] });
  const { json } = await runAgent(['queues', '--json'], { config });
  expect(json).toMatchObject([{ not_watched: 3 }]);
  expect(json[0].queues).toHaveLength(500);
  expect((await runAgent(['queues'], { config })).stdout).toContain('3 more queues are not watched');
});

test('where most is due stands first, and what has nothing to do by its name', async () => {
  const server = await startServer();
  for (const [name, length] of [
    ['t10', 0],
    ['busy', 3],
    ['t9', 0],
    ['late', 8],
  ] as const) {
    await server.call('HSET', `bull:${name}:meta`, 'opts.maxLenEvents', 10_000);
    for (let at = 0; at < length; at += 1) await server.call('LPUSH', `bull:${name}:wait`, at);
  }
  const config = writeConfig({ instances: [{ name: 'main', url: server.url }] });
  const { json } = await runAgent(['queues', '--json'], { config });
  expect(json[0].queues.map(({ queue }: { queue: string }) => queue)).toEqual([
    'bull:late',
    'bull:busy',
    'bull:t9',
    'bull:t10',
  ]);
});

test('sessions without an end or with too late a one, and counters that block', async () => {
  const server = await startServer();
  for (let at = 0; at < 300; at++) await server.call('SET', `sess:${at}`, 'x', 'EX', 3600);
  const watch = watchQueues(server, [], {
    sessions: { match: 'sess:*', ttl: 3_600_000 },
    limits: { match: 'rl:*', limit: 100 },
  });
  const fine = await watch.poll();
  expect(fine.found).toEqual([]);
  await server.call('SET', 'sess:for-ever-7f3a9b21c4', 'x');
  await server.call('SET', 'sess:late', 'x', 'PX', 3_600_000_000);
  await server.call('SET', 'rl:user:1', 100, 'EX', 60);
  await server.call('SET', 'rl:user:2', 3, 'EX', 60);
  watch.forward(11 * minute);
  await watch.poll();
  watch.forward(minute);
  const { found, summaries, sample } = await watch.poll();
  expect(sample.patterns?.map(({ name, keys, blocked }) => [name, keys, blocked])).toEqual([
    ['sessions', 302, null],
    ['limits', 2, 1],
  ]);
  expect(found).toEqual(['keys-never-expire sessions warning', 'keys-expire-late sessions warning']);
  expect(summaries[0]).toMatch(/^sessions: 1 of 302 keys never expire, such as sess:/);
  expect(summaries.join()).not.toContain('7f3a9b21c4');
});

test('a million jobs that are worked off within a minute are nothing to tell, in a list and in BullMQ', async () => {
  const server = await startServer();
  const queue = openQueue(server, 'bulk');
  await queue.add('work', {});
  const push = "for i = 1, 10000 do redis.call('LPUSH', KEYS[1], ARGV[1] + i) end";
  for (const key of ['ai-queue', 'bull:bulk:wait'])
    for (let part = 0; part < 100; part++) await server.call('EVAL', push, 1, key, part * 10_000);
  await server.call('SET', 'bull:bulk:id', 1_000_001);
  const watch = watchQueues(server, [{ list: 'ai-queue' }]);
  const told: string[] = [];
  await watch.poll();
  for (let turn = 9; turn >= 0; turn--) {
    await server.call('LTRIM', 'ai-queue', 0, Math.max(0, turn * 100_000 - 1));
    await server.call('LTRIM', 'bull:bulk:wait', 0, Math.max(0, turn * 100_000 - 1));
    if (turn === 0) await server.call('DEL', 'ai-queue', 'bull:bulk:wait');
    watch.forward(6000);
    told.push(...(await watch.poll()).found);
  }
  const { queues } = await watch.poll();
  // No worker calls itself one here; that nothing is stuck or late is the point.
  expect(told.filter((text) => !text.startsWith('queue-unattended'))).toEqual([]);
  expect(queues.map(({ label, due }) => [label, due])).toEqual([
    ['ai-queue', 0],
    ['bull:bulk', 0],
  ]);
  expect(queues.find(({ label }) => label === 'bull:bulk')?.completedTotal).toBeGreaterThan(899_000);
});
