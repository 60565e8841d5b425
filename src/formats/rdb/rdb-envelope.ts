import { Crc64 } from './crc64.ts';
import { headerBytes, readRdbVersion } from './rdb-version.ts';

export type EnvelopeVerdict =
  | { sound: true; rdbVersion: number; crc: 'ok' | 'off' }
  | { sound: false; problem: string };

const trailerBytes = 8;
const endOpcode = 0xff;

/**
 * Checks what encloses an RDB's data, in one pass over its bytes: the magic and version, the end opcode, and the
 * CRC64 of everything before the last 8 bytes. It does not look at keys and values.
 *
 * `REDIS` and four digits; since RDB version 80 (Valkey 9) `VALKEY` and three digits.
 */
export class RdbEnvelope {
  readonly #bytes: number;
  readonly #crc = new Crc64();
  readonly #header = new Uint8Array(headerBytes);
  /** The end opcode and the trailer. */
  readonly #tail = new Uint8Array(1 + trailerBytes);
  #seen = 0;

  /** `bytes`: the whole file's length, which must be known before. */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** Does not keep `chunk`. */
  update(chunk: Uint8Array): void {
    if (this.#seen < headerBytes) this.#header.set(chunk.subarray(0, headerBytes - this.#seen), this.#seen);
    this.#crc.update(chunk.subarray(0, Math.max(0, this.#bytes - trailerBytes - this.#seen)));
    const tailFrom = this.#bytes - this.#tail.length - this.#seen;
    // What is beyond the length that was told is only counted.
    if (tailFrom < chunk.length && this.#seen < this.#bytes) {
      const part = chunk.subarray(Math.max(0, tailFrom), Math.max(0, this.#bytes - this.#seen));
      this.#tail.set(part, Math.max(0, -tailFrom));
    }
    this.#seen += chunk.length;
  }

  finish(): EnvelopeVerdict {
    if (this.#seen !== this.#bytes) return problem(`it has ${this.#seen} bytes instead of ${this.#bytes}`);
    if (this.#bytes < headerBytes + this.#tail.length) return problem(`${this.#bytes} bytes are too few`);
    const rdbVersion = readRdbVersion(this.#header)?.version;
    if (rdbVersion === undefined) return problem('it does not start with REDIS or VALKEY and a version');
    if (this.#tail[0] !== endOpcode) return problem('it does not end with the end opcode and a checksum');
    const trailer = this.#tail.subarray(1);
    if (this.#crc.equals(trailer)) return { sound: true, rdbVersion, crc: 'ok' };
    if (trailer.every((byte) => byte === 0)) return { sound: true, rdbVersion, crc: 'off' };
    return problem('its CRC64 does not match its content');
  }
}

function problem(text: string): EnvelopeVerdict {
  return { sound: false, problem: text };
}
