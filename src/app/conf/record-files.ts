import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import type { EngineVersion } from '../../formats/conf/engine.ts';
import type { FileReader } from '../../lib/files/file-reader.ts';
import { ForeignFileError } from '../../lib/files/foreign-file.ts';
import { resolveConf } from '../../redis/conf/resolve-conf.ts';
import { readFiles } from '../../harden/read/read-files.ts';
import type { FilePlace } from '../../harden/apply/look-at-files.ts';
import type { FilesTarget, SeenFiles } from '../../harden/apply/server-files.ts';

/**
 * What a process that may read a server's files has read, for one that may not: whatever the other asks for, it asked for
 * before, by the same code. Plain data.
 */
export interface SeenRecord {
  real: string;
  /** `text` is a byte a character; else why it was not read, and the system's word for it. */
  files: { path: string; text?: string | undefined; why?: string | undefined; code?: string | undefined }[];
  globs: { pattern: string; paths: string[] }[];
  places: FilePlace[];
}

/** As the JSON of a message between two processes; see handsLimits. */
const longest = 12 * 1024 * 1024;

/** What is read does not depend on it. */
const anyEngine: EngineVersion = { engine: 'redis', version: '8.0', docker: false };
const largestOther = 8 * 1024 * 1024;

/** Reads all that a plan for these files asks for. Throws an AgentError `refused` where that is too much. */
export function recordFiles(
  { file, directives }: FilesTarget,
  extra: readonly string[],
  { real, reader, place }: SeenFiles,
): Uint8Array {
  const record: SeenRecord = { real, files: [], globs: [], places: [] };
  const recorder = recording(reader, record);
  const conf = resolveConf(file, { reader: recorder, options: directives });
  const paths = conf.files.map((each) => each.path);
  for (const options of [directives, undefined]) {
    const { aclfile } = readFiles(file, { engine: anyEngine, reader: recorder, alone: false, options });
    if (aclfile !== undefined) paths.push(aclfile.path);
  }
  const others = extra.filter(Boolean);
  for (const path of others) quietly(() => recorder.read(path, largestOther));
  for (const path of new Set([...paths, ...others])) quietly(() => record.places.push(place(path)));
  const bytes = Buffer.from(JSON.stringify(record), 'utf8');
  if (bytes.length <= longest) return bytes;
  throw new AgentError(
    'refused',
    `the configuration ${file} has ${bytes.length} bytes with all it includes`,
    {
      reason: 'conf',
      hint: 'as root it is done here: sudo redis-agent harden plan',
    },
  );
}

function recording({ read, glob }: FileReader, record: SeenRecord): FileReader {
  return {
    read(path, limit) {
      const known = record.files.some((file) => file.path === path);
      try {
        const bytes = read(path, limit);
        if (!known) record.files.push({ path, text: Buffer.from(bytes).toString('latin1') });
        return bytes;
      } catch (error) {
        const code = error instanceof ForeignFileError ? undefined : systemCode(error);
        if (!known)
          record.files.push({ path, why: messageOf(error), ...(code === undefined ? {} : { code }) });
        throw error;
      }
    },
    glob(pattern) {
      const paths = glob(pattern);
      record.globs.push({ pattern, paths });
      return paths;
    },
  };
}

/** The record has it, whatever came of it. */
function quietly(work: () => unknown): void {
  try {
    work();
  } catch {
    // Asked for again, it is said then.
  }
}
