import { Crc64 } from './crc64.ts';
import { FileReader } from './file-reader.ts';
import { RdbError, type KeyScanner, type RdbHandler, type TokenSink } from './rdb-handler.ts';
import { checksumSince, newestKnown, type RdbVersion } from './rdb-version.ts';
import { Window } from './window.ts';

export interface ReaderOptions {
  /** Bytes of a key that are kept; longer ones are cut. 64 KiB when left out. */
  keyLimit?: number;
  /** Bytes of a string that a sink is given; longer ones are skipped. 64 MiB when left out. */
  stringLimit?: number;
  /** Bytes of a value that `record` is given. 512 MiB when left out: what a server takes in one argument. */
  rawLimit?: number;
  /** Bytes of an auxiliary field, or of a function library's code, that are kept. 64 KiB when left out. */
  textLimit?: number;
  /** Gets the tokens of values that the handler wishes for. */
  sink?: TokenSink;
  /** Do not compute the CRC64: somebody else does. */
  withoutChecksum?: boolean;
  /** Read past packed values whose head is damaged, too: somebody looks at each value for himself. */
  lenient?: boolean;
  /** The file goes on after the RDB (an AOF with a preamble): `end` tells where, instead of an error. */
  partOfFile?: boolean;
}

export interface RdbSummary {
  version: RdbVersion;
  /** off: eight zeros (`rdbchecksum no`) · none: of a version that had none · unchecked: not asked for. */
  crc: 'ok' | 'off' | 'none' | 'unchecked';
  /** Length of the RDB with its trailer. */
  bytes: number;
  /** Keys in the file. */
  records: number;
}

const trailerBytes = 8;
/** What is parsed and then summed at once: small enough to be still in the processor's cache for the sum. */
const stride = 256 * 1024;
/** How much of a chunk is put behind what was left of the one before; tokens are shorter, so once is enough. */
const joinBytes = 128;

/**
 * Reads an RDB as it streams by, in any chunks and in bounded memory: every opcode, length and value is walked through,
 * the CRC64 compared, and nothing may follow the end. Throws an RdbError at the first fault, with its place.
 */
export class RdbReader {
  readonly #window = new Window();
  readonly #handler: RdbHandler;
  readonly #file: FileReader;
  readonly #crc: Crc64 | undefined;
  readonly #trailer = new Uint8Array(trailerBytes);
  readonly #partOfFile: boolean;
  #fault: unknown;
  /** Bytes that were given to `update`. */
  #seen = 0;
  /** What was left of the chunk before: the beginning of a token. */
  #rest: Uint8Array = new Uint8Array(0);

  constructor(handler: RdbHandler, options: ReaderOptions = {}) {
    this.#handler = handler;
    this.#file = new FileReader(this.#window, handler, options);
    this.#crc = options.withoutChecksum === true ? undefined : new Crc64();
    this.#partOfFile = options.partOfFile === true;
  }

  /** Where in the file the RDB ends, its trailer included; undefined until it is seen. */
  get end(): number | undefined {
    const { endedAt, version } = this.#file;
    return endedAt === undefined ? undefined : endedAt + (hasTrailer(version) ? trailerBytes : 0);
  }

  /** Does not keep `chunk`. Throws an RdbError. */
  update(chunk: Uint8Array): void {
    // Not a Buffer, whose slice() would share its memory.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
    for (let at = 0; at < bytes.length; at += stride) {
      this.#located(() => this.#part(bytes.subarray(at, at + stride)));
    }
  }

  /** Once, after the last chunk. Throws an RdbError. */
  finish(): RdbSummary {
    return this.#located(() => {
      const { version, records } = this.#file;
      const { end } = this;
      if (version === undefined || end === undefined || this.#seen < end)
        throw this.#file.truncated(this.#seen);
      return { version, crc: this.#verdict(version), bytes: end, records };
    });
  }

  #verdict(version: RdbVersion): RdbSummary['crc'] {
    if (!hasTrailer(version)) return 'none';
    if (this.#trailer.every((byte) => byte === 0)) return 'off';
    if (this.#crc === undefined) return 'unchecked';
    if (this.#crc.equals(this.#trailer)) return 'ok';
    throw new RdbError('damaged', 'its CRC64 does not match its content', (this.end ?? 0) - trailerBytes);
  }

  #part(part: Uint8Array): void {
    const from = this.#seen;
    this.#seen += part.length;
    if (this.#file.endedAt === undefined) this.#parse(part, from);
    const ended = this.#file.endedAt ?? Infinity;
    this.#crc?.update(part.subarray(0, Math.max(0, ended - from)));
    const end = this.end;
    if (end === undefined) return;
    const trailer = part.subarray(Math.max(0, ended - from), Math.max(0, end - from));
    this.#trailer.set(trailer, Math.max(0, from - ended));
    if (this.#seen > end && !this.#partOfFile) throw trailing(this.#seen - end, end);
  }

  #parse(part: Uint8Array, from: number): void {
    const window = this.#window;
    let at = Math.max(0, window.offset - from);
    if (this.#rest.length > 0) {
      const joined = this.#parseJoined(part, from);
      if (joined === undefined) return;
      at = joined;
    }
    if (this.#file.endedAt !== undefined) return;
    const shown = this.#scanner()?.place(part) ?? part;
    const before = shown.length - part.length;
    window.show(shown, from - before, before + at);
    this.#file.run();
    this.#leave(window.end);
  }

  #scanner(): KeyScanner | undefined {
    return this.#handler.wish === undefined ? this.#handler.scanner : undefined;
  }

  /** What was left and the first bytes of this part. Where in the part to go on, or undefined if it is used up. */
  #parseJoined(part: Uint8Array, from: number): number | undefined {
    const window = this.#window;
    for (let take = joinBytes; ; take *= 8) {
      const rest = this.#rest;
      const joined = new Uint8Array(rest.length + Math.min(take, part.length));
      joined.set(rest);
      joined.set(part.subarray(0, take), rest.length);
      window.show(joined, from - rest.length, 0, take < part.length ? rest.length : joined.length);
      this.#file.run();
      if (this.#file.endedAt !== undefined) return 0;
      if (take >= part.length) {
        this.#leave(joined.length);
        return undefined;
      }
      this.#leave(rest.length);
      if (window.at >= rest.length) return window.at - rest.length;
    }
  }

  /** The bytes before `end` go: keeps those that no token has used. */
  #leave(end: number): void {
    const { bytes, at } = this.#window;
    this.#file.leave();
    this.#rest = at < end ? bytes.slice(at, end) : new Uint8Array(0);
  }

  /** Says in every fault where it is; after one, nothing is read any more. */
  #located<T>(act: () => T): T {
    if (this.#fault !== undefined) throw this.#fault;
    try {
      return act();
    } catch (error) {
      this.#fault = error;
      throw error instanceof RdbError ? this.#file.locate(error) : error;
    }
  }
}

function hasTrailer(version: RdbVersion | undefined): boolean {
  return version !== undefined && version.version >= checksumSince;
}

function trailing(bytes: number, end: number): RdbError {
  return new RdbError('damaged', `at least ${bytes} bytes follow the end`, end);
}

/** Is this of a version that came after this reader? Then what looks like damage may be news. */
export function isNews({ engine, version }: RdbVersion): boolean {
  return version > newestKnown[engine];
}
