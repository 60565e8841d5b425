import { expect, test } from 'vitest';
import { fingerprintOf, patternOf } from '../../../src/monitor/collect/parts/fingerprint.ts';

test.for<[args: string[], fingerprint: string, shape: string]>([
  [['SET', 'user:1042:name', 'Ada'], 'SET user:*:name', 'SET user:*:name <1 argument>'],
  [
    ['zadd', 'bull:mail:delayed', '1', 'x', '2', 'y'],
    'ZADD bull:mail:delayed',
    'ZADD bull:mail:delayed <4 arguments>',
  ],
  [
    ['EVALSHA', 'abc', '2', 'bull:mail:wait', 'b', 'secret'],
    'EVALSHA bull:mail:wait',
    'EVALSHA bull:mail:wait <4 arguments>',
  ],
  [['EVAL', 'return 1', '0', 'secret'], 'EVAL', 'EVAL <3 arguments>'],
  [
    ['XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 'events', '>'],
    'XREADGROUP events',
    'XREADGROUP events <5 arguments>',
  ],
  [['CONFIG', 'SET', 'requirepass', 'hunter2'], 'CONFIG SET', 'CONFIG SET <2 arguments>'],
  [['AUTH', 'hunter2'], 'AUTH', 'AUTH <1 argument>'],
  [['my.module', 'hunter2'], 'MY.MODULE', 'MY.MODULE <1 argument>'],
  [['KEYS', '*'], 'KEYS', 'KEYS <1 argument>'],
  [['DEL', 'a', '... (4000 more arguments)'], 'DEL a', 'DEL a <4000 arguments>'],
  [['\u001b[31m'], '?', '?'],
  [[], '?', '?'],
])('%j', ([args, fingerprint, shape]) => {
  expect(fingerprintOf(args)).toEqual({ fingerprint, shape });
});

test.for<[key: string, pattern: string]>([
  ['sess:6f1c7e2a-8d3b-4c7e-9a1f-0123456789ab', 'sess:*'],
  ['sess:QmFzZTY0IGlzIG5vdA9x', 'sess:*'],
  ['cart:ada@example.org', 'cart:*'],
  ['rl:10.0.0.7', 'rl:*'],
  ['page2', 'page*'],
  ['job-queue', 'job-queue'],
  ['deadbeef', 'deadbeef'],
  ['deadbeef01', '*'],
])('%s is %s', ([key, pattern]) => {
  expect(patternOf(key)).toBe(pattern);
});
