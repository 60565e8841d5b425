import { lstatSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { checkAclFile, parseAclFile, type UserLine } from '../../formats/acl/acl-file.ts';
import { checkConf } from '../../formats/conf/check-conf.ts';
import { isSentinelConf } from '../../formats/conf/document.ts';
import type { EngineVersion } from '../../formats/conf/engine.ts';
import type { Directive } from '../../formats/conf/server-arguments.ts';
import { actAs, type UserId } from '../../lib/process/act-as.ts';
import { describeOwner } from '../../lib/files/file-owner.ts';
import { readerAs, type FileReader } from '../../lib/files/file-reader.ts';
import { mountPoints } from '../../lib/files/mount-points.ts';
import { resolveConf, whyUnread, type ConfEntry } from '../../redis/conf/resolve-conf.ts';
import type { FileEntry, FileFacts, PathFacts } from '../facts.ts';
import { sha256 } from './hash.ts';
import { usersOfLines } from './read-users.ts';

export interface ReadFilesOptions {
  engine: EngineVersion;
  /** With whose rights, where we are root. */
  as?: UserId | undefined;
  /** Instead of from disk. */
  reader?: FileReader | undefined;
  options?: readonly Directive[] | undefined;
  /** The aclfile, where it lies elsewhere than the configuration says. */
  aclfile?: string | undefined;
  /** What the file holds, where it is not read from disk. */
  source?: Uint8Array | undefined;
  /** Where each line of `source` begins in the file, of which it is a part. */
  origins?: readonly TextOrigin[] | undefined;
  /** How it is called, in places too where it has no path of its own (stdin). */
  name?: string | undefined;
  /** Files on their own, for CI: `dir` and the aclfile are another host's. */
  alone: boolean;
  /** Bytes of memory of the server's host. */
  memory?: number | undefined;
}

/** Where a line of a configuration begins that is part of another file. */
export interface TextOrigin {
  line: number;
  column: number;
  /** It is not written there as one line: all in it has this place. */
  fixed?: boolean;
}

const largestAclFile = 8 * 1024 * 1024;

/** A configuration with all that it includes, its users, and everything that is wrong with its lines. */
export function readFiles(path: string, options: ReadFilesOptions): FileFacts {
  const { engine, as, alone, memory } = options;
  const conf = resolveConf(alone ? resolve(path) : path, {
    as,
    reader: options.reader,
    options: options.options,
    source: options.source,
    from: alone ? dirname(resolve(path)) : '/',
    followDir: !alone,
  });
  const entries = conf.entries.map((entry) => entryOf(entry, path, options)).map(withoutComment);
  const sentinel = conf.files.some(({ document }) => isSentinelConf(document));
  const faults = sentinel
    ? []
    : conf.files.flatMap((file) =>
        checkConf(file.document, { engine, hash: sha256, memory }).map((fault) => ({
          ...fault,
          ...placeIn({ file: file.path, line: fault.line, column: fault.column }, path, options),
        })),
      );
  const named = entries.findLast(({ name }) => name === 'aclfile')?.values[0];
  const acl = readAclFile(named, options, entries);
  const value = (name: string): string | undefined =>
    entries.findLast((entry) => entry.name === name)?.values.join(' ');
  const common = {
    engine,
    requirepass: value('requirepass'),
    channelsByDefault: channels(value('acl-pubsub-default')),
  };
  const users = usersOfLines({ lines: entries.flatMap(userLine), ...common });
  const paths = [...conf.files.map((file) => file.path), ...(acl.path === undefined ? [] : [acl.path])];
  return {
    name: options.name ?? path,
    sentinel,
    paths: conf.files.map((file) => file.path),
    entries,
    faults,
    problems: [
      ...[...conf.problems, ...conf.joined].map((problem) => ({
        path: problem.path,
        why: problem.why,
        from: problem.from,
      })),
      ...acl.problems,
    ],
    users,
    aclfile:
      acl.file === undefined || acl.path === undefined
        ? undefined
        : {
            path: acl.path,
            // requirepass counts for nothing beside an aclfile.
            users: usersOfLines({ ...common, lines: acl.lines, requirepass: undefined }),
            entries: acl.lines.map(({ name, rules, place }) => ({
              name: 'user',
              values: [name, ...rules.map(({ text }) => text)],
              place: { ...place, words: [] },
            })),
            faults: checkAclFile(acl.file, { engine, hash: sha256 }).map((fault) => ({
              ...fault,
              file: acl.path ?? '',
            })),
          },
    stats:
      !alone && options.source === undefined && options.reader === undefined
        ? paths.flatMap((each) => pathFacts(each, as) ?? [])
        : [],
  };
}

function channels(value: string | undefined): 'allchannels' | 'resetchannels' | undefined {
  return value === 'allchannels' || value === 'resetchannels' ? value : undefined;
}

function entryOf({ name, values, place }: ConfEntry, path: string, options: ReadFilesOptions): FileEntry {
  if (place === undefined) return { name, values, place };
  const found = placeIn(place, path, options);
  const words = place.words.map((word) => ({ ...word, column: word.column + found.column - place.column }));
  return { name, values, place: { ...found, words } };
}

interface TextPlace {
  file: string;
  line: number;
  column: number;
}

/** As whoever asked for `path` knows it: by that name, and by where its text stands in the file. */
function placeIn(
  { file, line, column }: TextPlace,
  path: string,
  { alone, name = path, origins }: ReadFilesOptions,
): TextPlace {
  if (!alone || file !== resolve(path)) return { file, line, column };
  if (origins === undefined) return { file: name, line, column };
  const origin: TextOrigin = origins[line - 1] ?? origins.at(-1) ?? { line: 1, column: 1 };
  const further = origin.fixed === true ? 0 : column - 1;
  return { file: path, line: origin.line, column: origin.column + further };
}

/** What a trailing comment's author meant: that it is one is a fault of its own. */
function withoutComment(entry: FileEntry): FileEntry {
  if (['user', 'requirepass', 'masterauth', 'sentinel'].includes(entry.name)) return entry;
  const at = entry.place?.words.findIndex(({ raw }) => raw.startsWith('#')) ?? -1;
  return at < 1 ? entry : { ...entry, values: entry.values.slice(0, at) };
}

function userLine({ name, values: [user, ...rules], place }: FileEntry): UserLine[] {
  if (name !== 'user' || user === undefined) return [];
  return [
    {
      name: user,
      rules: rules.map((text, at) => ({ text, column: place?.words[at + 1]?.column ?? 1 })),
      place: { file: place?.file ?? '', line: place?.line ?? 1, column: place?.column ?? 1 },
    },
  ];
}

function readAclFile(
  named: string | undefined,
  { as, reader, aclfile, alone }: ReadFilesOptions,
  entries: readonly FileEntry[],
): {
  path: string | undefined;
  file: ReturnType<typeof parseAclFile> | undefined;
  lines: UserLine[];
  problems: FileFacts['problems'];
} {
  const none = { path: undefined, file: undefined, lines: [], problems: [] };
  const place = entries.findLast(({ name }) => name === 'aclfile')?.place;
  const dir = entries.findLast(({ name }) => name === 'dir')?.values[0] ?? '/';
  // Another host's path tells nothing here.
  const path = aclfile ?? (alone || named === undefined || named === '' ? undefined : resolve(dir, named));
  if (path === undefined) return none;
  try {
    const { read } = reader ?? readerAs(aclfile === undefined ? as : undefined);
    const bytes = read(path, largestAclFile);
    const file = parseAclFile(bytes, path);
    return { path, file, lines: file.lines.flatMap(({ user }) => user ?? []), problems: [] };
  } catch (error) {
    return { ...none, problems: [{ path, why: whyUnread(path, error), from: place }] };
  }
}

/** Undefined where it cannot be seen. */
export function pathFacts(path: string, as?: UserId): PathFacts | undefined {
  try {
    const link = actAs(as, () => lstatSync(path));
    const stats = link.isSymbolicLink() ? actAs(as, () => statSync(path)) : link;
    return {
      path,
      mode: stats.mode,
      uid: stats.uid,
      gid: stats.gid,
      owner: describeOwner(stats).replace(/,.*$/, ''),
      symlink: link.isSymbolicLink(),
      mountPoint: mountPoints().has(path),
      device: stats.dev,
    };
  } catch {
    return undefined;
  }
}
