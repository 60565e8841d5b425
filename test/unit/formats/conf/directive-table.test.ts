import { expect, test } from 'vitest';
import { lookUpDirective, probedServers } from '../../../../src/formats/conf/directive-table.ts';
import { parseEngine, type EngineVersion } from '../../../../src/formats/conf/engine.ts';

function engine(name: string): EngineVersion {
  const parsed = parseEngine(name);
  if (parsed === undefined) throw new Error(name);
  return parsed;
}

test.each([
  ['maxmemory', 'redis-7.0', 'known'],
  ['maxmemory', 'redis-7.2', 'known'],
  ['maxmemory-clients', 'redis-6.0', 'unknown'],
  ['maxmemory-clients', 'redis-6.2', 'unprobed'],
  ['set-max-listpack-entries', 'redis-7.0', 'unknown'],
  ['set-max-listpack-entries', 'redis-8.0', 'known'],
  ['primaryauth', 'redis-7.0', 'unknown'],
  ['primaryauth', 'valkey-8.1', 'known'],
  ['nonsense', 'redis-9.9', 'unprobed'],
  // Newer than all that were asked.
  ['maxmemory', 'redis-9.9', 'known'],
  ['maxmemory', 'valkey-99', 'known'],
  ['acl-pubsub-default', 'redis-7', 'known'],
  ['constructor', 'redis-7.0', 'unknown'],
])('%s of %s is %s', (name, of, state) => expect(lookUpDirective(name, engine(of)).state).toBe(state));

test('says what is changed at run time and what is not', () => {
  const runtime = (name: string): unknown => {
    const known = lookUpDirective(name, engine('redis-7.0'));
    return known.state === 'known' ? known.facts.runtime : undefined;
  };
  expect(['maxmemory', 'bind', 'databases', 'aclfile', 'dir'].map(runtime)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('was made from several servers of both engines', () => {
  expect(probedServers.length).toBeGreaterThan(4);
  expect(new Set(probedServers.map((name) => name.split('-')[0]))).toEqual(new Set(['redis', 'valkey']));
});
