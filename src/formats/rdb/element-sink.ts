import type { RdbRecord } from './rdb-handler.ts';

/** The id of a stream's entry: `<ms>-<seq>`, each of 64 bits without sign. */
export interface StreamId {
  ms: bigint;
  seq: bigint;
}

/** What a stream knows besides its entries. */
export interface StreamMetadata {
  /** As XLEN says. */
  length: number;
  lastId: StreamId;
  /** From here on since Redis 7.0. */
  firstId: StreamId | undefined;
  maxDeletedId: StreamId | undefined;
  /** Over the stream's life. */
  entriesAdded: bigint | undefined;
}

export interface StreamGroup {
  name: Uint8Array;
  lastId: StreamId;
  /** Since Redis 7.0, where the server knows it. */
  entriesRead: bigint | undefined;
}

/** An entry that was delivered to a consumer of a group and not acknowledged. Times in ms since 1970. */
export interface StreamPending {
  id: StreamId;
  deliveredAt: number;
  deliveries: number;
}

export interface StreamConsumer {
  name: Uint8Array;
  /** When it last asked, in ms since 1970. */
  seenAt: number;
  /** When it last got something; since Redis 7.2. -1: never. */
  activeAt: number | undefined;
}

/**
 * What servers pass over in a value: it has no elements, so they leave its key out (since 6.2) · a stream states another
 * length than it has, which all take but those from Valkey 9.1 on.
 */
export type PassedOver = 'empty' | 'stream-length';

/**
 * Takes the elements of values, in the order of the file. What it does not take is checked all the same. All bytes are
 * valid during the call only; integers come as their decimal digits, as the server hands them out.
 */
export interface ElementSink {
  begin?(record: RdbRecord): void;
  /** The value of a string. */
  string?(value: Uint8Array): void;
  /** A part of it, for a sink that need not have it whole; what is compressed still comes by `string`. */
  piece?(bytes: Uint8Array): void;
  /** An element of a list, from its head on, or of a set. */
  item?(item: Uint8Array): void;
  /** A field of a hash. `expiresAt` in ms since 1970; -1: never. */
  field?(field: Uint8Array, value: Uint8Array, expiresAt: number): void;
  /** A member of a sorted set. The score is exactly the server's, infinities included; never NaN. */
  member?(member: Uint8Array, score: number): void;
  /** An entry of a stream: field, value, field, value … All entries come before `stream`. */
  entry?(id: StreamId, fields: readonly Uint8Array[]): void;
  stream?(metadata: StreamMetadata): void;
  /** A group. Its pending entries follow, then its consumers, each before its own pending ids. */
  group?(group: StreamGroup): void;
  pending?(pending: StreamPending): void;
  consumer?(consumer: StreamConsumer): void;
  consumerPending?(id: StreamId): void;
  /**
   * Strings of that many bytes were longer than the reader's limit. The element, or all elements that they pack, are
   * neither handed over nor checked: the value is incomplete.
   */
  skipped?(bytes: number): void;
  /** The value is not right, and servers live with that. */
  passedOver?(what: PassedOver): void;
  /** The value was right, in all that could be looked at. */
  end?(record: RdbRecord): void;
}
