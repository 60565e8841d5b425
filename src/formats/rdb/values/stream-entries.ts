import type { ElementSink } from '../element-sink.ts';
import { ListpackReader } from '../packed/listpack.ts';
import { damaged } from './value-part.ts';

/** A part of an id: a bigint only where a number would not be exact. They compare with one another exactly. */
type Part = number | bigint;

const deletedFlag = 1;
const sameFieldsFlag = 2;

/**
 * A stream's node (the servers' t_stream.c): the id of its first entry, and a listpack that begins with a master entry
 * (count, deleted, number of fields, fields, 0). Then for each entry: flags, ms and seq less those of the first, fields
 * with values or only values where they are the master's, and how many entries of the listpack that were.
 */
export class StreamEntries {
  readonly #sink: ElementSink;
  readonly #reader = new ListpackReader();
  #masterFields: Uint8Array[] = [];
  #masterFieldCount = 0;
  #firstMs = 0n;
  #firstSeq = 0n;
  /** The first id of the node before. */
  #before: { ms: bigint; seq: bigint } | undefined;
  #last: { ms: Part; seq: Part } = { ms: -1, seq: -1 };

  constructor(sink: ElementSink) {
    this.#sink = sink;
  }

  begin(): void {
    this.#last = { ms: -1, seq: -1 };
    this.#before = undefined;
  }

  /** Returns how many entries the node has that are not deleted. */
  read(firstId: Uint8Array, listpack: Uint8Array): number {
    if (firstId.length !== 16) throw damaged(`a stream has a node whose id has ${firstId.length} bytes`);
    const view = new DataView(firstId.buffer, firstId.byteOffset, 16);
    this.#firstMs = view.getBigUint64(0);
    this.#firstSeq = view.getBigUint64(8);
    const before = this.#before;
    if (before !== undefined && (this.#firstMs - before.ms || this.#firstSeq - before.seq) <= 0n)
      throw damaged("a stream's nodes are out of order");
    this.#before = { ms: this.#firstMs, seq: this.#firstSeq };
    this.#reader.open(listpack);
    const live = this.#count('number of entries');
    const deleted = this.#count('number of deleted entries');
    this.#readMasterFields();
    let found = 0;
    let gone = 0;
    while (this.#reader.next()) {
      if (this.#readEntry()) gone += 1;
      else found += 1;
    }
    if (found !== live || gone !== deleted)
      throw damaged(
        `a stream's node has ${found} entries and ${gone} deleted, and not the ${live} and ${deleted} it states`,
      );
    // Servers take such a node away with its last entry, and the newest refuse one.
    if (live === 0) throw damaged('a stream has a node without an entry that is not deleted');
    return live;
  }

  #readMasterFields(): void {
    this.#masterFieldCount = this.#count('number of fields');
    this.#masterFields = [];
    const keep = this.#sink.entry !== undefined;
    for (let index = 0; index < this.#masterFieldCount; index++) {
      this.#next('field');
      if (keep) this.#masterFields.push(this.#kept());
    }
    if (this.#count("end of the first entry's fields") !== 0)
      throw damaged("a stream's node has no end of the first entry's fields");
  }

  /** The reader is on the flags. True: the entry is deleted. */
  #readEntry(): boolean {
    const flags = this.#integer('flags');
    // Servers write others over them, and expect them to be as long.
    if (!this.#reader.isSmall) throw damaged("a stream's entry has flags of more than one byte");
    if (flags < 0 || flags > (deletedFlag | sameFieldsFlag))
      throw damaged(`a stream's entry has the unknown flags ${flags}`);
    this.#next('id');
    const ms = this.#plus(this.#firstMs);
    this.#next('id');
    const seq = this.#plus(this.#firstSeq);
    if (ms < this.#last.ms || (ms === this.#last.ms && seq <= this.#last.seq))
      throw damaged("a stream's entries are out of order");
    this.#last = { ms, seq };
    const deleted = (flags & deletedFlag) !== 0;
    const wanted = !deleted && this.#sink.entry !== undefined;
    const fields: Uint8Array[] | undefined = wanted ? [] : undefined;
    const read = (flags & sameFieldsFlag) !== 0 ? this.#readValues(fields) : this.#readPairs(fields);
    if (this.#count('length') !== read + 3)
      throw damaged("a stream's entry does not have the length that it states");
    if (fields !== undefined) this.#sink.entry?.({ ms: BigInt(ms), seq: BigInt(seq) }, fields);
    return deleted;
  }

  /** Values of the master's fields. Returns how many entries of the listpack they are. */
  #readValues(fields: Uint8Array[] | undefined): number {
    for (let index = 0; index < this.#masterFieldCount; index++) {
      this.#next('value');
      fields?.push(this.#masterFields[index]!, this.#kept());
    }
    return this.#masterFieldCount;
  }

  #readPairs(fields: Uint8Array[] | undefined): number {
    const strings = this.#count('number of fields') * 2;
    for (let index = 0; index < strings; index++) {
      this.#next('field or value');
      fields?.push(this.#kept());
    }
    return strings + 1;
  }

  #next(what: string): void {
    if (!this.#reader.next()) throw damaged(`a stream's node ends where an entry's ${what} should be`);
  }

  #count(what: string): number {
    this.#next(what);
    const count = this.#integer(what);
    if (count < 0) throw damaged(`a stream's node has a ${what} below 0`);
    return count;
  }

  #integer(what: string): number {
    if (!this.#reader.toInteger()) throw damaged(`a stream's node has text as an entry's ${what}`);
    return this.#reader.value;
  }

  /** What the reader is on, added to the first entry's part, as 64 bits without sign. */
  #plus(base: bigint): Part {
    const delta = this.#integer('id');
    const { large } = this.#reader;
    const start = Number(base);
    const sum = start + delta;
    if (large === undefined && start <= Number.MAX_SAFE_INTEGER && sum >= 0 && sum <= Number.MAX_SAFE_INTEGER)
      return sum;
    return BigInt.asUintN(64, base + (large ?? BigInt(delta)));
  }

  #kept(): Uint8Array {
    return this.#reader.isInteger ? this.#reader.bytes().slice() : this.#reader.bytes();
  }
}
