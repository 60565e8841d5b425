import { describe, expect, test } from 'vitest';
import { queueLabel, queueRows, type QueueRef } from '../../../src/domain/queue.ts';
import type { QueueSettings } from '../../../src/domain/settings/queues.ts';
import { thresholdsOf, type ThresholdOverrides } from '../../../src/domain/settings/monitor.ts';
import type { Sample } from '../../../src/domain/sample.ts';
import type { Severity } from '../../../src/domain/finding.ts';
import { chooseQueues } from '../../../src/monitor/collect/queues/choose.ts';
import { jobFacts } from '../../../src/monitor/collect/queues/job-facts.ts';
import type { QueueMemory } from '../../../src/monitor/collect/parts/collector.ts';
import type { RawQueue } from '../../../src/monitor/collect/parts/raw-queue.ts';
import { nothing } from '../../../src/monitor/collect/queues/raw.ts';
import { nothingSeen, settle, type JobsSeen } from '../../../src/monitor/collect/queues/settle.ts';
import { countWorkers, workersIn } from '../../../src/monitor/collect/queues/workers.ts';
import { firstFrame, maskReason } from '../../../src/monitor/mask-reason.ts';
import { judgeSample } from '../../../src/monitor/evaluate/judge-sample.ts';
import { healthy } from '../../support/monitor/samples.ts';

const start = Date.parse('2026-11-21T12:00:00Z');
const minute = 60_000;
const poll = 15_000;
const mail: QueueRef = { kind: 'bullmq', db: 0, prefix: 'bull', name: 'mail', group: '', guessed: false };

/** What a poll reads at a moment: the queue, and the jobs that come next or are worked on. */
interface Turn extends Partial<RawQueue> {
  jobs?: Partial<JobsSeen>;
  workers?: number | null;
}

interface Story {
  turns: number;
  at: (index: number) => Turn;
  ref?: QueueRef;
  settings?: QueueSettings;
  thresholds?: ThresholdOverrides;
}

/** Plays polls one after the other, as the daemon does. All that was found, and what is found at the end. */
function play({ turns, at, ref = mail, settings, thresholds }: Story): {
  ever: string[];
  now: string[];
  last: string | undefined;
} {
  let memory: QueueMemory | undefined;
  const samples: Sample[] = [];
  const ever = new Set<string>();
  let was = new Map<string, Severity>();
  let now: string[] = [];
  let last: string | undefined;
  for (let index = 0; index < turns; index++) {
    const time = start + index * poll;
    const { jobs, workers = 1, ...raw } = at(index);
    const settled = settle(
      { ...ref, settings },
      { ...nothing, ...raw },
      { ...nothingSeen, ...jobs },
      { memory, now: time, workers },
    );
    memory = settled.memory;
    samples.push({
      at: time,
      elapsed: index * poll,
      up: 'up',
      runId: 'a',
      values: healthy,
      texts: { role: 'master' },
      blind: [],
      queues: [settled.reading],
    });
    const { findings } = judgeSample({
      instance: 'main',
      role: 'queue',
      thresholds: thresholdsOf({ role: 'queue', thresholds }),
      slowCommand: 10,
      samples: samples.slice(-81),
      was: (rule) => was.get(rule),
    });
    const own = findings.filter(({ rule }) => rule.startsWith('queue-'));
    was = new Map(own.map(({ rule, severity }) => [rule, severity]));
    now = own.map(({ rule, severity }) => `${rule} ${severity}`);
    last = own[0]?.summary;
    for (const each of now) ever.add(each);
  }
  return { ever: [...ever], now, last };
}

const job = (id: string, due: number): JobsSeen['next'][number] => ({ id, name: 'send', due });

