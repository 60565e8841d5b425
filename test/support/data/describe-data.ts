import { createHash } from 'node:crypto';
import type { KeyCount } from '../../../src/domain/backup.ts';
import { infoKeyspace, parseInfo } from '../../../src/formats/info/parse-info.ts';
import { hasFunctions, type ServerToAsk } from './data-set.ts';

/** All that a server holds, in a form in which two servers can be compared. */
export interface DataDescription {
  /** DEBUG DIGEST: names and values of all databases. */
  digest: string;
  /** By database number, sorted: a line for each key whose time is not over. */
  keys: Record<string, string[]>;
  functions: string;
}

/**
 * DEBUG DIGEST leaves out when a key or field expires, and the groups of streams, so each key tells those besides: its
 * name (with its hash, since some are binary), type, the second in which it expires, and a hash of the rest.
 */
const describeKeys = `
local function text(value)
  if type(value) ~= 'table' then return tostring(value) end
  local parts = {}
  for index, part in ipairs(value) do parts[index] = text(part) end
  return '[' .. table.concat(parts, ' ') .. ']'
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lines = {}
for index, key in ipairs(redis.call('KEYS', '*')) do
  local kind = redis.call('TYPE', key).ok
  local left = redis.call('PTTL', key)
  local ends = left < 0 and 'stays' or string.format('until %.0f', math.floor((now + left) / 1000))
  local rest = ''
  if kind == 'stream' then
    rest = redis.sha1hex(text(redis.call('XINFO', 'STREAM', key, 'FULL', 'COUNT', 1)))
  elseif kind == 'hash' then
    local fields = redis.call('HKEYS', key)
    table.sort(fields)
    local told = {}
    -- Lua cannot pass on all fields of a big hash at once.
    for first = 1, #fields, 1000 do
      local last = math.min(first + 999, #fields)
      local expiries = redis.pcall('HPEXPIRETIME', key, 'FIELDS', last - first + 1, unpack(fields, first, last))
      told[#told + 1] = expiries.err and '' or redis.sha1hex(text(expiries))
    end
    rest = table.concat(told)
  end
  local shown = string.sub(string.gsub(key, '[^%w:_-]', '?'), 1, 40)
  lines[index] = table.concat({shown, redis.sha1hex(key), kind, ends, rest}, ' ')
end
table.sort(lines)
return lines
`;

export async function describeData(server: ServerToAsk): Promise<DataDescription> {
  const keys: DataDescription['keys'] = {};
  for (const database of Object.keys(infoKeyspace(parseInfo(String(await server.call('INFO')))))) {
    await server.call('SELECT', database);
    const lines = await server.call('EVAL', describeKeys, 0);
    if (Array.isArray(lines) && lines.length > 0) keys[database] = lines.map(String);
  }
  await server.call('SELECT', 0);
  return {
    digest: String(await server.call('DEBUG', 'DIGEST')),
    keys,
    functions: hasFunctions(server.build) ? await describeFunctions(server) : '',
  };
}

/** Keys and those with an expiry, counted one by one. */
export function countDescribed({ keys }: DataDescription): Record<string, KeyCount> {
  return Object.fromEntries(
    Object.entries(keys).map(([database, lines]) => [
      database,
      { keys: lines.length, expires: lines.filter((line) => / until \d/.test(line)).length },
    ]),
  );
}

/** The encodings that the keys of database 0 have. */
export async function encodingsOf(server: ServerToAsk): Promise<Set<string>> {
  const script = `local found = {}
    for index, key in ipairs(redis.call('KEYS', '*')) do
      found[index] = redis.call('TYPE', key).ok .. ' ' .. redis.call('OBJECT', 'ENCODING', key)
    end
    return found`;
  const found = await server.call('EVAL', script, 0);
  return new Set(Array.isArray(found) ? found.map(String) : []);
}

async function describeFunctions(server: ServerToAsk): Promise<string> {
  const libraries = await server.call('FUNCTION', 'LIST', 'WITHCODE');
  const texts = Array.isArray(libraries) ? libraries.map((library) => JSON.stringify(library)) : [];
  return createHash('sha256').update(texts.toSorted().join('\n')).digest('hex');
}
