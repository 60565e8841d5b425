import type { Clock } from '../domain/clock.ts';
import { AgentError } from '../domain/errors.ts';
import type { PatternReading } from '../domain/pattern.ts';
import type { PatternSettings } from '../domain/settings/queues.ts';
import type { RedisConnection } from '../redis/connection/connect.ts';
import { patternOf } from './collect/parts/fingerprint.ts';
import { listOf, numberOf, textOf } from './collect/parts/numbers.ts';

export type Patterns = Readonly<Record<string, PatternSettings>>;

/** Walks through the keys for the configured patterns, a little at a time. */
export interface PatternSampler {
  /** Resolves with all readings once it has been everywhere, else with none. */
  look(connection: RedisConnection): Promise<{ sent: number; readings: PatternReading[] | undefined }>;
}

const every = 10 * 60_000;
const each = 250;
/** Keys of one pattern that are looked at: all of few, then some of each batch. SCAN gives them in no order. */
const lookedAtAll = 500;
const mostSampled = 2000;
const perBatch = 10;
/** Of one step, milliseconds, and at most a hundredth of the time that has passed. */
const longest = 100;

export function createPatternSampler(
  instance: string,
  patterns: () => Patterns,
  clock: Clock,
): PatternSampler {
  let walk: { rest: [string, PatternSettings][]; cursor: string; readings: PatternReading[] } | undefined;
  let done: number | undefined;
  let stepped: number | undefined;
  return {
    async look(connection) {
      const now = clock.monotonic();
      if (walk === undefined) {
        if (done !== undefined && now - done < every) return { sent: 0, readings: undefined };
        const rest = Object.entries(patterns()).filter(
          ([, settings]) => settings.instance === undefined || settings.instance === instance,
        );
        done = now;
        if (rest.length === 0) return { sent: 0, readings: [] };
        walk = { rest, cursor: '0', readings: [] };
      }
      const budget = stepped === undefined ? longest : Math.min(longest, (now - stepped) / 100);
      stepped = now;
      let sent = 0;
      try {
        do {
          const [entry] = walk.rest;
          if (entry === undefined) break;
          const [name, settings] = entry;
          if (walk.cursor === '0') walk.readings.push(begun(name, settings));
          const reading = walk.readings.at(-1);
          if (reading === undefined) break;
          const step = await batch(connection, walk.cursor, reading);
          sent += step.sent;
          walk.cursor = step.cursor;
          if (walk.cursor === '0') walk.rest.shift();
        } while (clock.monotonic() - now < budget);
      } catch (error) {
        walk = undefined;
        throw error;
      }
      if (walk.rest.length > 0) return { sent, readings: undefined };
      const { readings } = walk;
      walk = undefined;
      return { sent, readings };
    },
  };
}

function begun(name: string, settings: PatternSettings): PatternReading {
  const { limit } = settings;
  return {
    name,
    settings,
    keys: 0,
    sampled: 0,
    withoutTtl: 0,
    longestTtl: null,
    blocked: limit === undefined ? null : 0,
    example: null,
    readable: true,
  };
}

async function batch(
  connection: RedisConnection,
  cursor: string,
  reading: PatternReading,
): Promise<{ cursor: string; sent: number }> {
  const { match, db = 0, limit } = reading.settings;
  const ask = async (commands: (string | number)[][]) => {
    if (db === 0) return connection.pipeline(commands);
    const replies = await connection.pipeline([['SELECT', db], ...commands, ['SELECT', 0]]);
    if (replies[0] instanceof AgentError) throw replies[0];
    return replies.slice(1, -1);
  };
  const [scanned] = await ask([['SCAN', cursor, 'MATCH', match, 'COUNT', each]]);
  if (scanned instanceof AgentError) throw scanned;
  const [next, found] = listOf(scanned);
  const names = listOf(found).map(textOf);
  reading.keys += names.length;
  let sent = 1;
  const wanted = reading.sampled < lookedAtAll ? lookedAtAll : perBatch;
  const room = reading.readable ? Math.min(wanted, mostSampled - reading.sampled) : 0;
  const some = names.slice(0, Math.max(0, room));
  if (some.length > 0) {
    const commands = some.flatMap((name) => [
      ['PTTL', name],
      ...(limit === undefined ? [] : [['GET', name]]),
    ]);
    const replies = await ask(commands);
    sent += commands.length;
    const width = limit === undefined ? 1 : 2;
    for (const [index, name] of some.entries()) {
      const [left, value] = replies.slice(index * width, (index + 1) * width);
      if (left instanceof AgentError) {
        // One refusal is enough: the server logs each.
        reading.readable = false;
        break;
      }
      addKey(
        reading,
        name,
        numberOf(left),
        value instanceof AgentError ? undefined : numberOf(value ?? null),
      );
    }
  }
  const after = textOf(next);
  return { cursor: after === '' ? '0' : after, sent };
}

function addKey(
  reading: PatternReading,
  name: string,
  left: number | undefined,
  value: number | undefined,
): void {
  // -2: it has gone meanwhile.
  if (left === undefined || left === -2) return;
  reading.sampled += 1;
  if (left === -1) {
    reading.withoutTtl += 1;
    reading.example ??= patternOf(name);
  } else reading.longestTtl = Math.max(reading.longestTtl ?? 0, left / 1000);
  const { limit } = reading.settings;
  if (limit !== undefined && value !== undefined && value >= limit)
    reading.blocked = (reading.blocked ?? 0) + 1;
}
