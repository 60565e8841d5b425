import { mostGrowth } from './compressed-strings.ts';
import { writeLength } from './expand-dump.ts';
import { createLzfKernel, overrun, type LzfKernel } from './lzf-kernel.ts';
import type { RdbRecord } from './rdb-handler.ts';
import { GrammarWalk, grammarOf, op } from './value-grammar.ts';
import type { Layout } from './value-types.ts';
import { encoded, encodings, Window } from './window.ts';

/** Longer values stay as they are: they would take memory, and are few. */
const longestStored = 512 * 1024;
const longestPlain = 2 * 1024 * 1024;
/** A length takes so much at most, and there is one for three bytes at least. */
const outBytes = longestPlain + 2 * longestStored;
/** Values that consist of counts, strings and doubles alone. */
const layouts: ReadonlySet<Layout> = new Set<Layout>([
  'string',
  'strings',
  'pairs',
  'scored',
  'blob',
  'blobs',
  'containers',
]);

/** Values as a dump holds them, with their strings expanded: a server takes them as the same, and need not decompress. */
export class ExpandedValue {
  readonly #kernel: LzfKernel | undefined = createLzfKernel(outBytes + longestStored + overrun);
  readonly #bytes = new Uint8Array(this.#kernel?.memory ?? new ArrayBuffer(0));
  readonly #window = new Window();
  readonly #walk = new GrammarWalk();
  /** Up to where the value is in the result. */
  #from = 0;
  #to = 0;

  /** The value of `record`, whose bytes were read as `raw`; or `raw` itself. Valid until the next call. */
  of({ type, valueBytes, plainBytes }: RdbRecord, raw: Uint8Array): Uint8Array {
    const kernel = this.#kernel;
    if (kernel === undefined || plainBytes <= valueBytes || !layouts.has(type.layout)) return raw;
    if (valueBytes > longestStored || plainBytes > Math.min(longestPlain, mostGrowth * valueBytes))
      return raw;
    this.#bytes.set(raw, outBytes);
    this.#window.show(this.#bytes, 0, outBytes);
    this.#walk.begin(grammarOf(type));
    this.#from = outBytes;
    this.#to = 0;
    // Damaged: let the server say so.
    if (!this.#expand(kernel)) return raw;
    this.#pass(outBytes + raw.length);
    return this.#bytes.subarray(0, this.#to);
  }

  #expand(kernel: LzfKernel): boolean {
    const [window, walk] = [this.#window, this.#walk];
    for (;;) {
      const { token } = walk;
      if (token === op.end) return true;
      if (token === op.count || token === op.elements) {
        walk.open(window.count());
        continue;
      }
      if (token === op.bytes8) window.at += 8;
      else {
        if (token === op.container) window.count();
        if (!this.#string(kernel)) return false;
      }
      walk.step();
    }
  }

  #string(kernel: LzfKernel): boolean {
    const window = this.#window;
    const from = window.at;
    const length = window.length();
    if (length >= 0) window.at += length;
    else if (length > encoded - encodings.lzf) window.at += 1 << (encoded - length);
    else {
      const [stored, plain] = [window.count(), window.count()];
      this.#pass(from);
      const to = writeLength(this.#bytes, this.#to, plain);
      this.#from = window.at += stored;
      this.#to = to + plain;
      return kernel.decode(window.at - stored, window.at, to, this.#to) === 0;
    }
    return true;
  }

  /** Passes on what is not compressed. */
  #pass(end: number): void {
    if (this.#from < end) this.#bytes.copyWithin(this.#to, this.#from, end);
    this.#to += end - this.#from;
    this.#from = end;
  }
}
