const primes = [0x85ebca6b, 0xc2b2ae35, 0x9e3779b1, 0x27d4eb2f] as const;

/**
 * A hash of 64 bits, in two words of 32, for telling values of honest servers apart: fast, and no protection against
 * somebody who wants two values to collide. What is added is framed by its length, so that `ab, c` is not `a, bc`.
 */
export class ValueHash {
  #low = 0;
  #high = 0;
  readonly #number = new DataView(new ArrayBuffer(8));

  get low(): number {
    return this.#low >>> 0;
  }

  get high(): number {
    return this.#high >>> 0;
  }

  reset(): void {
    this.#low = 0x2545f491;
    this.#high = 0x6c078965;
  }

  bytes(bytes: Uint8Array, from = 0, to = bytes.length): void {
    let [low, high] = [this.#low, this.#high];
    let at = from;
    for (; at + 4 <= to; at += 4) {
      const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      low = Math.imul(low ^ word, primes[0]);
      low ^= low >>> 15;
      high = Math.imul(high ^ word, primes[1]);
      high ^= high >>> 13;
    }
    for (; at < to; at++) {
      low = Math.imul(low ^ bytes[at]!, primes[2]);
      low ^= low >>> 15;
      high = Math.imul(high ^ bytes[at]!, primes[3]);
      high ^= high >>> 13;
    }
    this.#low = low;
    this.#high = high;
    this.word(to - from);
  }

  /** 32 bits. */
  word(value: number): void {
    const low = Math.imul(this.#low ^ value, primes[2]);
    this.#low = low ^ (low >>> 16);
    const high = Math.imul(this.#high ^ value, primes[3]);
    this.#high = high ^ (high >>> 15);
  }

  /** Any number, by its exact double. */
  number(value: number): void {
    this.#number.setFloat64(0, value);
    this.word(this.#number.getInt32(0));
    this.word(this.#number.getInt32(4));
  }

  /** 64 bits. */
  big(value: bigint): void {
    this.#number.setBigInt64(0, BigInt.asIntN(64, value));
    this.word(this.#number.getInt32(0));
    this.word(this.#number.getInt32(4));
  }

  /** Every bit that was added moves every bit of the words. Between this and `reset`, add nothing. */
  finish(): void {
    this.#low = avalanche(this.#low);
    this.#high = avalanche(this.#high ^ this.#low);
  }
}

function avalanche(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), primes[0]);
  mixed = Math.imul(mixed ^ (mixed >>> 13), primes[1]);
  return mixed ^ (mixed >>> 16);
}
