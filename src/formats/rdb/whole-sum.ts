import { Crc64 } from './crc64.ts';
import { opcode } from './opcode-reader.ts';
import { isNews } from './rdb-reader.ts';
import { checksumSince, headerBytes, readRdbVersion } from './rdb-version.ts';

const trailerBytes = 8;

/**
 * Tells without reading a record that a dump is, to the last byte, what a server has written: by its header, of a version
 * whose every opcode is known, its end opcode and its CRC64. That takes a fraction of the time that its records take.
 */
export class WholeSum {
  readonly #crc = new Crc64();
  readonly #header = new Uint8Array(headerBytes);
  #seen = 0;
  /** The last bytes: the trailer, if nothing follows. */
  #held = new Uint8Array(0);
  /** The byte before them. */
  #last = 0;

  /** Does not keep `chunk`. */
  update(chunk: Uint8Array): void {
    if (this.#seen < headerBytes) this.#header.set(chunk.subarray(0, headerBytes - this.#seen), this.#seen);
    this.#seen += chunk.length;
    const held = this.#held;
    const passed = Math.max(0, held.length + chunk.length - trailerBytes);
    const [fromHeld, fromChunk] = [Math.min(passed, held.length), Math.max(0, passed - held.length)];
    this.#crc.update(held.subarray(0, fromHeld)).update(chunk.subarray(0, fromChunk));
    if (passed > 0) this.#last = fromChunk > 0 ? chunk[fromChunk - 1]! : held[fromHeld - 1]!;
    this.#held = new Uint8Array(held.length + chunk.length - passed);
    this.#held.set(held.subarray(fromHeld));
    this.#held.set(chunk.subarray(fromChunk), held.length - fromHeld);
  }

  /** After the last chunk. False where it is damaged, and where this cannot tell: its checksum is off, its version new. */
  get proven(): boolean {
    const version = readRdbVersion(this.#header);
    if (version === undefined || version.version < checksumSince || isNews(version)) return false;
    const off = this.#held.every((byte) => byte === 0);
    return !off && this.#last === opcode.end && this.#crc.equals(this.#held);
  }
}
