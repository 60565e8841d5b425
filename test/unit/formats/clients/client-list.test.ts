import { expect, test } from 'vitest';
import { parseClientList } from '../../../../src/formats/clients/client-list.ts';

// As Redis 7.0.15 printed them, the second while a connection was being reset.
const lines = [
  'id=3 addr=127.0.0.1:41502 laddr=127.0.0.1:6379 fd=8 name=worker age=12 idle=0 flags=b db=0 cmd=bzpopmin user=app resp=2',
  'id=4 addr=?:0 laddr=127.0.0.1:6379 fd=9 name= age=0 idle=0 flags=N db=0 cmd=ping user=default resp=2',
  'id=5 addr=/run/redis.sock:0 laddr=/run/redis.sock:0 fd=10 name= age=1 idle=0 flags=U db=0 cmd=NULL user=default resp=2',
];

test('who is connected; not whose connection was reset', () => {
  expect(parseClientList(`${lines.join('\n')}\n`)).toEqual([
    {
      id: 3,
      address: '127.0.0.1:41502',
      name: 'worker',
      user: 'app',
      age: 12,
      flags: 'b',
      command: 'bzpopmin',
    },
    { id: 5, address: '/run/redis.sock:0', name: '', user: 'default', age: 1, flags: 'U', command: 'NULL' },
  ]);
});

test('nothing of what is no list', () => {
  expect(parseClientList('ERR unknown\nid=x addr=1\n')).toEqual([]);
});
