import * as z from 'zod';
import { settingsSchema } from './schema.ts';

/** The configuration as JSON Schema, for editors (yaml-language-server): keys, types and choices. */
export function settingsJsonSchema(): unknown {
  const schema = z.toJSONSchema(settingsSchema('/'), {
    // What the file may say, and not what becomes of it.
    io: 'input',
    // Secrets and services are checked by functions: anything goes there, as far as an editor can tell.
    unrepresentable: 'any',
  });
  return { title: 'The configuration of redis-agent', ...schema };
}
