import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../domain/clock.ts';
import { AgentError } from '../../domain/errors.ts';
import { parseAofManifest, type AofFile, type AofManifest } from '../../formats/aof/aof-manifest.ts';
import type { OpenedFile } from '../../lib/files/lent-file.ts';
import { namesIn, openAofFile, type AofSource } from './aof-source.ts';

/** One file of a set, held open: what it holds stays readable whatever the server does to its name. */
export interface OpenAofFile {
  name: string;
  /** undefined for a single file, which may be both. */
  listed: AofFile | undefined;
  handle: OpenedFile;
  /** Bytes at the moment of opening; only these count. */
  size: number;
  /** Tells the file from another one of its name. */
  identity: { dev: string; ino: string; birth: string };
  /** Nanoseconds. */
  modified: string;
}

/** All files of one moment, in the order in which a server loads them. */
export interface OpenAofSet extends AsyncDisposable {
  source: AofSource;
  /** undefined for a single file. */
  manifest: AofManifest | undefined;
  files: OpenAofFile[];
  /** Listed, and not there. */
  missing: AofFile[];
  /**
   * The base of a server before 7.0 that lies where that had it, since the upgrade was cut off: a server moves it when it
   * starts. Its path.
   */
  unmoved: string | undefined;
}

const attempts = 50;
/** Milliseconds. */
const pause = 20;
/** A manifest has a line for each file; anything near this bound is none. */
const manifestLimit = 1024 * 1024;

/**
 * Opens the files of one moment, while the server goes on writing and rewriting, and without any right but to read:
 * the manifest, then every file that it lists, then the manifest again. While it stays the same, these were the
 * server's files. A base never changes, an incr that is not the last one has got all its bytes, and the last one only
 * grows: so the sizes of now are a past state of the data, and every part of it is held by a descriptor.
 *
 * Resolves with undefined when there is no AOF. Throws an AgentError: `damaged` for a manifest that no server would
 * load, `failed` when files cannot be read.
 */
export async function openAofSet(
  source: AofSource,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<OpenAofSet | undefined> {
  if (source.layout === 'single') return await openSingle(source);
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const text = await readManifest(source.path);
    if (text === undefined) return undefined;
    const manifest = parseOrThrow(text, source.path);
    const opened = await openListed(source, manifest);
    let same = false;
    try {
      same = (await readManifest(source.path)) === text;
      if (same) await measure(opened.files);
    } finally {
      if (!same) await closeAll(opened.files);
    }
    if (same) return withDispose({ source, manifest, ...opened });
    if (attempt === attempts)
      throw new AgentError('failed', `${source.path} changed ${attempts} times while it was read`, {
        hint: 'the server rewrites its AOF without end: see auto-aof-rewrite-percentage',
      });
    await clock.sleep(pause, signal);
  }
}

/** Files in the folder of a set that no manifest lists. A server at work makes some for a moment: look twice. */
export async function findUnlisted({ path, layout }: AofSource): Promise<string[]> {
  if (layout === 'single') return [];
  const folder = dirname(path);
  const names = await namesIn(folder);
  const text = await readManifest(path);
  if (text === undefined) return [];
  const { base, incrs, history } = parseOrThrow(text, path);
  const listed = new Set([base, ...incrs, ...history].map((file) => file?.name));
  const temporary = /^temp-/;
  return names
    .filter((name) => !listed.has(name) && name !== basename(path) && !temporary.test(name))
    .toSorted();
}

async function openSingle(source: AofSource): Promise<OpenAofSet | undefined> {
  const handle = await openAofFile(source.path);
  if (handle === undefined) return undefined;
  const files = [unmeasured(basename(source.path), undefined, handle)];
  await measure(files);
  return withDispose({ source, manifest: undefined, files, missing: [], unmoved: undefined });
}

async function openListed(
  { path }: AofSource,
  { base, incrs }: AofManifest,
): Promise<Pick<OpenAofSet, 'files' | 'missing' | 'unmoved'>> {
  const files: OpenAofFile[] = [];
  const missing: AofFile[] = [];
  let unmoved: string | undefined;
  try {
    for (const listed of base === undefined ? incrs : [base, ...incrs]) {
      const handle = await openAofFile(join(dirname(path), listed.name));
      if (handle !== undefined) {
        files.push(unmeasured(listed.name, listed, handle));
        continue;
      }
      const old = isUpgrade({ base, incrs }, path) ? join(dirname(dirname(path)), listed.name) : undefined;
      const before = old === undefined ? undefined : await openAofFile(old);
      if (before === undefined) missing.push(listed);
      else {
        unmoved = old;
        files.push(unmeasured(listed.name, listed, before));
      }
    }
  } catch (error) {
    await closeAll(files);
    throw error;
  }
  return { files, missing, unmoved };
}

/** Does it list nothing but the one file that a server before 7.0 had (aof.c, loadAppendOnlyFiles)? */
function isUpgrade({ base, incrs }: Pick<AofManifest, 'base' | 'incrs'>, path: string): boolean {
  return base !== undefined && incrs.length === 0 && `${base.name}.manifest` === basename(path);
}

function unmeasured(name: string, listed: AofFile | undefined, handle: OpenedFile): OpenAofFile {
  return { name, listed, handle, size: 0, identity: { dev: '', ino: '', birth: '' }, modified: '' };
}

async function measure(files: OpenAofFile[]): Promise<void> {
  for (const file of files) {
    const { dev, ino, size, birthtimeNs, mtimeNs } = await file.handle.stat({ bigint: true });
    file.size = Number(size);
    file.identity = { dev: String(dev), ino: String(ino), birth: String(birthtimeNs) };
    file.modified = String(mtimeNs);
  }
}

async function readManifest(path: string): Promise<string | undefined> {
  const handle = await openAofFile(path);
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    if (size > manifestLimit)
      throw new AgentError('damaged', `${path} has ${size} bytes and is no manifest`, { reason: 'manifest' });
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await handle.read(bytes, 0, size, 0);
    return bytes.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

function parseOrThrow(text: string, path: string): AofManifest {
  try {
    return parseAofManifest(text);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    throw new AgentError('damaged', `${path}: ${error.message}`, { cause: error, reason: 'manifest' });
  }
}

function withDispose(set: Omit<OpenAofSet, typeof Symbol.asyncDispose>): OpenAofSet {
  return { ...set, [Symbol.asyncDispose]: () => closeAll(set.files) };
}

async function closeAll(files: readonly OpenAofFile[]): Promise<void> {
  for (const { handle } of files) await handle.close();
}
