import type { ElementSink } from '../element-sink.ts';
import type { PackedReader } from '../packed/packed-reader.ts';
import { packedReader } from '../packed/packed.ts';
import type { Packing, ValueType } from '../value-types.ts';
import { parseScore } from './numbers.ts';
import { UniqueBytes } from './unique-bytes.ts';
import { checkCount, damaged, duplicate, fieldExpiry, unexpected, type ValuePart } from './value-part.ts';

/** A list node's container: one element as it is, or many packed. */
const plainNode = 1;
const packedNode = 2;

/** Collections whose elements are packed into one string, and lists that are made of such strings. */
export class PackedValues implements ValuePart {
  readonly #sink: ElementSink;
  readonly #unique = new UniqueBytes();
  readonly #readers = new Map<Packing, PackedReader>();
  #type: ValueType | undefined;
  #reader: PackedReader | undefined;
  /** Strings that were announced and that came. A single blob is not announced. */
  #nodes = -1;
  #came = 0;
  #container = packedNode;
  #found = 0;
  /** Something was not handed over, so nobody knows whether the value is empty. */
  #incomplete = false;

  constructor(sink: ElementSink) {
    this.#sink = sink;
  }

  begin(type: ValueType): void {
    this.#type = type;
    this.#reader = this.#readerOf(type.packing ?? 'listpack');
    this.#nodes = type.layout === 'blob' || type.layout === 'expiring-blob' ? 1 : -1;
    this.#came = 0;
    this.#container = packedNode;
    this.#found = 0;
    this.#incomplete = false;
    this.#unique.clear();
  }

  number(value: number | bigint): void {
    if (this.#nodes < 0) {
      this.#nodes = Number(value);
    } else if (this.#type!.layout === 'containers') {
      if (value !== plainNode && value !== packedNode)
        throw damaged(`a list has a node of the unknown kind ${value}`);
      this.#container = value;
    } else {
      throw unexpected('a number');
    }
  }

  string(bytes: Uint8Array): void {
    this.#came += 1;
    if (this.#container === plainNode) {
      // Servers keep large elements so, and end themselves when they load an empty one.
      if (bytes.length === 0) throw damaged('a list has an element of its own node that is empty');
      this.#found += 1;
      this.#sink.item?.(bytes);
      return;
    }
    const reader = this.#reader!;
    reader.open(bytes);
    const { data, layout } = this.#type!;
    if (data === 'zset') this.#members(reader);
    else if (data === 'hash') this.#fields(reader, layout === 'expiring-blob');
    else this.#items(reader, data === 'set');
  }

  skipped(bytes: number): void {
    this.#came += 1;
    if (this.#container === plainNode) this.#found += 1;
    else this.#incomplete = true;
    this.#sink.skipped?.(bytes);
  }

  bytes8(): void {
    // The earliest expiry of a hash's fields, which each tell theirs in full.
    if (this.#type?.layout !== 'expiring-blob') throw unexpected('8 bytes');
  }

  bytes16(): void {
    throw unexpected('16 bytes');
  }

  end(): void {
    if (this.#came !== this.#nodes)
      throw damaged(
        `a ${this.#type!.data} has ${this.#came} nodes and not the ${this.#nodes} that it states`,
      );
    // An empty node among others is passed over, as the servers do.
    if (this.#incomplete) return;
    checkCount(this.#type!, { found: this.#found, stated: this.#found, sink: this.#sink });
  }

  #items(reader: PackedReader, unique: boolean): void {
    // An intset ascends, so nothing is in it twice.
    const look = unique && reader.packing !== 'intset';
    while (reader.next()) {
      if (look) this.#addUnique(reader);
      this.#sink.item?.(reader.bytes());
      this.#found += 1;
    }
  }

  #members(reader: PackedReader): void {
    const wanted = this.#sink.member !== undefined;
    while (reader.next()) {
      this.#addUnique(reader);
      const bytes = wanted ? kept(reader) : undefined;
      if (!reader.next()) throw damaged('a zset has a member without a score');
      const score = scoreOf(reader);
      if (bytes !== undefined) this.#sink.member?.(bytes, score);
      this.#found += 1;
    }
  }

  #fields(reader: PackedReader, expiring: boolean): void {
    const wanted = this.#sink.field !== undefined;
    let latest = 0;
    while (reader.next()) {
      this.#addUnique(reader);
      const name = wanted ? kept(reader) : undefined;
      if (!reader.next()) throw damaged('a hash has a field without a value');
      const value = name === undefined ? undefined : expiring ? kept(reader) : reader.bytes();
      const expiresAt = expiring ? expiryOf(reader) : -1;
      if (expiring) {
        // Servers take expired fields off from the front until one is not, and end when they meet one later.
        const order = expiresAt < 0 ? Infinity : expiresAt;
        if (order < latest) throw damaged("a hash's fields do not ascend by their expiry");
        latest = order;
      }
      if (name !== undefined && value !== undefined) this.#sink.field?.(name, value, expiresAt);
      this.#found += 1;
    }
  }

  #addUnique(reader: PackedReader): void {
    reader.locate();
    if (!this.#unique.add(reader.source, reader.from, reader.to)) throw duplicate(this.#type!);
  }

  #readerOf(packing: Packing): PackedReader {
    let reader = this.#readers.get(packing);
    if (reader === undefined) this.#readers.set(packing, (reader = packedReader(packing)));
    return reader;
  }
}

/** An entry's bytes that are still there after the next ones were read. */
function kept(reader: PackedReader): Uint8Array {
  return reader.isInteger ? reader.bytes().slice() : reader.bytes();
}

function scoreOf(reader: PackedReader): number {
  if (reader.isInteger) return reader.value;
  return parseScore(reader.source, reader.from, reader.to);
}

function expiryOf(reader: PackedReader): number {
  if (!reader.next()) throw damaged('a hash has a field without an expiry');
  // Servers do not take digits here.
  if (!reader.isInteger) throw damaged("a field's expiry is not a number");
  return fieldExpiry(reader.value);
}
