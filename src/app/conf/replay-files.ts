import * as z from 'zod';
import { AgentError } from '../../domain/errors.ts';
import { ForeignFileError } from '../../lib/files/foreign-file.ts';
import type { SeenFiles } from '../../harden/apply/server-files.ts';

const attributes = z.object({ mode: z.number(), uid: z.number(), gid: z.number() });
const placeSchema = z.object({
  path: z.string(),
  real: z.string(),
  mounted: z.boolean(),
  unwritable: z.string().optional(),
  foreignOwner: z.string().optional(),
  attributes,
});
const schema = z.object({
  real: z.string(),
  files: z.array(
    z.object({
      path: z.string(),
      text: z.string().optional(),
      why: z.string().optional(),
      code: z.string().optional(),
    }),
  ),
  globs: z.array(z.object({ pattern: z.string(), paths: z.array(z.string()) })),
  places: z.array(placeSchema),
});

/** The same files, by what somebody else has read. Throws an AgentError `failed` where that is no such record. */
export function replayFiles(answer: unknown): SeenFiles {
  const record = answer instanceof Uint8Array ? parse(answer) : undefined;
  if (record === undefined)
    throw new AgentError('failed', 'who reads the server’s files answers nonsense', { reason: 'hands' });
  const files = new Map(record.files.map((file) => [file.path, file]));
  const globs = new Map(record.globs.map(({ pattern, paths }) => [pattern, paths]));
  const places = new Map(record.places.map((place) => [place.path, place]));
  return {
    real: record.real,
    reader: {
      read(path, limit) {
        const { text, why = 'nobody has looked at it', code } = files.get(path) ?? {};
        if (text === undefined)
          throw code === undefined
            ? new ForeignFileError('kind', why)
            : Object.assign(new Error(why), { code });
        if (text.length > limit)
          throw new ForeignFileError('size', `it has ${text.length} bytes, more than ${limit}`);
        return Buffer.from(text, 'latin1');
      },
      glob: (pattern) => globs.get(pattern) ?? [],
    },
    place(path) {
      const found = places.get(path);
      if (found === undefined)
        throw new AgentError('failed', `nobody has looked at ${path}`, { reason: 'hands' });
      return { ...found, unwritable: found.unwritable, foreignOwner: found.foreignOwner };
    },
  };
}

function parse(bytes: Uint8Array): z.infer<typeof schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
