import { AgentError } from '../../domain/errors.ts';
import { formatAofManifest, parseAofManifest } from '../../formats/aof/aof-manifest.ts';
import { archiveFile, memberName, renamedManifest } from '../../formats/aof/archive-names.ts';
import { TarReader } from '../../formats/tar/tar-reader.ts';
import type { StagedFile } from '../../lib/files/staged-file.ts';

export interface UnpackOptions {
  /** What the server that is to load it reads: a folder with a manifest (7.0 and newer), or one file. */
  layout: 'multi-part' | 'single';
  /** Its `appendfilename`: files are named after it. */
  stem: string;
  /** Makes a new file of that bare name; it is closed here. */
  create: (name: string) => Promise<StagedFile>;
}

/** Files that were unpacked, in the order in which a server loads them. */
export interface UnpackedAof {
  files: { name: string; type: 'b' | 'i' }[];
  /** undefined for a single file. */
  manifest: string | undefined;
}

/** A manifest has a line for each file; anything near this bound is none. */
const manifestLimit = 1024 * 1024;

/**
 * Writes the files of an archive and a manifest of their new names as a server of that layout loads them. A single file
 * becomes the base of a set, as servers themselves upgrade it. Rejects with what `chunks` or `create` throws, and with an
 * AgentError: `damaged` for what is no archive of ours, `refused` for a set of files where one is needed. The caller
 * removes what was written then.
 */
export async function unpackAof(
  chunks: AsyncIterable<Uint8Array>,
  options: UnpackOptions,
): Promise<UnpackedAof> {
  const { layout, stem } = options;
  const reader = new TarReader();
  const unpacking = new Unpacking(options);
  try {
    for await (const chunk of chunks)
      for (const { entry, data } of reader.read(chunk))
        if (entry === undefined) await unpacking.write(data);
        else await unpacking.begin(entry.name);
    reader.finish();
    await unpacking.end();
  } finally {
    await unpacking.close();
  }
  if (layout === 'single') return { files: [{ name: stem, type: 'b' }], manifest: undefined };
  const manifest = unpacking.manifest();
  const { base, incrs } = manifest;
  const name = `${stem}.manifest`;
  await using file = await options.create(name);
  await file.write(Buffer.from(formatAofManifest(manifest)));
  await file.finish(true);
  const listed = base === undefined ? incrs : [base, ...incrs];
  return {
    files: listed.map((each) => ({ name: each.name, type: each.type === 'b' ? 'b' : 'i' })),
    manifest: name,
  };
}

/** One archive on its way to its files. */
class Unpacking {
  readonly #options: UnpackOptions;
  #file: StagedFile | undefined;
  #text: Buffer[] | undefined;
  /** What was there already, by the new names: a second one is never written, nor is that this host's failure. */
  readonly #names = new Set<string>();

  constructor(options: UnpackOptions) {
    this.#options = options;
  }

  async begin(path: string): Promise<void> {
    await this.end();
    const member = memberName(path);
    if (member === undefined)
      throw new AgentError(
        'damaged',
        `the archive holds ${JSON.stringify(path)}, which is no part of an append only file`,
      );
    const { layout, stem, create } = this.#options;
    if (member.endsWith('.manifest')) {
      if (layout === 'single') throw notOneFile();
      this.#once(member, path);
      this.#text = [];
      return;
    }
    const alone = member === archiveFile;
    const name = alone && layout === 'multi-part' ? upgraded(stem) : member.replace(archiveFile, () => stem);
    this.#once(name, path);
    this.#file = await create(name);
  }

  #once(name: string, path: string): void {
    if (this.#names.has(name))
      throw new AgentError('damaged', `the archive holds ${JSON.stringify(path)} twice`);
    this.#names.add(name);
  }

  async write(data: Uint8Array): Promise<void> {
    if (this.#file !== undefined) {
      await this.#file.write(data);
      return;
    }
    const text = this.#text;
    if (text === undefined) return;
    text.push(Buffer.from(data));
    if (text.reduce((sum, { length }) => sum + length, 0) > manifestLimit)
      throw new AgentError('damaged', 'the manifest in the archive is far too large to be one');
  }

  /** Of the file that is being written. */
  async end(): Promise<void> {
    if (this.#file === undefined) return;
    await this.#file.finish(true);
    await this.close();
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.[Symbol.asyncDispose]();
  }

  /** By the new names. */
  manifest(): ReturnType<typeof renamedManifest> {
    const { stem } = this.#options;
    if (this.#text === undefined)
      return { base: { name: upgraded(stem), seq: 1, type: 'b', extra: [] }, incrs: [] };
    return renamedManifest(parseAofManifest(Buffer.concat(this.#text).toString('utf8')), stem);
  }
}

function upgraded(stem: string): string {
  return `${stem}.1.base.aof`;
}

function notOneFile(): AgentError {
  return new AgentError('refused', 'it is a set of several files, which servers of before 7.0 do not read', {
    reason: 'multi-part',
    hint: 'a server of 7.0 or newer is needed',
  });
}
