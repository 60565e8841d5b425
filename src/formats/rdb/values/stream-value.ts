import type { ElementSink, StreamId } from '../element-sink.ts';
import type { ValueType } from '../value-types.ts';
import { readTime } from './numbers.ts';
import { PendingList } from './pending-list.ts';
import { StreamEntries } from './stream-entries.ts';
import { UniqueBytes } from './unique-bytes.ts';
import { damaged, unexpected, type ValuePart } from './value-part.ts';

/** A string that was too long to be handed over. */
interface Skipped {
  skipped: number;
}
type Token = number | bigint | Uint8Array | Skipped;
/** Reads the next tokens: each `yield` is given one. */
type Reading<T> = Generator<undefined, T, Token>;

/** The group does not know how many entries it has read: -1 as 64 bits without sign. */
const unknownRead = 0xffff_ffff_ffff_ffffn;
/** Servers count them with a sign. */
const mostAdded = 0x7fff_ffff_ffff_ffffn;

/** Streams. Their grammar is written out as code that asks for one token after the other. */
export class StreamValue implements ValuePart {
  readonly #sink: ElementSink;
  readonly #entries: StreamEntries;
  readonly #pending = new PendingList();
  readonly #groupNames = new UniqueBytes();
  readonly #consumerNames = new UniqueBytes();
  #reading: Reading<void> | undefined;
  #done = false;

  constructor(sink: ElementSink) {
    this.#sink = sink;
    this.#entries = new StreamEntries(sink);
  }

  begin({ revision }: ValueType): void {
    this.#reading = this.#stream(revision);
    this.#done = this.#reading.next().done === true;
  }

  string(bytes: Uint8Array): void {
    this.#take(bytes);
  }

  number(value: number | bigint): void {
    this.#take(value);
  }

  bytes8(bytes: Uint8Array): void {
    this.#take(bytes);
  }

  bytes16(bytes: Uint8Array): void {
    this.#take(bytes);
  }

  skipped(bytes: number): void {
    this.#sink.skipped?.(bytes);
    this.#take({ skipped: bytes });
  }

  end(): void {
    if (!this.#done) throw damaged('a stream ends too early');
  }

  #take(token: Token): void {
    if (this.#done) throw unexpected('more');
    this.#done = this.#reading!.next(token).done === true;
  }

  *#stream(revision: number): Reading<void> {
    const nodes = yield* number();
    const live = yield* this.#nodes(nodes);
    const length = Number(yield* number());
    if (nodes === 0 && length > 0)
      throw damaged(`a stream has no entries and not the ${length} that it states`);
    if (live !== undefined && live !== length) this.#sink.passedOver?.('stream-length');
    const lastId = yield* id();
    const newer = revision >= 2;
    // An optional call does not evaluate its arguments where there is nothing to call: these must be read all the same.
    const metadata = {
      length,
      lastId,
      firstId: newer ? yield* id() : undefined,
      maxDeletedId: newer ? yield* id() : undefined,
      entriesAdded: newer ? BigInt(yield* number()) : undefined,
    };
    if (metadata.entriesAdded !== undefined && metadata.entriesAdded > mostAdded)
      throw damaged('a stream counts more entries than a server can');
    this.#sink.stream?.(metadata);
    this.#groupNames.clear();
    const groups = yield* number();
    for (let group = 0; group < groups; group++) yield* this.#group(revision);
  }

  /** Returns how many entries there are; undefined when some node could not be looked at. */
  *#nodes(nodes: number | bigint): Reading<number | undefined> {
    this.#entries.begin();
    let live: number | undefined = 0;
    for (let node = 0; node < nodes; node++) {
      const firstId = copyOf(yield* string());
      const listpack = yield* string();
      if (firstId === undefined || !(listpack instanceof Uint8Array)) live = undefined;
      else {
        const count = this.#entries.read(firstId, listpack);
        if (live !== undefined) live += count;
      }
    }
    return live;
  }

  *#group(revision: number): Reading<void> {
    const name = copyOf(yield* string());
    if (name !== undefined && !this.#groupNames.add(name)) throw damaged('a stream has the same group twice');
    const lastId = yield* id();
    const read = revision >= 2 ? BigInt(yield* number()) : unknownRead;
    if (read > mostAdded && read !== unknownRead)
      throw damaged('a group counts more entries than a server can');
    // Without its name nothing of it can be handed over.
    const sink = name === undefined ? {} : this.#sink;
    if (name !== undefined)
      sink.group?.({ name, lastId, entriesRead: read === unknownRead ? undefined : read });
    this.#pending.clear();
    const pending = yield* number();
    for (let entry = 0; entry < pending; entry++) yield* this.#groupPending(sink);
    this.#consumerNames.clear();
    const consumers = yield* number();
    for (let consumer = 0; consumer < consumers; consumer++) yield* this.#consumer(revision, sink);
    this.#pending.check();
  }

  *#groupPending(sink: ElementSink): Reading<void> {
    const bytes = yield* fixed(16);
    this.#pending.add(bytes);
    const pendingId = idOf(bytes);
    const deliveredAt = readTime(yield* fixed(8));
    const deliveries = Number(yield* number());
    sink.pending?.({ id: pendingId, deliveredAt, deliveries });
  }

  *#consumer(revision: number, group: ElementSink): Reading<void> {
    const name = copyOf(yield* string());
    if (name !== undefined && !this.#consumerNames.add(name))
      throw damaged('a group has the same consumer twice');
    const seenAt = readTime(yield* fixed(8));
    const activeAt = revision >= 3 ? readTime(yield* fixed(8)) : undefined;
    const sink = name === undefined ? {} : group;
    if (name !== undefined) sink.consumer?.({ name, seenAt, activeAt });
    this.#pending.restart();
    const pending = yield* number();
    for (let entry = 0; entry < pending; entry++) {
      const bytes = yield* fixed(16);
      this.#pending.claim(bytes);
      sink.consumerPending?.(idOf(bytes));
    }
  }
}

function* number(): Reading<number | bigint> {
  const token = yield;
  if (typeof token !== 'number' && typeof token !== 'bigint') throw unexpected('bytes');
  return token;
}

function* string(): Reading<Uint8Array | Skipped> {
  const token = yield;
  if (typeof token === 'number' || typeof token === 'bigint') throw unexpected('a number');
  return token;
}

function* fixed(bytes: number): Reading<Uint8Array> {
  const token = yield* string();
  if (!(token instanceof Uint8Array) || token.length !== bytes) throw unexpected('a string');
  return token;
}

function* id(): Reading<StreamId> {
  return { ms: BigInt(yield* number()), seq: BigInt(yield* number()) };
}

function idOf(bytes: Uint8Array): StreamId {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return { ms: view.getBigUint64(0), seq: view.getBigUint64(8) };
}

/** What is needed after the next token came. */
function copyOf(token: Uint8Array | Skipped): Uint8Array | undefined {
  return token instanceof Uint8Array ? Uint8Array.from(token) : undefined;
}
