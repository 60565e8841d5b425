import { expect, test } from 'vitest';
import { AofScanner } from '../../../../src/formats/aof/aof-scanner.ts';
import { CommandCheck } from '../../../../src/formats/aof/command-check.ts';
import type { EngineVersion } from '../../../../src/formats/conf/engine.ts';

const redis7: EngineVersion = { engine: 'redis', version: '7.0.15', docker: false };

function check(...commands: string[][]): CommandCheck {
  const found = new CommandCheck();
  const scanner = new AofScanner({ preamble: false, onCommand: (command) => found.note('x.aof', command) });
  for (const words of commands)
    scanner.update(
      Buffer.from(
        `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`,
      ),
    );
  return found;
}

test('what a server of that version does not know, or takes with other arguments', () => {
  const found = check(
    ['SELECT', '0'],
    ['set', 'key', 'value', 'KEEPTTL'],
    ['SET', 'key'],
    ['HPEXPIREAT', 'key', '1', 'FIELDS', '1', 'a'],
    ['JSON.SET', 'doc', '$', '{}'],
    ['x'.repeat(65)],
    ['SELECT', '0', '1'],
  );
  const { unknown, wrongArity } = found.judge(redis7);
  expect(unknown.map(({ name }) => name)).toEqual([
    'hpexpireat',
    'json.set',
    '(a name of more than 64 bytes)',
  ]);
  expect(wrongArity).toEqual([
    { name: 'select', file: 'x.aof', offset: expect.any(Number), text: 'SELECT 0 1' },
    { name: 'set', file: 'x.aof', offset: expect.any(Number), text: 'SET key' },
  ]);
});

test('a version that nobody has asked knows what any server knows', () => {
  const found = check(['HPEXPIREAT', 'key', '1', 'FIELDS', '1', 'a'], ['NEVER.HEARD', 'of']);
  for (const engine of [undefined, { ...redis7, version: '8.9.0' }])
    expect(found.judge(engine).unknown.map(({ name }) => name)).toEqual(['never.heard']);
});

test('where nobody says whose it is, what no server takes is odd', () => {
  const found = check(['SET', 'key'], ['XREADGROUP', 'few'], ['GET', 'key']);
  expect(found.judge(undefined).wrongArity.map(({ name }) => name)).toEqual(['set', 'xreadgroup']);
});

test('in bounded memory: the names beyond a bound are not kept', () => {
  const found = check(...Array.from({ length: 6000 }, (_, index) => [`odd${index}`]));
  expect(found.judge(redis7).unknown).toHaveLength(5000);
});
