import { resolve } from 'node:path';
import { cronErrors } from '../lib/cron/cron.ts';
import * as z from 'zod';
import type { SecretRef } from '../domain/secret.ts';
import type { ServiceSettings } from '../domain/settings.ts';
import { parseBytes } from '../lib/text/bytes.ts';
import { closest } from '../lib/text/closest.ts';
import { parseDuration, writeDuration } from '../lib/time/duration.ts';

/** One kind of value each, used by schema.ts. A message says what is wrong; what would be right. */

/** Text on one line, not empty. */
export const text = z
  .string()
  .min(1, 'is empty; give it a value or leave the key out')
  .refine((value) => !/\p{Cc}/u.test(value), 'holds a control character; write it on one line');

/** Milliseconds from `15s`, at least `min` and at most `max` milliseconds. */
export function duration(min: number, max: number): z.ZodType<number, string> {
  return z.string('is not a duration; write 15s, 5m, 6h or 7d').transform((value, context) => {
    const ms = parseDuration(value);
    if (ms === undefined) return fail(context, 'is not a duration; write 15s, 5m, 6h or 7d');
    if (ms < min || ms > max)
      return fail(context, `is out of range; from ${writeDuration(min)} to ${writeDuration(max)}`);
    return ms;
  });
}

/** Bytes from `16mb`, `min` to `max`. */
export function bytes(min: number, max: number): z.ZodType<number, string> {
  const form = `write a size from ${min / 2 ** 20}mb to ${max / 2 ** 20}mb`;
  return z.string(`is not a size; ${form}`).transform((value, context) => {
    const parsed = parseBytes(value);
    if (parsed === undefined) return fail(context, `is not a size; ${form}`);
    return parsed >= min && parsed <= max ? parsed : fail(context, `is out of range; ${form}`);
  });
}

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number): z.ZodType<number, number> {
  const message = `is not a whole number from ${min} to ${max}`;
  return z.int(message).min(min, message).max(max, message);
}

/** An absolute path; a relative one counts from `folder`, that of the configuration file. */
export function path(folder: string): z.ZodType<string, string> {
  return text
    .refine((value) => !value.startsWith('~'), '~ is not expanded; write the whole path')
    .transform((value) => resolve(folder, value));
}

/**
 * Where a secret is kept. Written out and not a union of sections, because zod's messages name the keys and the path
 * shows them, and either may be a misplaced secret.
 */
export function secretRef(folder: string): z.ZodType<SecretRef> {
  return z
    .unknown()
    .transform((input, context): SecretRef => {
      const entries = typeof input === 'object' && input !== null ? Object.entries(input) : [];
      const [[kind, place] = ['', '']] = entries;
      if (entries.length === 1 && typeof place === 'string') {
        if (kind === 'file' && /^[^~\p{Cc}][^\p{Cc}]*$/u.test(place)) return { file: resolve(folder, place) };
        if (kind === 'env' && /^[A-Za-z_][A-Za-z0-9_]*$/.test(place)) return { env: place };
        if (kind === 'credential' && /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(place))
          return { credential: place };
      }
      const wrong = secretProblem(
        input,
        entries.map(([key]) => key),
      );
      return fail(context, `${wrong}; write { file: PATH }, { env: NAME } or { credential: NAME }`);
    })
    .meta(secretForm);
}

/** For editors, which cannot see what a function checks. */
const secretForm = {
  type: 'object' as const,
  properties: Object.fromEntries(
    ['file', 'env', 'credential'].map((kind) => [kind, { type: 'string' as const }]),
  ),
  minProperties: 1,
  maxProperties: 1,
  additionalProperties: false,
};

const secretKinds = ['file', 'env', 'credential'];

function secretProblem(input: unknown, keys: string[]): string {
  if (typeof input === 'string' || typeof input === 'number')
    return 'a secret does not belong in the configuration, only where it is kept';
  if (keys.length > 1) return 'has more than one key';
  const [key] = keys;
  if (key === undefined) return 'does not say where the secret is kept';
  if (secretKinds.includes(key)) return `its ${key} is not a usable ${key === 'file' ? 'path' : 'name'}`;
  const near = closest(key, secretKinds);
  return `does not say where the secret is kept${near === undefined ? '' : `, did you mean ${near}?`}`;
}

