import { administrativeOfLength, harmlessOf } from './administrative.ts';

const keptBytes = 120;
const keptArguments = 8;
/** Of a command: modules have the longest. */
const longestName = 64;

/** The first bytes of the command being read, in a buffer of fixed size. */
export class CommandHead {
  readonly #bytes = Buffer.alloc(keptBytes);
  /** Where in `#bytes` each kept argument ends. */
  readonly #ends = new Uint8Array(keptArguments);
  readonly #lengths = new Float64Array(keptArguments);
  #arguments = 0;
  #used = 0;

  begin(): void {
    this.#arguments = 0;
    this.#used = 0;
  }

  beginArgument(length: number): void {
    if (this.#arguments < keptArguments) {
      this.#lengths[this.#arguments] = length;
      this.#ends[this.#arguments] = this.#used;
    }
    this.#arguments++;
  }

  /** Further bytes of the current argument. */
  add(chunk: Uint8Array, from: number, length: number): void {
    if (this.#arguments > keptArguments || this.#used === keptBytes) return;
    const end = from + Math.min(length, keptBytes - this.#used);
    for (let at = from; at < end; at++) this.#bytes[this.#used++] = chunk[at]!;
    this.#ends[this.#arguments - 1] = this.#used;
  }

  /** Is this the command's name, in any case? */
  is(name: string): boolean {
    return this.#isArgument(0, name);
  }

  /** The command's name in lower case; undefined where it is longer than any. */
  get name(): string | undefined {
    const length = this.#lengths[0]!;
    if (this.#arguments === 0 || length > longestName) return undefined;
    return this.#bytes.toString('latin1', 0, length).toLowerCase();
  }

  /** The administrative command that this is, in capitals; undefined: it is none. */
  administrative(): string | undefined {
    const name = administrativeOfLength(this.#lengths[0]!).find((each) => this.is(each));
    const harmless = name === undefined ? undefined : harmlessOf.get(name);
    const isHarmless = harmless !== undefined && this.#arguments > 1 && this.#isArgument(1, harmless);
    return isHarmless ? undefined : name;
  }

  #isArgument(index: number, name: string): boolean {
    if (this.#lengths[index] !== name.length) return false;
    const from = index === 0 ? 0 : this.#ends[index - 1]!;
    for (let at = 0; at < name.length; at++)
      if ((this.#bytes[from + at]! & 0xdf) !== name.charCodeAt(at)) return false;
    return true;
  }

  /** `SET key:1 "a value" … (5 arguments)` */
  describe(count: number): string {
    const words: string[] = [];
    for (let index = 0; index < Math.min(this.#arguments, keptArguments); index++) {
      const from = index === 0 ? 0 : this.#ends[index - 1]!;
      const part = this.#bytes.subarray(from, this.#ends[index]);
      const cut = part.length < this.#lengths[index]!;
      if (cut && part.length === 0) break;
      words.push(`${quoted(part)}${cut ? '…' : ''}`);
      if (cut) break;
    }
    return `${words.join(' ')}${words.length < count ? ` … (${count} arguments)` : ''}`;
  }
}

/** A word as redis-cli would take it back. */
function quoted(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => {
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    return byte >= 0x20 && byte < 0x7f
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, '0')}`;
  }).join('');
  return text !== '' && /^[!#-&(-[\]-~]+$/.test(text) ? text : `"${text}"`;
}
