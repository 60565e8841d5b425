import { resolve } from 'node:path';
import { systemCode } from '../../domain/errors.ts';
import {
  directivesOf,
  parseConfDocument,
  type ConfDocument,
  type DirectiveLine,
  type PlacedWord,
} from '../../formats/conf/document.ts';
import type { Directive } from '../../formats/conf/server-arguments.ts';
import type { UserId } from '../../lib/process/act-as.ts';
import { describeReadFailure, userName } from '../../lib/files/file-owner.ts';
import { readerAs, type FileReader } from '../../lib/files/file-reader.ts';
import { ForeignFileError } from '../../lib/files/foreign-file.ts';

/** A directive with where it was found. */
export interface ConfEntry {
  name: string;
  values: string[];
  /** Undefined: an option of the command line. */
  place: { file: string; line: number; column: number; words: PlacedWord[] } | undefined;
}

export interface ConfFile {
  path: string;
  document: ConfDocument;
}

/** A file that could not be read. */
export interface ConfProblem {
  path: string;
  why: string;
  /** The `include` that names it; undefined for the first file. */
  from: { file: string; line: number; column: number } | undefined;
  cause: unknown;
}

/** A configuration with all that it includes, in the order in which the server takes it in. */
export interface ResolvedConf {
  files: ConfFile[];
  entries: ConfEntry[];
  problems: ConfProblem[];
  /** Files of a pattern whose last line the server reads together with the first one of the next file. */
  joined: ConfProblem[];
}

export interface ResolveOptions {
  /** Options of the command line, which come last. */
  options?: readonly Directive[] | undefined;
  /** With whose rights files are read, where we are root: the server's own. */
  as?: UserId | undefined;
  /** Instead of from disk. */
  reader?: FileReader | undefined;
  /** Where relative paths count from at first: where the server is started, which for a service is the root. */
  from?: string | undefined;
  /** What the first file holds, where it is not read from disk. */
  source?: Uint8Array | undefined;
  /** What files hold that are not read from disk, by their paths: as a change would leave them. */
  sources?: ReadonlyMap<string, Uint8Array> | undefined;
  /** Relative paths after `dir` count from there, as in the server; not where `dir` is another host's. */
  followDir?: boolean | undefined;
}

/** As in the server (config.c), against files that include themselves. */
const deepest = 16;
/** A configuration of 100 000 lines has 5 MB. */
const largest = 32 * 1024 * 1024;
/** An include of patterns can multiply. */
const mostFiles = 1000;

/** Reads a redis.conf with all that it includes (patterns too). What cannot be read is a problem, and the rest counts. */
export function resolveConf(file: string | undefined, options: ResolveOptions = {}): ResolvedConf {
  const found: ResolvedConf = { files: [], entries: [], problems: [], joined: [] };
  const { from = '/', reader = readerAs(options.as) } = options;
  if (file !== undefined) readOne(resolve(from, file), { found, options, reader, from }, 0, undefined);
  for (const { name, values } of options.options ?? [])
    found.entries.push({ name, values, place: undefined });
  return found;
}

interface Reading {
  found: ResolvedConf;
  options: ResolveOptions;
  reader: FileReader;
  from: string;
}

/** A last line without an end. */
interface OpenLine {
  file: string;
  line: number;
  text: string;
}

/** `before`: what the file of the pattern before it has left open; `joins`: another one follows. What is left open is returned. */
function readOne(
  path: string,
  reading: Reading,
  depth: number,
  from: ConfProblem['from'],
  { before, joins = false }: { before?: OpenLine | undefined; joins?: boolean } = {},
): OpenLine | undefined {
  const { found, options, reader } = reading;
  const problem = (why: string, cause?: unknown): undefined =>
    void found.problems.push({ path, why, from, cause });
  if (depth > deepest) return problem('files include one another');
  if (found.files.length >= mostFiles) return problem(`more than ${mostFiles} files are included`);
  const source = options.sources?.get(path) ?? (from === undefined ? options.source : undefined);
  let bytes: Uint8Array;
  try {
    bytes = source ?? reader.read(path, largest);
  } catch (error) {
    return problem(whyUnread(path, error, options.as), error);
  }
  const document = parseConfDocument(bytes);
  found.files.push({ path, document });
  const { lines, open } = joinLines(path, document, before, joins);
  for (const { name, file, line, column, words } of lines) {
    const values = words.map(({ text }) => text);
    const [target] = values;
    if (name === 'include' && target !== undefined) {
      const paths = included(resolve(reading.from, target), reader);
      let left: OpenLine | undefined;
      for (const [at, each] of paths.entries()) {
        const place = { file, line, column };
        if (left !== undefined)
          found.joined.push({
            path: left.file,
            why: `its last line has no end, and the server takes the first one of ${each} for the rest of it`,
            from: place,
            cause: undefined,
          });
        left = readOne(each, reading, depth + 1, place, { before: left, joins: at < paths.length - 1 });
      }
      continue;
    }
    found.entries.push({ name, values, place: { file, line, column, words } });
    // The server changes into it as soon as it has read the line (config.c).
    if (name === 'dir' && target !== undefined && options.followDir !== false)
      reading.from = resolve(reading.from, target);
  }
  return open;
}

/** The server strings the files of a pattern together before it looks for lines (config.c). */
function joinLines(
  path: string,
  document: ConfDocument,
  before: OpenLine | undefined,
  joins: boolean,
): { lines: (DirectiveLine & { file: string })[]; open: OpenLine | undefined } {
  const [first, ...others] = document.lines;
  const head = before && { ...before, text: before.text + (first?.raw ?? '') };
  const last = others.at(-1) ?? first;
  const open =
    joins && last !== undefined && last.raw.trim() !== ''
      ? others.length === 0 && head !== undefined
        ? head
        : { file: path, line: last.line, text: last.raw }
      : undefined;
  const own = directivesOf(document)
    .filter(({ line }) => !(head !== undefined && line === 1) && !(open !== undefined && line === last?.line))
    .map((line) => ({ ...line, file: path }));
  if (head === undefined || open === head) return { lines: own, open };
  const joined = directivesOf(parseConfDocument(head.text)).map((line) => ({
    ...line,
    line: head.line,
    file: head.file,
  }));
  return { lines: [...joined, ...own], open };
}

/** The end of a sentence: whose file it is and which group would do, where that is why. `as`: see ResolveOptions. */
export function whyUnread(path: string, error: unknown, as?: UserId): string {
  if (error instanceof ForeignFileError) return error.message;
  const tried = as !== undefined && process.geteuid?.() === 0 ? userName(as.uid) : undefined;
  return systemCode(error) === undefined ? 'it cannot be read' : describeReadFailure(path, error, tried);
}

/** A pattern that fits nothing is no error to the server; a plain path that is missing is one. */
function included(path: string, reader: FileReader): string[] {
  if (!/[*?[]/.test(path)) return [path];
  return reader.glob(path).toSorted();
}
