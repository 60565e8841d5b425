import type { KeyCount } from '../../domain/backup.ts';

/** The first database that a dump announces, or `none` when it holds no key at all. */
export type FirstDatabase = ({ number: string } & KeyCount) | 'none';

/** Enough for the header, its few AUX fields and a usual library of functions. */
export const headBytes = 64 * 1024;

const opcode = { function2: 0xf5, aux: 0xfa, resizeDb: 0xfb, selectDb: 0xfe, end: 0xff } as const;

/**
 * What a dump's first bytes say about its first database: servers write SELECTDB and RESIZEDB with exact counts before
 * its first key (rdb.c, rdbSaveRio). Undefined when the head does not reach so far or holds opcodes unknown here
 * (data of modules); nothing is ever guessed.
 */
export function readFirstDatabase(head: Uint8Array): FirstDatabase | undefined {
  // `REDIS0010`, or `VALKEY080` since Valkey 9: nine bytes both.
  if (!/^(REDIS\d{4}|VALKEY\d{3})$/.test(String.fromCharCode(...head.subarray(0, 9)))) return undefined;
  const cursor = new Cursor(head, 9);
  let number: bigint | undefined;
  while (!cursor.ended) {
    switch (cursor.byte()) {
      case opcode.aux:
        cursor.skipString();
        cursor.skipString();
        break;
      case opcode.function2:
        cursor.skipString();
        break;
      case opcode.selectDb:
        number = cursor.length();
        break;
      case opcode.resizeDb: {
        const [keys, expires] = [cursor.length(), cursor.length()];
        if (cursor.ended || number === undefined) return undefined;
        return { number: String(number), keys: Number(keys), expires: Number(expires) };
      }
      case opcode.end:
        return cursor.ended ? undefined : 'none';
      default:
        return undefined;
    }
  }
  return undefined;
}

/** Reads RDB's lengths and strings; past the end it returns zeroes and sets `ended`. */
class Cursor {
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  get ended(): boolean {
    return this.#at > this.#view.byteLength;
  }

  byte(): number {
    const at = this.#at++;
    return this.ended ? 0 : this.#view.getUint8(at);
  }

  length(): bigint {
    return this.#plainLength(this.byte());
  }

  skipString(): void {
    const first = this.byte();
    if (first >> 6 !== 3) {
      const length = Number(this.#plainLength(first)); // moves #at itself
      this.#at += length;
      return;
    }
    const encoding = first & 0x3f;
    if (encoding <= 2) {
      this.#at += 1 << encoding; // an integer of 1, 2 or 4 bytes
      return;
    }
    // LZF: compressed length, plain length, compressed bytes
    const compressed = this.length();
    this.length();
    this.#at += Number(compressed);
  }

  /** 6 bits; 14 bits; 0x80 and 32 bits; 0x81 and 64 bits; all big endian. */
  #plainLength(first: number): bigint {
    if (first >> 6 === 0) return BigInt(first);
    if (first >> 6 === 1) return BigInt(((first & 0x3f) << 8) | this.byte());
    const at = this.#at;
    this.#at += first === 0x80 ? 4 : 8;
    if (this.ended) return 0n;
    return first === 0x80 ? BigInt(this.#view.getUint32(at)) : this.#view.getBigUint64(at);
  }
}
