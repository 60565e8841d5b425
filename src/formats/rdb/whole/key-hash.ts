/** Two words that nobody who makes a dump can know: by them its keys cannot be chosen to collide here. */
export interface HashSeed {
  high: number;
  low: number;
}

/** The hash of a key in its database: two words of 32 bits, valid until the next call. */
export class KeyHash {
  high = 0;
  low = 0;
  readonly #seed: HashSeed;

  constructor(seed: HashSeed) {
    this.#seed = seed;
  }

  of(database: number, bytes: Uint8Array, from: number, to: number): void {
    let a = this.#seed.high ^ Math.imul(database, 0x9e37_79b1);
    let b = this.#seed.low ^ (to - from);
    let at = from;
    for (; at + 4 <= to; at += 4) {
      const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      a = Math.imul(a ^ word, 0x85eb_ca6b);
      a = (a << 13) | (a >>> 19);
      b = Math.imul(b ^ ((word << 16) | (word >>> 16)), 0xc2b2_ae35);
      b = (b << 11) | (b >>> 21);
    }
    for (; at < to; at++) {
      a = Math.imul(a ^ bytes[at]!, 0x01b8_73e3);
      b = Math.imul(b ^ bytes[at]!, 0x27d4_eb2f) ^ (b >>> 15);
    }
    a = Math.imul(a ^ (a >>> 16) ^ b, 0x85eb_ca6b);
    b = Math.imul(b ^ (b >>> 15) ^ a, 0xc2b2_ae35);
    a ^= (a >>> 13) ^ b;
    this.high = a ^ (a >>> 16);
    this.low = b ^ (b >>> 16);
  }
}
