import { expect, test } from 'vitest';
import { parseServerArguments } from '../../../../src/formats/conf/server-arguments.ts';

test.each([
  ['', undefined, []],
  ['/etc/redis.conf', '/etc/redis.conf', []],
  [
    '/etc/redis.conf --supervised systemd --daemonize no',
    '/etc/redis.conf',
    ['supervised systemd', 'daemonize no'],
  ],
  ['--Port 7000 --save 900 1 --appendonly yes', undefined, ['port 7000', 'save 900 1', 'appendonly yes']],
  ['/etc/redis.conf - --port 0', '/etc/redis.conf', ['port 0']],
])('the command line %j', (line, file, directives) => {
  expect(parseServerArguments(line.split(' ').filter(Boolean))).toEqual({
    file,
    directives: directives.map((text) => {
      const [name, ...values] = text.split(' ');
      return { name, values };
    }),
  });
});