describe('rules', () => {
  test.for<[what: string, story: Story, ever: string[], now: string[]]>([
    ['an empty queue', { turns: 80, at: () => ({ workers: 0 }) }, [], []],
    [
      'five jobs, no worker, age rising',
      {
        turns: 180,
        at: () => ({ waiting: 5, signature: '1', workers: 0, jobs: { next: [job('1', start)] } }),
      },
      [
        'queue-unattended critical',
        'queue-stuck critical',
        'queue-age warning',
        'queue-age high',
        'queue-age critical',
      ],
      ['queue-stuck critical', 'queue-unattended critical', 'queue-age critical'],
    ],
    [
      'the same, paused',
      {
        turns: 180,
        at: () => ({
          waiting: 5,
          paused: true,
          signature: '1',
          workers: 0,
          jobs: { next: [job('1', start)] },
        }),
      },
      [],
      [],
    ],
    [
      'a bulk of the night, a million jobs in two hours',
      {
        turns: 480,
        at: (index) => {
          const done = Math.min(1_000_000, index * 2084);
          const waiting = 1_000_000 - done;
          return {
            waiting,
            active: waiting > 0 ? 4 : 0,
            signature: String(done),
            added: 1_000_000,
            completed: Math.min(done, 1000),
            newCompleted: index === 0 ? 0 : Math.min(1000, 2084),
            lastCompleted: start + index * poll,
            jobs:
              waiting > 0
                ? { next: [job(String(done), start)], active: [{ id: 'a', held: true, since: start }] }
                : {},
          };
        },
      },
      [],
      [],
    ],
    [
      'more come than can be done',
      {
        turns: 200,
        at: (index) => ({
          waiting: 1000 + index * 10,
          signature: String(index),
          completed: 50,
          newCompleted: index === 0 ? 0 : 5,
          lastCompleted: start + index * poll,
          jobs: { next: [job(String(index), start + index * 1000)] },
        }),
      },
      ['queue-age warning', 'queue-age high', 'queue-age critical'],
      ['queue-age critical'],
    ],
    [
      'a long job that its worker holds',
      {
        turns: 50,
        at: () => ({
          waiting: 3,
          active: 1,
          signature: '1',
          jobs: { next: [job('2', start)], active: [{ id: '1', held: true, since: start }] },
        }),
      },
      ['queue-age warning'],
      ['queue-age warning'],
    ],
    [
      'one that hangs for longer than any',
      {
        turns: 70,
        at: () => ({
          waiting: 3,
          active: 1,
          signature: '1',
          jobs: { next: [job('2', start)], active: [{ id: '1', held: true, since: start }] },
        }),
        thresholds: { queue_age: { warning: null, high: null, critical: null } },
      },
      ['queue-stuck high'],
      ['queue-stuck high'],
    ],
    [
      'jobs that take an hour, as is configured',
      {
        turns: 100,
        at: () => ({ waiting: 3, signature: '1', jobs: { next: [job('2', start)] } }),
        settings: { name: 'mail', stuck: 60 * minute, age: 120 * minute },
      },
      [],
      [],
    ],
    [
      'resumed after a night',
      {
        turns: 300,
        at: (index) => ({
          waiting: 5,
          paused: index < 290,
          signature: '1',
          jobs: { next: [job('1', start)] },
        }),
      },
      [],
      [],
    ],
    [
      'a rate limit of its own holds them back',
      {
        turns: 100,
        at: () => ({ waiting: 5, limited: true, signature: '1', jobs: { next: [job('1', start)] } }),
        settings: { name: 'mail', age: 600 * minute },
      },
      [],
      [],
    ],
    [
      'delayed jobs that nobody promotes',
      {
        turns: 20,
        at: () => ({ delayed: 9, overdue: 2, overdueSince: start - 2 * minute, workers: 1 }),
        settings: { name: 'mail', stuck: 600 * minute, age: 600 * minute },
      },
      ['queue-overdue warning'],
      ['queue-overdue warning'],
    ],
    [
      'one in three fails',
      {
        turns: 30,
        at: (index) => ({
          signature: String(index),
          completed: 100,
          failed: 30,
          newCompleted: 2,
          newFailed: 1,
          lastCompleted: start + index * poll,
        }),
      },
      ['queue-failures warning'],
      ['queue-failures warning'],
    ],
    [
      'one of nine fails',
      {
        turns: 3,
        at: () => ({ completed: 8, failed: 1, newCompleted: 2, newFailed: 2, signature: '1' }),
      },
      [],
      [],
    ],
    [
      'workers are lost again and again',
      {
        turns: 20,
        at: (index) => ({
          active: 1,
          signature: String(index),
          newCompleted: 1,
          completed: 9,
          lastCompleted: start + index * poll,
          jobs: { active: [{ id: String(Math.floor(index / 4)), held: index % 4 !== 3, since: start }] },
        }),
      },
      ['queue-stalled warning'],
      ['queue-stalled warning'],
    ],
    [
      'a depth that was asked for, in steps',
      {
        turns: 50,
        at: (index) => ({ waiting: index * 10, signature: '1', lastCompleted: start + index * poll }),
        settings: { name: 'mail', depth: 100, age: 600 * minute },
      },
      ['queue-depth warning', 'queue-depth high', 'queue-depth critical'],
      ['queue-depth critical'],
    ],
    [
      'the same depth while it is worked off',
      {
        turns: 30,
        at: (index) => ({
          waiting: 5000 - index * 100,
          signature: String(index),
          completed: 200,
          newCompleted: index === 0 ? 0 : 100,
          lastCompleted: start + index * poll,
        }),
        settings: { name: 'mail', depth: 100 },
      },
      ['queue-depth critical', 'queue-depth warning'],
      ['queue-depth warning'],
    ],
    [
      'ended jobs that stay for longer than planned',
      {
        turns: 2,
        at: () => ({
          completed: 2000,
          oldestCompleted: start - 48 * 60 * minute,
          oldestFailed: start - minute,
        }),
        settings: {
          name: 'mail',
          keep: { completed: 24 * 60 * minute, failed: 7 * 24 * 60 * minute, last: 1000 },
        },
      },
      ['queue-retention warning'],
      ['queue-retention warning'],
    ],
    [
      'a list that only is called a queue',
      {
        turns: 100,
        ref: { ...mail, kind: 'list', prefix: '', name: 'job-titles', guessed: true },
        at: () => ({ waiting: 7, signature: 'a|b', moved: false, workers: null }),
      },
      [],
      [],
    ],
    [
      'a list that is one, and stands',
      {
        turns: 100,
        ref: { ...mail, kind: 'list', prefix: '', name: 'ai-queue' },
        at: () => ({ waiting: 7, signature: 'a|b', moved: false, workers: null }),
      },
      ['queue-stuck critical'],
      ['queue-stuck critical'],
    ],
  ])('%s', ([, story, ever, now]) => {
    const played = play(story);
    expect(played.ever.toSorted()).toEqual(ever.toSorted());
    expect(played.now).toEqual(now);
  });

  test('A19: ten due, six minutes, one worker connected', () => {
    const story = play({
      turns: 25,
      at: () => ({
        waiting: 9,
        active: 1,
        signature: '1',
        jobs: { next: [job('2', start)], active: [{ id: '1', held: false, since: start }] },
      }),
    });
    expect(story.now).toEqual(['queue-stuck critical']);
    expect(story.last).toBe('bull:mail: 10 due, 0 finished in 6m 00s, 1 worker connected');
  });
});

