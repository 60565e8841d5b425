import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileGlob } from '../../../../src/formats/glob/glob.ts';
import { edgeBuilds, startServer, type TestServer } from '../../../support/servers/redis-server.ts';

/** Few different bytes, so that patterns and keys often meet; with both ends of what a signed character can be. */
const keyBytes = ['a', 'b', 'c', '-', ']', '[', '^', '*', '?', '\\', '\0', '\x7f', '\x80', '\xff'];
const patternBytes = [...keyBytes, '*', '*', '?', '[', ']', '-', '^', '\\'];

const text = (bytes: string[], maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...bytes), { maxLength }).map((parts) => parts.join(''));

/** Bytes go both ways as hex: connections speak UTF-8. */
const hex = (value: string): string => Buffer.from(value, 'latin1').toString('hex');

const unhex = `local function unhex(text)
  return (string.gsub(text, '..', function(pair) return string.char(tonumber(pair, 16)) end))
end
`;

async function keysOf(server: TestServer, pattern: string): Promise<string[]> {
  const script = `${unhex} local found = {}
    for index, key in ipairs(redis.call('KEYS', unhex(ARGV[1]))) do
      found[index] = string.gsub(key, '.', function(char) return string.format('%02x', string.byte(char)) end)
    end
    return found`;
  const reply = await server.call('EVAL', script, 0, hex(pattern));
  return Array.isArray(reply) ? reply.map(String).toSorted() : [];
}

test.each(edgeBuilds().map((build) => [build.name, build] as const))(
  'patterns select what KEYS of %s selects',
  async (_name, build) => {
    const server = await startServer({ build });
    const keys = [...new Set(['', 'a', ...fc.sample(text(keyBytes, 6), { numRuns: 1500, seed: 7 })])];
    await server.call(
      'EVAL',
      `${unhex} for i, key in ipairs(ARGV) do redis.call('SET', unhex(key), '') end`,
      0,
      ...keys.map(hex),
    );
    const patterns = ['', '*', '**', ...fc.sample(text(patternBytes, 8), { numRuns: 1500, seed: 11 })];
    for (const pattern of patterns) {
      const matches = compileGlob(Buffer.from(pattern, 'latin1'));
      const chosen = keys.filter((key) => matches(Buffer.from(key, 'latin1'), 0, key.length));
      expect({ pattern, keys: chosen.map(hex).toSorted() }).toEqual({
        pattern,
        keys: await keysOf(server, pattern),
      });
    }
  },
);
