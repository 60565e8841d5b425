import type { ElementSink } from './element-sink.ts';
import type { RdbRecord, TokenSink } from './rdb-handler.ts';
import type { Layout } from './value-types.ts';
import { PackedValues } from './values/packed-values.ts';
import { PlainValues } from './values/plain-values.ts';
import { StreamValue } from './values/stream-value.ts';
import { unexpected, type ValuePart } from './values/value-part.ts';

/**
 * Makes elements of tokens, and checks what a server checks when it loads a value, and more: every packed entry, counts,
 * scores, expiries, that nothing is empty, that no field, member, group or consumer is there twice (up to a million
 * or 32 MiB of them in one value) and that pending entries and consumers agree. Throws RdbError `damaged`.
 *
 * Memory is bounded by what the tokens bring, never by what they announce. Of a module's value nothing is known.
 */
export class ValueDecoder implements TokenSink {
  readonly #sink: ElementSink;
  readonly #parts: Record<Layout, ValuePart>;
  #part: ValuePart;
  /** Only where the sink takes pieces. */
  readonly piece: ((bytes: Uint8Array) => void) | undefined;

  /** Without methods, `sink` makes this a check only. */
  constructor(sink: ElementSink = {}) {
    this.#sink = sink;
    const plain = new PlainValues(sink);
    const packed = new PackedValues(sink);
    this.#parts = {
      string: new StringValue(sink),
      strings: plain,
      pairs: plain,
      scored: plain,
      'scored-text': plain,
      'expiring-pairs': plain,
      'pairs-expiring': plain,
      blob: packed,
      blobs: packed,
      containers: packed,
      'expiring-blob': packed,
      stream: new StreamValue(sink),
      module: moduleValue,
    };
    this.#part = moduleValue;
    this.piece = sink.piece?.bind(sink);
  }

  begin(record: RdbRecord): void {
    this.#part = this.#parts[record.type.layout];
    this.#part.begin(record.type);
    this.#sink.begin?.(record);
  }

  string(bytes: Uint8Array): void {
    this.#part.string(bytes);
  }

  skipped(bytes: number): void {
    this.#part.skipped(bytes);
  }

  number(value: number | bigint): void {
    this.#part.number(value);
  }

  bytes8(bytes: Uint8Array): void {
    this.#part.bytes8(bytes);
  }

  bytes16(bytes: Uint8Array): void {
    this.#part.bytes16(bytes);
  }

  end(record: RdbRecord): void {
    this.#part.end();
    this.#sink.end?.(record);
  }
}

class StringValue implements ValuePart {
  readonly #sink: ElementSink;

  constructor(sink: ElementSink) {
    this.#sink = sink;
  }

  begin(): void {}
  end(): void {}

  string(bytes: Uint8Array): void {
    this.#sink.string?.(bytes);
  }

  skipped(bytes: number): void {
    this.#sink.skipped?.(bytes);
  }

  number(): void {
    throw unexpected('a number');
  }

  bytes8(): void {
    throw unexpected('8 bytes');
  }

  bytes16(): void {
    throw unexpected('16 bytes');
  }
}

/** Its parts say themselves what they are; what they mean only the module knows. */
const moduleValue: ValuePart = {
  begin() {},
  string() {},
  skipped() {},
  number() {},
  bytes8() {},
  bytes16() {},
  end() {},
};
