import { withRules } from '../rdb/rdb-check.ts';
import { RdbError, type RdbHandler } from '../rdb/rdb-handler.ts';
import { isNews, RdbReader } from '../rdb/rdb-reader.ts';
import type { DumpRules } from '../rdb/whole/dump-rules.ts';
import type { Engine, RdbVersion } from '../rdb/rdb-version.ts';
import { writerOf } from '../rdb/writer-of.ts';
import { RespScanner, type RespCommand, type RespEnd, type RespScan } from './resp-scanner.ts';

/** The RDB that an append only file may start with; a base usually is nothing else. */
export interface AofPreamble {
  version: RdbVersion;
  /** Its length with its trailer. */
  bytes: number;
  keys: number;
  /** Seconds since 1970, from its `ctime`. */
  createdAt: number | undefined;
  /** Engine and version of the server that wrote it. */
  writtenBy: { engine: Engine; version: string } | undefined;
}

export interface AofScan extends Omit<RespScan, 'end'> {
  preamble: AofPreamble | undefined;
  end: AofEnd;
}

export type AofEnd =
  | RespEnd
  /** It ends inside the RDB at its start: no server loads that. */
  | { state: 'torn'; inside: 'preamble'; command: undefined }
  /** Its RDB is of a kind that this reader does not know: nothing can be said of it. */
  | { state: 'unknown'; offset: number; why: string };

export interface AofScanOptions {
  /** Where in the file the first byte is; 0 when left out. Elsewhere there is no preamble. */
  offset?: number;
  /** May it start with an RDB? An incr may not. */
  preamble: boolean;
  /** Decode every value of that RDB too, and hold it to what these ask. */
  rules?: DumpRules | undefined;
  onCommand?: (command: RespCommand) => void;
}

/** Reads one append only file: an RDB where there may be one, every byte of it, then the framing of its commands. */
export class AofScanner {
  readonly #options: AofScanOptions;
  /** While its RDB is being read. */
  #rdb: RdbReader | undefined;
  #resp: RespScanner | undefined;
  /** Bytes seen, while there is no scanner of commands. */
  #seen = 0;
  #preamble: AofPreamble | undefined;
  #version: RdbVersion | undefined;
  readonly #aux = new Map<string, string>();
  #fault: AofEnd | undefined;

  constructor(options: AofScanOptions) {
    this.#options = options;
    if ((options.offset ?? 0) > 0 || !options.preamble) this.#readCommands(options.offset ?? 0);
  }

  /** Does not keep `chunk`. Never throws for what is in it: that is told by `result`. */
  update(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.#resp === undefined && this.#seen === 0) this.#start(chunk[0]!);
    if (this.#resp !== undefined) this.#resp.update(chunk);
    else if (this.#fault === undefined) this.#updateRdb(chunk);
    else this.#seen += chunk.length;
  }

  /** More may follow. */
  result(): AofScan {
    if (this.#resp !== undefined) return { ...this.#resp.result(), preamble: this.#preamble };
    const end: AofEnd =
      this.#seen === 0 ? { state: 'ok' } : { state: 'torn', inside: 'preamble', command: undefined };
    return {
      bytes: this.#seen,
      commands: 0,
      sound: 0,
      soundCommands: 0,
      timestamps: undefined,
      preamble: this.#preamble,
      end: this.#fault ?? end,
    };
  }

  /** A command starts with `*`, an annotation with `#`. */
  #start(byte: number): void {
    if (byte !== 0x52 && byte !== 0x56) return this.#readCommands(0);
    const { rules } = this.#options;
    const handler: RdbHandler = {
      start: (version) => (this.#version = version),
      aux: (name, value) => this.#aux.set(name, value),
    };
    this.#rdb =
      rules === undefined
        ? new RdbReader(handler, { partOfFile: true })
        : new RdbReader(withRules(handler, rules), { partOfFile: true, sink: rules.sink });
  }

  #readCommands(offset: number): void {
    const { onCommand } = this.#options;
    this.#resp = new RespScanner({ offset, ...(onCommand === undefined ? {} : { onCommand }) });
  }

  #updateRdb(chunk: Uint8Array): void {
    const from = this.#seen;
    this.#seen += chunk.length;
    try {
      this.#rdb?.update(chunk);
      const end = this.#rdb?.end;
      if (end === undefined || this.#seen < end) return;
      this.#endRdb();
      if (this.#fault !== undefined) return;
      this.#readCommands(end);
      this.update(chunk.subarray(end - from));
    } catch (error) {
      this.#fault = faultOf(error, this.#version);
    }
  }

  #endRdb(): void {
    const summary = this.#rdb?.finish();
    this.#rdb = undefined;
    if (summary === undefined) return;
    const createdAt = Number(this.#aux.get('ctime') ?? Number.NaN);
    this.#preamble = {
      version: summary.version,
      bytes: summary.bytes,
      keys: summary.records,
      createdAt: Number.isSafeInteger(createdAt) ? createdAt : undefined,
      writtenBy: writerOf((name) => this.#aux.get(name)),
    };
    if (isNews(summary.version))
      this.#fault = {
        state: 'unknown',
        offset: 0,
        why: `its RDB version ${summary.version.version} is newer than this redis-agent, and than any server that it was tried with`,
      };
  }
}

/** What a later version has added looks like damage to this reader. */
export function faultOf(error: unknown, version: RdbVersion | undefined): AofEnd {
  if (!(error instanceof RdbError)) throw error;
  const { kind, message, offset } = error;
  if (kind === 'unknown' || (version !== undefined && isNews(version)))
    return { state: 'unknown', offset, why: message };
  return { state: 'corrupt', offset, expected: 'a sound RDB at its start', found: message };
}
