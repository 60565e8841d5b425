import { RdbError, type RdbRecord, type TokenSink } from './rdb-handler.ts';
import { grammarOf } from './value-grammar.ts';
import { ValueReader } from './value-reader.ts';
import { Window } from './window.ts';

/** Walks over the bytes of one value after the other, as `RdbHandler.record` gets them, and hands their tokens to a sink. */
export class LoneValueReader {
  readonly #stringLimit: number;
  #window = new Window();
  /** Of its own: what reading tells is not to be written over what the file's reader told. */
  #record: RdbRecord | undefined;
  #reader: ValueReader | undefined;

  constructor(stringLimit = Infinity) {
    this.#stringLimit = stringLimit;
  }

  /** Throws an RdbError where the value is damaged. */
  read(record: RdbRecord, raw: Uint8Array, sink: TokenSink): void {
    const reader = this.#readerOf(record);
    const window = this.#window;
    // Given back when all was well: one that stopped midway still has what it had.
    this.#reader = undefined;
    window.show(raw, 0, 0);
    reader.begin(grammarOf(record.type), sink);
    sink.begin(record);
    const ended = reader.run();
    if (!ended || window.at !== raw.length)
      throw new RdbError(
        'damaged',
        `a value of ${raw.length} bytes ${ended ? 'ends before' : 'ends too soon'}`,
      );
    sink.end(record);
    this.#reader = reader;
  }

  #readerOf(record: RdbRecord): ValueReader {
    if (this.#reader === undefined || this.#record === undefined) {
      this.#window = new Window();
      this.#record = { ...record };
      return new ValueReader(this.#window, this.#record, this.#stringLimit);
    }
    this.#record.type = record.type;
    return this.#reader;
  }
}
