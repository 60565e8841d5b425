import type { AofContent } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import { TarReader } from '../tar/tar-reader.ts';
import type { TarEntry } from '../tar/tar-header.ts';
import { parseAofManifest, type AofFile } from './aof-manifest.ts';
import { AofScanner, type AofEnd } from './aof-scanner.ts';
import type { DumpRules } from '../rdb/whole/dump-rules.ts';
import { archiveFile, archiveManifest, memberPath } from './archive-names.ts';

/** What an archive holds; or what is wrong with it. */
export type AofArchiveVerdict =
  | {
      sound: true;
      content: AofContent;
      /** Of the RDB that it starts with; 0 where it starts with none. */
      rdbVersion: number;
      /** Why a part could not be read to its end, although it may be sound. */
      unread: string | null;
    }
  | { sound: false; problem: string };

/** A manifest has a line for each file; anything near this bound is none. */
const manifestLimit = 1024 * 1024;

/**
 * Checks the archive of an append only file as it streams by: its manifest, that it holds just what that lists and in its
 * order, every byte of an RDB at the start (with `rules` every value decoded), and the framing of every command, to a last one
 * that is whole.
 */
export class AofArchiveCheck {
  readonly #rules: DumpRules | undefined;
  readonly #reader = new TarReader();
  readonly #files: AofContent['files'] = [];
  #layout: AofContent['layout'] = 'single';
  /** Files that have to follow. */
  #expected: AofFile[] = [];
  #manifest: Buffer[] | undefined;
  #current: { name: string; type: AofContent['files'][number]['type']; scanner: AofScanner } | undefined;
  #begun = false;
  #rdbVersion = 0;
  #unread: string | null = null;
  #problem: string | undefined;

  /** `rules`: those of one reading, as there is no second. */
  constructor({ rules }: { rules?: DumpRules | undefined } = {}) {
    this.#rules = rules;
  }

  /** Does not keep `chunk`. Never throws for what is in it: that is told by `finish`. */
  update(chunk: Uint8Array): void {
    this.#attempt(() => {
      for (const { entry, data } of this.#reader.read(chunk)) {
        if (entry !== undefined) this.#begin(entry);
        else if (this.#manifest === undefined) this.#current?.scanner.update(data);
        else this.#manifest.push(Buffer.from(data));
      }
    });
  }

  finish(): AofArchiveVerdict {
    this.#attempt(() => {
      this.#reader.finish();
      this.#endFile();
      const [missing] = this.#expected;
      if (missing !== undefined) throw wrong(`${missing.name} is in its manifest and not in it`);
      if (this.#files.length === 0) throw wrong('it holds no append only file');
    });
    if (this.#problem !== undefined) return { sound: false, problem: this.#problem };
    return {
      sound: true,
      content: { layout: this.#layout, files: this.#files },
      rdbVersion: this.#rdbVersion,
      unread: this.#unread,
    };
  }

  #attempt(act: () => void): void {
    if (this.#problem !== undefined) return;
    try {
      act();
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      this.#problem = error.message;
    }
  }

  #begin({ name, bytes }: TarEntry): void {
    this.#endFile();
    if (!this.#begun && name === archiveManifest) {
      if (bytes > manifestLimit) throw wrong(`${name} has ${bytes} bytes and is no manifest`);
      this.#layout = 'multi-part';
      this.#manifest = [];
    } else if (!this.#begun && name === archiveFile) {
      this.#scan(name, 'single');
    } else {
      const next = this.#expected.shift();
      if (next === undefined || name !== memberPath(next.name))
        throw wrong(`${JSON.stringify(name)} is not what comes next in it`);
      this.#scan(next.name, next.type === 'b' ? 'base' : 'incr');
    }
    this.#begun = true;
  }

  #scan(name: string, type: AofContent['files'][number]['type']): void {
    const scanner = new AofScanner({ preamble: type !== 'incr', rules: this.#rules });
    this.#current = { name, type, scanner };
  }

  #endFile(): void {
    if (this.#manifest !== undefined) {
      const { base, incrs } = parseAofManifest(Buffer.concat(this.#manifest).toString('utf8'));
      this.#expected = base === undefined ? incrs : [base, ...incrs];
      this.#manifest = undefined;
    }
    if (this.#current === undefined) return;
    const { name, type, scanner } = this.#current;
    const { bytes, commands, preamble, end } = scanner.result();
    this.#current = undefined;
    if (end.state === 'unknown') this.#unread ??= `${name} at byte ${end.offset}: ${end.why}`;
    else if (end.state !== 'ok') throw wrong(`${name} ${describeEnd(end)}`);
    this.#rdbVersion ||= preamble?.version.version ?? 0;
    this.#files.push({ name, type, bytes, commands });
  }
}

function describeEnd(end: Exclude<AofEnd, { state: 'ok' | 'unknown' }>): string {
  if (end.state === 'torn') return `ends inside a ${end.inside}`;
  if (end.state === 'hostile')
    return `is hostile: ${end.command} at byte ${end.offset} is no command that a server writes`;
  return `is corrupt at byte ${end.offset}: expected ${end.expected}, found ${end.found}`;
}

function wrong(problem: string): AgentError {
  return new AgentError('damaged', problem, { reason: 'archive' });
}
