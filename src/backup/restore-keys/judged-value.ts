import { ExpandedValue } from '../../formats/rdb/expand-value.ts';
import { LoneValueReader } from '../../formats/rdb/lone-value.ts';
import { RdbError, type RdbRecord, type TokenSink } from '../../formats/rdb/rdb-handler.ts';
import { ValueDecoder } from '../../formats/rdb/value-decoder.ts';

/** Values on their way to RESTORE. */
export class JudgedValue {
  readonly #near: boolean;
  readonly #expanded = new ExpandedValue();
  readonly #reader = new LoneValueReader();
  readonly #judge = new ValueDecoder();

  /** `near`: the target is on this host, and gets what is compressed expanded. */
  constructor(near: boolean) {
    this.#near = near;
  }

  /**
   * What to send for a value that was read as `raw`; valid until the next call. Throws an RdbError where packed elements
   * are damaged: RESTORE takes them as they are, and the server ends when somebody reads the key.
   */
  of(record: RdbRecord, raw: Uint8Array): Uint8Array {
    const plain = this.#expanded.of(record, raw);
    if (record.type.packing !== undefined) this.#reader.read(record, plain, this.#judge);
    return this.#near ? plain : raw;
  }

  /** What is wrong with a value of any kind; undefined where nothing is. */
  damageOf(record: RdbRecord, raw: Uint8Array): string | undefined {
    try {
      this.#reader.read(record, raw, this.#judge);
    } catch (error) {
      if (error instanceof RdbError) return error.message;
      throw error;
    }
    return undefined;
  }

  /** Hands over the parts of a value that is not sent whole. */
  read(record: RdbRecord, raw: Uint8Array, sink: TokenSink): void {
    this.#reader.read(record, raw, sink);
  }
}
