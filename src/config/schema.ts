import * as z from 'zod';
import type { Settings } from '../domain/settings.ts';
import { sections } from './sections/index.ts';

/**
 * The configuration file as zod sees it: keys as in domain/settings.ts, plus defaults. `folder` is the configuration
 * file's own; relative paths count from it. Validate with safeParseAsync (age recipients are checked by their library).
 */
export function settingsSchema(folder: string): z.ZodType<Settings> {
  if (last?.folder !== folder) last = { folder, schema: makeSchema(folder) };
  return last.schema;
}

/** zod prepares much at the first use of a schema, and nearly all that a process reads lies in one folder. */
let last: { folder: string; schema: z.ZodType<Settings> } | undefined;

function makeSchema(folder: string): z.ZodType<Settings> {
  const shape = Object.fromEntries(
    Object.entries(sections).map(([name, section]) => [name, section.schema(folder)]),
  );
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sections has exactly these keys and types
  return z.strictObject(shape) as unknown as z.ZodType<Settings>;
}
