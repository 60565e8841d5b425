import { join } from 'node:path';
import { tmpdir } from 'node:os';
import type { KeyCount } from '../../../domain/backup.ts';
import { infoKeyspace } from '../../../formats/info/parse-info.ts';
import { openForeign } from '../../../lib/files/foreign-file.ts';
import { systemClock } from '../../../lib/time/system-clock.ts';
import { runCheckAof } from '../../../redis/process/check-aof-tool.ts';
import type { ScratchAof } from '../../../redis/scratch/scratch-aof.ts';
import { longestScratchFolder, sweepScratch } from '../../../redis/scratch/scratch-folder.ts';
import { startScratchServer } from '../../../redis/scratch/scratch-server.ts';
import { readInfo } from '../../../redis/server.ts';
import { runCheckRdb, type CheckTool } from '../../../redis/process/tools.ts';
import { journalFolder } from '../journal.ts';
import type { OpenFiles } from './open-files.ts';

/** Something staged that a check tool looks at; the path counts from the data directory. */
export interface StagedCheck {
  kind: 'rdb' | 'aof';
  tool: CheckTool;
  path: string;
}

/** What a scratch server is to load of it; paths count from the data directory. */
export interface StagedLoad {
  /** Of the version that it is loaded by; its program is the server, too. */
  tool: CheckTool;
  dump?: string;
  aof?: ScratchAof;
  databases?: number | undefined;
  /** Has it write what it holds into this new file, as a dump. */
  saveAs?: string;
}

/**
 * Has programs of the server's version look at what is staged. One at a time; they run with the rights of this process,
 * which owns what they read, in a folder of the data directory's where its path has room for a socket's.
 */
export class StagedProofs {
  readonly #dir: string;
  readonly #files: OpenFiles;
  #over = new AbortController();
  #share = 0;

  constructor(dir: string, files: OpenFiles) {
    this.#dir = dir;
    this.#files = files;
  }

  /** Rejects when the tool cannot be run, or was stopped. */
  async check({ kind, tool, path }: StagedCheck): Promise<{ ok: boolean; summary: string }> {
    const run = kind === 'rdb' ? runCheckRdb : runCheckAof;
    const { ok, summary } = await run(tool, join(this.#dir, path), this.#begin());
    return { ok, summary };
  }

  /** What it holds then. Rejects like startScratchServer. */
  async load({ tool, dump, aof, databases, saveAs }: StagedLoad): Promise<Record<string, KeyCount>> {
    const signal = this.#begin();
    const place = join(this.#dir, journalFolder);
    const fits = Buffer.byteLength(place) <= longestScratchFolder;
    if (fits) await sweepScratch(place);
    const at = (path: string): string => join(this.#dir, path);
    const files = aof?.files.map((file) => ({ ...file, path: at(file.path) }));
    await using server = await startScratchServer({
      program: { path: tool.path, argv0: tool.argv0.replace(/check-(?:rdb|aof)$/, 'server') },
      directory: fits ? place : tmpdir(),
      ...(dump === undefined ? {} : { dumpFile: at(dump) }),
      ...(aof === undefined || files === undefined ? {} : { aof: { ...aof, files } }),
      databases,
      clock: systemClock,
      signal,
      onProgress: (share) => (this.#share = share),
    });
    const loaded = infoKeyspace(await readInfo(server.connection));
    if (saveAs !== undefined) await this.#copy(await server.save(), saveAs);
    return loaded;
  }

  /** Of what is being loaded, 0 to 1. */
  loadedShare(): number {
    return this.#share;
  }

  /** Whatever is at work ends. */
  stop(): void {
    this.#over.abort(new Error('it is not wanted any more'));
  }

  async #copy(from: string, to: string): Promise<void> {
    await using source = await openForeign(from);
    const target = await this.#files.create(to);
    try {
      const chunks: AsyncIterable<Uint8Array> = source.createReadStream({ autoClose: false });
      for await (const chunk of chunks) await this.#files.write(target, chunk);
      await this.#files.finish(target, true);
    } finally {
      await this.#files.close(target);
    }
  }

  #begin(): AbortSignal {
    this.#share = 0;
    this.#over = new AbortController();
    return this.#over.signal;
  }
}
