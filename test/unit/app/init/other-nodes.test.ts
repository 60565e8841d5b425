import { expect, test } from 'vitest';
import { otherNodes } from '../../../../src/app/init/other-nodes.ts';
import { parseInfo } from '../../../../src/formats/info/parse-info.ts';

const master = parseInfo(
  [
    'role:master',
    'slave0:ip=10.0.0.2,port=6379,state=online,offset=1,lag=0',
    'slave1:ip=127.0.0.1,port=6380,state=online,offset=1,lag=0',
    'slave2:ip=::1,port=6381,state=online,offset=1,lag=0',
  ].join('\r\n'),
);

test.for<[what: string, urls: string[], expected: string[]]>([
  ['none is an instance', [], ['10.0.0.2:6379', '127.0.0.1:6380', '::1:6381']],
  ['by address and by name', ['redis://10.0.0.2', 'rediss://localhost:6380'], ['::1:6381']],
  ['with brackets', ['redis://[::1]:6381', 'redis://10.0.0.2:6379/0'], ['127.0.0.1:6380']],
  [
    'a socket is nobody’s address',
    ['unix:///run/redis.sock'],
    ['10.0.0.2:6379', '127.0.0.1:6380', '::1:6381'],
  ],
])('replicas: %s', ([, urls, expected]) => {
  expect(otherNodes(master, urls)).toEqual(expected);
});

test('of a replica it is the master; of a server by itself, or one that says nothing, nobody', () => {
  const replica = parseInfo('role:slave\r\nmaster_host:10.0.0.1\r\nmaster_port:6379\r\n');
  expect(otherNodes(replica, ['redis://10.0.0.2'])).toEqual(['10.0.0.1:6379']);
  expect(otherNodes(replica, ['redis://10.0.0.1'])).toEqual([]);
  expect(otherNodes(parseInfo('role:master\r\n'), [])).toEqual([]);
  expect(otherNodes(undefined, [])).toEqual([]);
});

test('what is no address is none, whatever a server says', () => {
  const lines = ['\u001b[31mx', 'a b', '', '$(id)', 'x'.repeat(300)].map(
    (host, index) => `slave${index}:ip=${host},port=6379`,
  );
  expect(otherNodes(parseInfo(lines.join('\r\n')), [])).toEqual([]);
  expect(otherNodes(parseInfo('slave0:ip=10.0.0.2,port=99999999'), [])).toEqual([]);
});
