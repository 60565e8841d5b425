import { ByteSink, fits, integerOf } from './byte-sink.ts';
import { compressLzf } from './lzf-writer.ts';
import type { Style } from './style.ts';

/** What a reader should hand to its TokenSink, in order. */
export type Token =
  | { kind: 'string'; bytes: Uint8Array }
  | { kind: 'number'; value: bigint }
  | { kind: 'bytes'; bytes: Uint8Array };

/** How a string was written: its whole length, and the bytes that stand for it in the file behind its lengths. */
export interface WrittenString {
  plain: number;
  stored: number;
  form: 'plain' | 'integer' | 'lzf';
}

/** Writes lengths and strings in the forms that the format has, and keeps account of them. */
export class ValueSink extends ByteSink {
  readonly style: Style;
  tokens: Token[] = [];
  strings: WrittenString[] = [];

  constructor(style: Style) {
    super();
    this.style = style;
  }

  /** What was written since the last call. */
  account(): { tokens: Token[]; strings: WrittenString[] } {
    const { tokens, strings } = this;
    this.tokens = [];
    this.strings = [];
    return { tokens, strings };
  }

  number(value: number | bigint): this {
    this.tokens.push({ kind: 'number', value: BigInt(value) });
    return this.size(BigInt(value));
  }

  /** A length that is no part of a value, or belongs to a string. */
  size(value: number | bigint): this {
    const whole = BigInt(value);
    const forms: (() => unknown)[] = [];
    if (whole < 64n) forms.push(() => this.integer(whole, 1));
    if (whole < 16_384n) forms.push(() => this.integer(0x4000n | whole, 2, 'big'));
    if (whole < 1n << 32n) forms.push(() => this.byte(0x80).integer(whole, 4, 'big'));
    forms.push(() => this.byte(0x81).integer(whole, 8, 'big'));
    forms[this.style.pick(forms.length)]?.();
    return this;
  }

  /** A string of its own: servers compress it, or keep it as an integer, where that is shorter. */
  string(bytes: Uint8Array): this {
    this.tokens.push({ kind: 'string', bytes });
    if (!this.#integer(bytes) && !this.#compressed(bytes)) {
      this.size(bytes.length).bytes(bytes);
      this.#note(bytes, bytes.length, 'plain');
    }
    return this;
  }

  #note({ length }: Uint8Array, stored: number, form: WrittenString['form']): true {
    this.strings.push({ plain: length, stored, form });
    return true;
  }

  #integer(bytes: Uint8Array): boolean {
    const value = bytes.length > 11 ? undefined : integerOf(bytes);
    if (value === undefined || !fits(value, 32) || this.style.pick(4) === 3) return false;
    const widths = [1, 2, 4].filter((width) => fits(value, 8 * width));
    const width = widths[this.style.pick(widths.length)] ?? 4;
    this.byte(0xc0 | (width >> 1)).integer(value, width);
    return this.#note(bytes, width, 'integer');
  }

  #compressed(bytes: Uint8Array): boolean {
    const anyway = this.style.pick(4) === 3;
    if (bytes.length === 0 || (bytes.length <= 20 && !anyway)) return false;
    const compressed = compressLzf(bytes, 32 - this.style.pick(32));
    if (compressed.length + 4 >= bytes.length && !anyway) return false;
    this.byte(0xc3).size(compressed.length).size(bytes.length).bytes(compressed);
    return this.#note(bytes, compressed.length, 'lzf');
  }

  /** Eight or sixteen bytes as they are. */
  fixed(bytes: Uint8Array): this {
    this.tokens.push({ kind: 'bytes', bytes });
    return this.bytes(bytes);
  }

  fixedDouble(value: number): this {
    return this.fixed(new ByteSink().double(value).take());
  }

  time(milliseconds: bigint | number): this {
    return this.fixed(new ByteSink().integer(milliseconds, 8).take());
  }
}
