import type { Engine } from '../../../src/formats/rdb/rdb-version.ts';

/** What a key holds, apart from how a file lays it out. */
export type Contents =
  | { data: 'string'; bytes: Uint8Array }
  | { data: 'list' | 'set'; items: Uint8Array[] }
  | { data: 'zset'; items: [member: Uint8Array, score: number][] }
  | { data: 'hash'; items: [field: Uint8Array, value: Uint8Array, expiresAt?: number][] }
  | { data: 'stream'; stream: StreamContents }
  | { data: 'module'; module: string; version: number; parts: ModulePart[] };

/** A stream's entry id: milliseconds and a sequence number, both up to 2^64-1. */
export type StreamId = readonly [milliseconds: bigint, sequence: bigint];

export interface StreamContents {
  /** In the order of their ids. Those that are deleted are still in the file, marked. */
  entries: { id: StreamId; fields: Uint8Array[]; values: Uint8Array[]; deleted: boolean }[];
  lastId: StreamId;
  /** Since revision 2: */
  maxDeletedId: StreamId;
  added: bigint;
  groups: StreamGroup[];
}

export interface StreamGroup {
  name: Uint8Array;
  lastId: StreamId;
  /** Since revision 2. 2^64-1: not known. */
  read: bigint;
  consumers: {
    name: Uint8Array;
    seenAt: bigint;
    /** Since revision 3. 2^64-1: never. */
    activeAt: bigint;
    pending: { id: StreamId; deliveredAt: bigint; deliveries: number }[];
  }[];
}

export type ModulePart =
  | { op: 'signed' | 'unsigned'; value: bigint }
  | { op: 'float' | 'double'; value: number }
  | { op: 'string'; bytes: Uint8Array };

export interface KeyModel {
  kind: 'key';
  name: Uint8Array;
  /** The type's code in the file (value-types.ts). */
  code: number;
  contents: Contents;
  /** Milliseconds; `seconds` writes the older opcode, which cannot tell more. */
  expiry?: { at: number; unit: 'milliseconds' | 'seconds' };
  idle?: number;
  frequency?: number;
}

export type FileItem =
  | KeyModel
  | { kind: 'aux'; name: Uint8Array; value: Uint8Array }
  | { kind: 'database'; database: number }
  | { kind: 'size'; keys: number; expires: number }
  | { kind: 'slot-info'; slot: number; keys: number; expires: number }
  | { kind: 'slot-import'; job: Uint8Array; ranges: [number, number][] }
  | { kind: 'functions'; code: Uint8Array }
  | { kind: 'old-functions'; name: Uint8Array; description?: Uint8Array; code: Uint8Array }
  | { kind: 'module-aux'; module: string; version: number; when: number; parts: ModulePart[] };

export interface FileModel {
  engine: Engine;
  version: number;
  items: FileItem[];
  /** Eight zeros stand for a server with `rdbchecksum no`. Files below version 5 have no trailer. */
  checksum: boolean;
}
