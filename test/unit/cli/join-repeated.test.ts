import { expect, test } from 'vitest';
import { joinRepeated } from '../../../src/cli/join-repeated.ts';

const joined = (line: string): string[] => joinRepeated(line.split(' '), '--keys');

test.each([
  ['restore --keys a latest --into x', ['restore', '--keys=a', 'latest', '--into', 'x']],
  ['restore --keys a id --keys=b --keys c', ['restore', '--keys=a\0b\0c', 'id']],
  ['restore --keys', ['restore', '--keys']],
  ['restore --keys --into x', ['restore', '--keys', '--into', 'x']],
  ['restore --keys=-a* --keys --into', ['restore', '--keys=-a*', '--keys', '--into']],
  ['restore -- --keys a --keys b', ['restore', '--', '--keys', 'a', '--keys', 'b']],
  ['keys --keyspace a', ['keys', '--keyspace', 'a']],
])('%s', (line, words) => {
  expect(joined(line)).toEqual(words);
});
