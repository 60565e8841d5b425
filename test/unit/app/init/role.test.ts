import { expect, test } from 'vitest';
import { guessRole, type UseFacts } from '../../../../src/app/init/role.ts';

const stock: UseFacts = { policy: 'noeviction', appendonly: 'no', keys: [] };

test.each<[string, Partial<UseFacts>, ReturnType<typeof guessRole>]>([
  ['nothing tells', {}, undefined],
  ['keys of an application', { keys: ['greeting', 'user:1', 'bull:x'] }, undefined],
  [
    'queues',
    { keys: ['bull:mail:meta', 'bull:mail:wait', '{bull}:video:id', 'x'], appendonly: 'yes' },
    { role: 'queue', why: 'it has queues of BullMQ: mail, video' },
  ],
  [
    'many queues',
    { keys: ['a', 'b', 'c', 'd'].map((name) => `bull:${name}:meta`) },
    { role: 'queue', why: 'it has queues of BullMQ: a, b, c, …' },
  ],
  [
    'a cache',
    { policy: 'allkeys-lru', keys: ['sess:1'] },
    { role: 'cache', why: 'maxmemory-policy allkeys-lru lets it drop any key' },
  ],
  [
    'sessions',
    { keys: ['sess:1', 'sess:2', 'x'] },
    { role: 'session', why: '2 of 3 keys that were looked at are sessions' },
  ],
  ['an AOF', { appendonly: 'yes' }, { role: 'durable', why: 'its append only file is on' }],
  ['nothing to be seen', { policy: undefined, appendonly: undefined }, undefined],
])('%s', (_, facts, role) => {
  expect(guessRole({ ...stock, ...facts })).toEqual(role);
});

test('a name that others wrote comes into no comment unless it is a plain word', () => {
  expect(guessRole({ ...stock, keys: ['bull:x\nrole: cache:meta', `bull:${'x'.repeat(41)}:meta`] })).toBe(
    undefined,
  );
});

test('a setting that a hostile server makes up comes into none either', () => {
  const policy = 'allkeys-lru\nstate: { path: /etc }\n#';
  expect(guessRole({ ...stock, policy })).toBe(undefined);
});