const serviceForm =
  'write the name of a systemd unit, or { start: [PROGRAM, ARGUMENT, …], stop: [PROGRAM, …], user: NAME }, where stop and user may be left out, or { unit: NAME, user: NAME }';

/** How a server is started and stopped. Written out, since a union's own messages say nothing. */
export const service = z.unknown().transform((input, context): ServiceSettings => {
  if (typeof input === 'string') {
    if (input === '') return fail(context, 'is empty; give it a value or leave the key out');
    return unitName(input) ?? fail(context, `is no name of a systemd unit; ${serviceForm}`);
  }
  const entries = typeof input === 'object' && input !== null ? Object.entries(input) : [];
  const commands = new Map<string, unknown>(entries);
  const known = entries.length > 0 && entries.every(([key]) => serviceKeys.includes(key));
  const sound = [...commands].every(([key, value]) => serviceParts[key]?.(value));
  const [unit, user] = [commands.get('unit'), commands.get('user')];
  const apart = commands.has('start') ? !commands.has('unit') : !commands.has('stop');
  if (!known || !sound || !apart) return fail(context, `is neither a unit nor commands; ${serviceForm}`);
  return {
    ...(typeof unit === 'string' ? { unit: unitName(unit) } : {}),
    ...(typeof user === 'string' || typeof user === 'number' ? { user: `${user}` } : {}),
    ...commandsIn(commands),
  };
});

function unitName(input: string): string | undefined {
  if (!/^[\w:.@\\-]+$/.test(input)) return undefined;
  return input.includes('.') ? input : `${input}.service`;
}

/** What may stand behind each key. */
const serviceParts: Record<string, (value: unknown) => boolean> = {
  unit: (value) => typeof value === 'string' && unitName(value) !== undefined,
  user: (value) => /^(?:[a-z_][\w.-]*\$?|\d+)$/i.test(String(value)),
  start: isCommand,
  stop: isCommand,
};
const serviceKeys = Object.keys(serviceParts);

function commandsIn(commands: ReadonlyMap<string, unknown>): { start?: string[]; stop?: string[] } {
  const [start, stop] = [commands.get('start'), commands.get('stop')];
  return { ...(isCommand(start) ? { start } : {}), ...(isCommand(stop) ? { stop } : {}) };
}

/** No shell reads it, so the program's whole path is asked for: what PATH holds differs between a shell and a daemon. */
function isCommand(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.every((word) => typeof word === 'string' && !word.includes('\0')) &&
    String(value[0]).startsWith('/')
  );
}

/** node-cron's name of a field: ours, and what may stand there. */
const cronFields = new Map([
  ['second', ['second', '0 to 59']],
  ['minute', ['minute', '0 to 59']],
  ['hour', ['hour', '0 to 23']],
  ['dayOfMonth', ['day of the month', '1 to 31']],
  ['month', ['month', '1 to 12']],
  ['dayOfWeek', ['day of the week', '0 to 7, where 0 and 7 are Sunday']],
]);

const cronForm = 'write minute hour day month weekday, such as "0 */6 * * *", or off';

/** A cron expression of five fields (or six, seconds first), or null for none (`off`). */
export const schedule = z
  .string({
    // One whose value was left out must not switch backups off.
    error: ({ input }) => `${input === null ? 'is empty' : 'is not a schedule'}; ${cronForm}`,
  })
  .transform((value, context) => {
    if (value === 'off') return null;
    const errors = cronErrors(value);
    if (errors.length === 0) return value;
    const wrong = errors.find((error) => cronFields.has(error.field));
    const [field, range] = cronFields.get(wrong?.field ?? '') ?? [];
    if (wrong === undefined || field === undefined) return fail(context, `is not a schedule; ${cronForm}`);
    if (wrong.message.includes('impossible'))
      return fail(context, 'names a day that its months never have; choose a day that exists');
    return fail(context, `its ${field} ${JSON.stringify(wrong.value ?? '')} is wrong; write ${range}`);
  });

/** An IANA time zone. */
export const timezone = z.string().transform((value, context) => {
  try {
    // The name as the ICU data spells it: `europe/berlin` is accepted too.
    return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone;
  } catch {
    const near = closest(value, Intl.supportedValuesOf('timeZone'));
    const meant = near === undefined ? '' : `did you mean ${near}? `;
    return fail(context, `is not a time zone; ${meant}write a name such as Europe/Berlin or UTC`);
  }
});

/** Reports one problem from inside a transform. */
export function fail(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}
