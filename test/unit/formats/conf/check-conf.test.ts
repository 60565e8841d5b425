import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { checkConf, type CheckOptions } from '../../../../src/formats/conf/check-conf.ts';
import { parseConfDocument, printConf } from '../../../../src/formats/conf/document.ts';
import { parseEngine } from '../../../../src/formats/conf/engine.ts';
import { mendConf } from '../../../../src/formats/conf/mend-conf.ts';

function options(name: string): CheckOptions {
  const engine = parseEngine(name);
  if (engine === undefined) throw new Error(name);
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  return { engine, hash, memory: 8 * 2 ** 30 };
}

const faultsOf = (text: string, engine = 'redis-7.0'): string[] =>
  checkConf(parseConfDocument(text), options(engine)).map(
    ({ line, column, kind, right }) => `${line}:${column} ${kind}${right === undefined ? '' : ` → ${right}`}`,
  );
const mendedText = (text: string, engine = 'redis-7.0'): string =>
  Buffer.from(printConf(mendConf(parseConfDocument(text), options(engine)))).toString();

test.each([
  ['port 6379 # main', ['1:11 trailing-comment → port 6379']],
  ['maxmemory 80%  # room', ['1:11 value → maxmemory 6553mb', '1:16 trailing-comment → maxmemory 6553mb']],
  ['save 300 1  # snap', ['1:13 trailing-comment → save 300 1']],
  ['bind 127.0.0.1 ::1 # c', ['1:20 trailing-comment → bind 127.0.0.1 ::1']],
  ['requirepass secret # c', ['1:20 trailing-comment → requirepass …']],
  ['appendonly true', ['1:12 value → appendonly yes']],
  ['maxmemory 1.5gb', ['1:11 value → maxmemory 1536mb']],
  ['maxmemory 1 gb', ['1:13 arity → maxmemory 1gb']],
  ['maxmemory 1tb', ['1:11 value → maxmemory 1024gb']],
  ['maxmemory-policy noevict', ['1:18 value → maxmemory-policy noeviction']],
  ['maxclients 0', ['1:12 value']],
  ['tcp-nodelay yes', ['1:1 unknown']],
  ['prot 6379', ['1:1 unknown → port 6379']],
  ['set-max-listpack-entries 1', ['1:1 unknown']],
  ['activedefrag yes', ['1:14 value → activedefrag no']],
  ['rename-command NOPE ""', ['1:16 value']],
  ['appendfilename a/b.aof', ['1:16 value → appendfilename b.aof']],
  ['user a on +nope', ['1:11 rule']],
  ['aclfile /x\nuser a on', ['2:1 combination']],
  ['save 900 1 300', ['1:12 value']],
  ['unixsocketperm 999', ['1:16 value']],
  ['client-output-buffer-limit x 1 1 1', ['1:28 value']],
  ['replicaof  6379', ['1:1 arity']],
])('%j', (text, expected) => expect(faultsOf(text)).toEqual(expected));

test.each([
  'port 6379',
  '  PORT\t6379\r',
  'requirepass "#not a comment"',
  `user a on #${'a'.repeat(64)} ~* +@all`,
  'save ""',
  'save 3600 1 300 100',
  'maxmemory 1g',
  'MAXMEMORY-policy NOeviction',
  'bind * -::*',
  'notify-keyspace-events KEA',
  ' ',
  '# é',
  'logfile stdout',
  'slaveof no one',
  'include /etc/redis/*.conf',
  'client-output-buffer-limit normal 0 0 0 pubsub 32mb 8mb 60',
])('nothing is wrong with %j', (text) => expect(faultsOf(text)).toEqual([]));

test('a trap is no error: what an older server passes over without a word', () => {
  const [fault] = checkConf(parseConfDocument('save 3600 1 300 100'), options('redis-6.0'));
  expect(fault).toMatchObject({ weight: 'trap', kind: 'value' });
});

test('a line that was not probed between two that agree is known, else it is in doubt', () => {
  expect(faultsOf('maxmemory-clients 10%', 'redis-7.2')).toEqual([]);
  const [fault] = checkConf(parseConfDocument('hide-user-data-from-log yes'), options('redis-7.4'));
  expect(fault).toMatchObject({ kind: 'unprobed', weight: 'doubt' });
});

test('the mended file has right forms, comments of their own, and all else as it was', () => {
  const text = '\uFEFF# top\r\nport 1 # a\n\n  maxmemory 80%  # leave room\nnope 1\nlogfile "x\n# é\n';
  expect(mendedText(text)).toBe(
    '# top\r\n# a\nport 1\n\n  # leave room\nmaxmemory 6553mb\n' +
      '# left out by redis-agent: redis-7.0 does not know this directive\n# nope 1\n' +
      '# left out by redis-agent: a quote that is not closed, or has something right behind it\n# logfile "x\n# é\n',
  );
});

test('no message holds a secret', () => {
  const text = 'requirepass hunter2 # hunter2\nmasterauth hunter2 hunter2\nuser a on >hunter2 +nope\n';
  const faults = checkConf(parseConfDocument(text), options('redis-7.0'));
  expect(faults).toHaveLength(3);
  expect(JSON.stringify(faults.map(({ message, right }) => [message, right]))).not.toContain('hunter2');
});
