import type {
  ElementSink,
  StreamConsumer,
  StreamGroup,
  StreamId,
  StreamMetadata,
  StreamPending,
} from '../../formats/rdb/element-sink.ts';
import type { RdbRecord } from '../../formats/rdb/rdb-handler.ts';
import { ValueHash } from './value-hash.ts';

/** The newest revision of streams: 2 (Redis 7.0) and 3 (7.2) know more of a stream than those before. */
export const newestStreams = 3;

/** What a part of a stream is, so that none passes for another. */
const part = {
  stream: 1,
  group: 2,
  pending: 3,
  consumer: 4,
  consumerPending: 5,
  skipped: 6,
  none: 7,
} as const;

/**
 * Hashes one value by its elements, however they are encoded: strings, lists and streams in their order; sets, hashes and
 * sorted sets as the sum of their elements' hashes, since they have no order that a server must keep.
 */
export class ElementHash implements ElementSink {
  readonly #ordered = new ValueHash();
  /** One element of what has no order; the sums of all of them. */
  readonly #element = new ValueHash();
  readonly #sums = new Uint32Array(3);
  readonly #streams: number;
  #revision = newestStreams;
  #isSet = false;
  /** Elements of all values. */
  elements = 0;
  /** Strings that were too long to be handed over: they count by their length. */
  tooLong = 0;

  /** Of streams it takes what that revision knows. */
  constructor(streams: number) {
    this.#streams = streams;
  }

  /** Before each value, also one that is skipped. */
  clear(): void {
    this.#ordered.reset();
    this.#sums.fill(0);
  }

  /** Adds the value that was read since `clear`. */
  addTo(hash: ValueHash): void {
    hash.word(this.#sums[0]!);
    hash.word(this.#sums[1]!);
    hash.word(this.#sums[2]!);
    hash.word(this.#ordered.low);
    hash.word(this.#ordered.high);
  }

  begin({ type }: RdbRecord): void {
    this.#isSet = type.data === 'set';
    this.#revision = Math.min(type.revision, this.#streams);
  }

  string(value: Uint8Array): void {
    this.#ordered.bytes(value);
    this.elements++;
  }

  item(item: Uint8Array): void {
    if (!this.#isSet) return this.string(item);
    this.#element.reset();
    this.#element.bytes(item);
    this.#sum();
  }

  field(field: Uint8Array, value: Uint8Array, expiresAt: number): void {
    this.#element.reset();
    this.#element.bytes(field);
    this.#element.bytes(value);
    this.#element.number(expiresAt);
    this.#sum();
  }

  member(member: Uint8Array, score: number): void {
    this.#element.reset();
    this.#element.bytes(member);
    this.#element.number(score);
    this.#sum();
  }

  entry(id: StreamId, fields: readonly Uint8Array[]): void {
    this.#id(id);
    this.#ordered.word(fields.length);
    for (const field of fields) this.#ordered.bytes(field);
    this.elements++;
  }

  stream({ length, lastId, firstId, maxDeletedId, entriesAdded }: StreamMetadata): void {
    this.#ordered.word(part.stream);
    this.#ordered.number(length);
    this.#id(lastId);
    if (this.#revision < 2) return;
    this.#id(firstId);
    this.#id(maxDeletedId);
    this.#big(entriesAdded);
  }

  group({ name, lastId, entriesRead }: StreamGroup): void {
    this.#ordered.word(part.group);
    this.#ordered.bytes(name);
    this.#id(lastId);
    if (this.#revision >= 2) this.#big(entriesRead);
  }

  pending({ id, deliveredAt, deliveries }: StreamPending): void {
    this.#ordered.word(part.pending);
    this.#id(id);
    this.#ordered.number(deliveredAt);
    this.#ordered.number(deliveries);
  }

  consumer({ name, seenAt, activeAt }: StreamConsumer): void {
    this.#ordered.word(part.consumer);
    this.#ordered.bytes(name);
    this.#ordered.number(seenAt);
    if (this.#revision >= 3) this.#ordered.number(activeAt ?? -1);
  }

  consumerPending(id: StreamId): void {
    this.#ordered.word(part.consumerPending);
    this.#id(id);
  }

  skipped(bytes: number): void {
    this.#ordered.word(part.skipped);
    this.#ordered.number(bytes);
    this.tooLong++;
  }

  #id(id: StreamId | undefined): void {
    this.#big(id?.ms);
    this.#big(id?.seq);
  }

  #big(value: bigint | undefined): void {
    if (value === undefined) this.#ordered.word(part.none);
    else this.#ordered.big(value);
  }

  #sum(): void {
    this.#element.finish();
    const sums = this.#sums;
    sums[0] = sums[0]! + this.#element.low;
    sums[1] = sums[1]! + this.#element.high;
    sums[2] = sums[2]! + 1;
    this.elements++;
  }
}
