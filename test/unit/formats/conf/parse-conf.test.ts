import { expect, test } from 'vitest';
import { parseConf, parseServerArguments } from '../../../../src/formats/conf/parse-conf.ts';

test('directives in their order, names in lower case, words as the server splits them', () => {
  const text = `# a comment
  port 7000\r
DIR "/var/lib/my data"
save 900 1
save ''
include /etc/redis/*.conf
requirepass "a\\"b\\x41"
broken "not closed
`;
  expect(parseConf(text)).toEqual([
    { name: 'port', values: ['7000'] },
    { name: 'dir', values: ['/var/lib/my data'] },
    { name: 'save', values: ['900', '1'] },
    { name: 'save', values: [''] },
    { name: 'include', values: ['/etc/redis/*.conf'] },
    { name: 'requirepass', values: ['a"bA'] },
  ]);
});

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
