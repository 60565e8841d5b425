import { namesOf } from './aliases.ts';
import { lookUpDirective, type DirectiveFacts } from './directive-table.ts';
import { atLeastVersion, type EngineVersion } from './engine.ts';
import { parseConfSize } from './judge-value.ts';

/** The name by which that engine knows a directive, ours first; undefined where it has none like it. */
export function nameFor(
  name: string,
  engine: EngineVersion,
): { name: string; facts: DirectiveFacts } | undefined {
  for (const each of [name, ...namesOf(name)]) {
    const known = lookUpDirective(each, engine);
    if (known.state === 'known') return { name: each, facts: known.facts };
  }
  return undefined;
}

/** Limits of classes of clients, by class: hard and soft limit in bytes, seconds. */
type OutputLimits = Map<string, readonly [hard: string, soft: string, seconds: string]>;

const outputClasses = ['normal', 'slave', 'pubsub'] as const;

const bytesOf = (word = ''): string => String(parseConfSize(word) ?? word);

function parseLimits(text: string): OutputLimits {
  const words = text.split(' ').filter(Boolean);
  const found: OutputLimits = new Map();
  for (let at = 0; at + 3 < words.length; at += 4) {
    const name = words[at]?.toLowerCase() ?? '';
    found.set(name === 'replica' ? 'slave' : name, [
      bytesOf(words[at + 1]),
      bytesOf(words[at + 2]),
      words[at + 3] ?? '',
    ]);
  }
  return found;
}

/** As the server prints them: every class that is named, `slave` for replicas, in bytes. */
function printLimits(limits: OutputLimits): string {
  return outputClasses
    .flatMap((name) => (limits.has(name) ? [name, ...(limits.get(name) ?? [])] : []))
    .join(' ');
}

/** Those of `base`, with what `over` says of a class in its place. */
export function mergeLimits(base: string, over: string): string {
  return printLimits(new Map([...parseLimits(base), ...parseLimits(over)]));
}

/** Of `wanted` the classes that `value` has otherwise; `limited`: any limit is left alone. */
export function wrongLimits(value: string, wanted: string, limited: boolean): string {
  const has = parseLimits(value);
  const wrong = [...parseLimits(wanted)].filter(([name, limit]) => {
    const mine = has.get(name);
    const isLimited = mine !== undefined && (mine[0] !== '0' || mine[1] !== '0');
    return !(limited && isLimited) && mine?.join(' ') !== limit.join(' ');
  });
  return printLimits(new Map(wrong));
}

const sizeOf = (bytes: string): string =>
  bytes !== '0' && Number(bytes) % 2 ** 20 === 0 ? `${Number(bytes) / 2 ** 20}mb` : bytes;

/** A line for each class, in the words that people use. */
export function linesOfLimits(value: string): string[] {
  return [...parseLimits(value)].map(
    ([name, [hard, soft, seconds]]) =>
      `${name === 'slave' ? 'replica' : name} ${sizeOf(hard)} ${sizeOf(soft)} ${seconds}`,
  );
}

export const outputLimits = 'client-output-buffer-limit';

/** One form for `1gb` and 1073741824, `YES` and yes, a list in quotes and one without. */
export function normalValue(facts: DirectiveFacts, name: string, value: string): string {
  const text = value.trim().replaceAll(/\s+/g, ' ');
  if (name === outputLimits) return printLimits(parseLimits(text));
  if (/memory/.test(facts.type)) return String(parseConfSize(text) ?? text);
  if (/yes-no|enum/.test(facts.type)) return text.toLowerCase();
  if (facts.type === 'octal') return String(Number.parseInt(text || '0', 8));
  return name === 'dir' ? text.replace(/\/+$/, '') : text;
}

/** Directives that count only when the server is started, and those that older servers cannot change either. */
const startOnly = new Set([
  'rdbchecksum',
  'tcp-backlog',
  'databases',
  'unixsocket',
  'unixsocketperm',
  'aclfile',
  'logfile',
]);
const since7 = new Set(['bind', 'port', 'tls-port']);

/** Does CONFIG SET take it, on that server? What the oldest was asked told more than it can do. */
export function changesAtRunTime(name: string, facts: DirectiveFacts, engine: EngineVersion): boolean {
  const old = engine.engine === 'redis' && !atLeastVersion(engine.version, '7.0');
  if (old && (startOnly.has(name) || since7.has(name))) return false;
  return facts.runtime;
}

/** What holds where no line speaks of it: before 6.2 a configuration file without one has a server that saves nothing. */
export function savePointsOfNone({ engine, version }: EngineVersion): string {
  return engine === 'redis' && !atLeastVersion(version, '6.2') ? '' : '3600 1 300 100 60 10000';
}

/**
 * The points of `save` lines, `900 1 300 10`, empty where nothing is saved: as that server reads them. Before 7.0 a line
 * that is no single pair is passed over, and the points of the default are gone all the same.
 */
export function savePoints(lines: readonly (readonly string[])[], engine: EngineVersion): string {
  const old = engine.engine === 'redis' && !atLeastVersion(engine.version, '7.0');
  let points: string[] = [];
  for (const line of lines) {
    const words = line.flatMap((word) => (old ? [word] : word.split(' ').filter(Boolean)));
    if (line.length === 1 && line[0] === '') points = [];
    else if (!old || words.length === 2) points.push(...words);
  }
  return points.join(' ');
}

/** `-::1` is tolerated where there is no such address, since 6.2. */
export function bindFor(value: string, engine: EngineVersion): string {
  if (engine.engine === 'valkey' || atLeastVersion(engine.version, '6.2')) return value;
  return value
    .split(' ')
    .filter((address) => !address.startsWith('-'))
    .join(' ');
}