describe('what is counted', () => {
  const after = (first: Turn, second: Turn): { completed: number; failed: number } => {
    const options = { now: start, workers: null };
    const one = settle(mail, { ...nothing, ...first }, nothingSeen, { ...options, memory: undefined });
    const { reading } = settle(mail, { ...nothing, ...second }, nothingSeen, {
      ...options,
      memory: one.memory,
      now: start + poll,
    });
    return { completed: reading.completedTotal, failed: reading.failedTotal };
  };

  test.for<[what: string, first: Turn, second: Turn, expected: { completed: number; failed: number }]>([
    [
      'jobs that are kept',
      { completed: 10, added: 50 },
      { completed: 15, newCompleted: 5, added: 55, signature: 'x' },
      { completed: 5, failed: 0 },
    ],
    [
      'jobs that are removed at once',
      { waiting: 10, added: 50, signature: 'a' },
      { waiting: 4, added: 52, signature: 'b' },
      { completed: 8, failed: 0 },
    ],
    [
      'the last ten are kept of many',
      { waiting: 100, completed: 10, added: 100, signature: 'a' },
      { waiting: 20, completed: 10, newCompleted: 10, added: 100, signature: 'b' },
      { completed: 80, failed: 0 },
    ],
    [
      'a job that was there already is added again',
      { waiting: 1, added: 50, signature: 'a' },
      { waiting: 1, added: 60, signature: 'a' },
      { completed: 0, failed: 0 },
    ],
    [
      'failed ones are tried again by hand',
      { failed: 5, added: 50, signature: 'a' },
      { waiting: 5, added: 50, signature: 'b' },
      { completed: 0, failed: 0 },
    ],
    [
      'all was flushed',
      { waiting: 500, completed: 10, added: 5000, signature: 'a' },
      { added: 3, signature: 'b' },
      { completed: 0, failed: 0 },
    ],
  ])('%s', ([, first, second, expected]) => {
    expect(after(first, second)).toEqual(expected);
  });
});

test('a job that was long delayed is not late when it is promoted', () => {
  const empty = settle(mail, nothing, nothingSeen, { memory: undefined, now: start, workers: 1 });
  const seen = { next: [job('9', start - 24 * 60 * minute)], active: [] };
  const { reading } = settle(mail, { ...nothing, waiting: 1 }, seen, {
    memory: empty.memory,
    now: start + poll,
    workers: 1,
  });
  expect(reading.dueSince).toBe(start);
});

test('workers are told by their names, and who only listens is none', () => {
  const line = (name: string, command = 'brpoplpush'): string =>
    `id=1 addr=10.0.0.7:5000 name=${name} idle=5 flags=b cmd=${command}`;
  const list = [
    line(`bull:${btoa('mail')}`),
    line(`bull:${btoa('mail')}:w:first`, 'client|setname'),
    // Bull 3 calls those that add jobs, and those that listen, the same.
    line(`bull:${btoa('mail')}`, 'evalsha'),
    line(`bull:${btoa('mail')}`, 'psubscribe'),
    line(`bull:${btoa('mail')}:qe`),
    line(`{bull}:${btoa('sms')}`),
    line('redis-agent'),
    'garbage',
  ].join('\n');
  expect(countWorkers(workersIn(list))).toEqual(
    new Map([
      [`bull:${btoa('mail')}`, { named: 4, taking: 2 }],
      [`{bull}:${btoa('sms')}`, { named: 1, taking: 1 }],
    ]),
  );
});

test.for<[text: string, expected: { at: number | null; name: string | null }]>([
  [
    '{"type":"generate","createdAt":1700000000000,"data":{"prompt":"x"}}',
    { at: 1_700_000_000_000, name: 'generate' },
  ],
  ['{"class":"HardWorker","enqueued_at":1700000000.5}', { at: 1_700_000_000_500, name: 'HardWorker' }],
  ['{"name":"kim@example.org","created_at":"2026-11-21T12:00:00Z"}', { at: start, name: null }],
  ['{"type":"a b","timestamp":12}', { at: null, name: null }],
  ['[1]', { at: null, name: null }],
  ['{broken', { at: null, name: null }],
  ['4711', { at: null, name: null }],
])('of %s only when and what', ([text, expected]) => {
  expect(jobFacts(text)).toEqual(expected);
});

test.for<[text: string, masked: string]>([
  ['connect ECONNREFUSED 10.0.0.7:5432', 'connect ECONNREFUSED *'],
  ['user kim.doe@example.org not found', 'user * not found'],
  ['Request to https://api.example.org/v1?token=abc failed with 503', 'Request to https://* failed with *'],
  ["duplicate key 'kim@example.org'", "duplicate key '*'"],
  ['bad password: hunter2', 'bad password: *'],
  ['Authorization: Bearer eyJhbGciOiJIUzI1NiJ9', 'Authorization: *'],
  ['order 64f1c2aa9b3e and 550e8400-e29b-41d4-a716-446655440000', 'order * and *'],
  ['a=1&b=secret', 'a=*&b=*'],
  ['timeout after 5000 ms\n    at send', 'timeout after * ms'],
  ['', 'no reason given'],
])('%s is masked', ([text, masked]) => {
  expect(maskReason(text)).toBe(masked);
});

test('of a stack the place where it was thrown', () => {
  const stack = JSON.stringify([
    'Error: a\n    at old (/a.js:1:1)',
    'Error: b\n    at send (/app/mail.js:12:5)\n    at run (/b.js:2:2)',
  ]);
  expect(firstFrame(stack)).toBe('at send (/app/mail.js:12:5)');
  expect(firstFrame('nothing')).toBeNull();
});

test('what is configured goes before what is found, and what is ignored is left out', () => {
  const found: QueueRef[] = [
    { ...mail, kind: 'bull' },
    { ...mail, name: 'sms' },
    { ...mail, kind: 'list', prefix: '', name: 'job-titles', guessed: true },
  ];
  const chosen = chooseQueues(
    'main',
    [
      { name: 'mail', depth: 5 },
      { list: 'job-titles', ignore: true },
      { list: 'ai-queue', db: 2 },
      { name: 'other', instance: 'else' },
    ],
    found,
    10,
  );
  expect(chosen.map((ref) => [queueLabel(ref), ref.kind, ref.settings?.depth])).toEqual([
    ['bull:mail', 'bull', 5],
    ['ai-queue (database 2)', 'list', undefined],
    ['bull:sms', 'bullmq', undefined],
  ]);
});

test('of hundreds of queues those that are named and then the first by name have rows, and the rest is one', () => {
  const readings = Array.from({ length: 300 }, (_, at) => {
    const ref = { ...mail, name: `t${at + 100}`, ...(at === 299 && { settings: { name: 't399' } }) };
    const raw = { ...nothing, waiting: 1 };
    return settle(ref, raw, nothingSeen, { memory: undefined, now: start, workers: 0 }).reading;
  });
  const rows = queueRows(readings, start);
  // A search finds them in no order, and each one in another.
  expect(queueRows(readings.toReversed(), start)).toEqual(rows);
  expect(rows.map(({ label }) => label)).toEqual([
    'bull:t399',
    ...Array.from({ length: 99 }, (_, at) => `bull:t${at + 100}`),
    'other',
  ]);
  expect(rows.at(-1)?.values['queue_waiting']).toBe(200);
  expect(queueRows(readings.slice(0, 3), start)).toHaveLength(3);
});
