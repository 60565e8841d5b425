import { createCrc64Kernel, type Crc64Update } from './crc64-kernel.ts';
import { updateByTable, updateShort } from './crc64-table.ts';
import { Crc64 } from './crc64.ts';
import type { Engine, RdbVersion } from './rdb-version.ts';
import { typesOf, type ValueType } from './value-types.ts';

/** A payload of RESTORE is the type's byte, the value as in the file, and this: RDB version and CRC64. */
export const footerBytes = 10;

/** First server versions of each RDB version, newest first (`RDB_VERSION` in their rdb.h). */
const writers: Record<Engine, readonly (readonly [server: number, rdb: number])[]> = {
  redis: [
    [7.4, 12],
    [7.2, 11],
    [7, 10],
    [5, 9],
    [4, 8],
    [0, 7],
  ],
  valkey: [
    [9, 80],
    [0, 11],
  ],
};

/** The last version that Redis and Valkey have in common. Valkey refuses 12 … 79 as another product's. */
const lastCommon = 11;

/** What a server of this version takes in RESTORE: the RDB version that it writes itself. */
export function whatTargetReads(engine: Engine, version: string): RdbVersion {
  const server = Number.parseFloat(version) || 0;
  const [, rdb] = writers[engine].find(([since]) => server >= since) ?? [0, 7];
  return { engine, version: rdb };
}

/** Does the target know this type of value, and under the same code? */
export function understands(target: RdbVersion, type: ValueType): boolean {
  const since = type.since[target.engine];
  return since !== undefined && since <= target.version && typesOf(target.engine)[type.code] === type;
}

/**
 * The version to put under a payload. A server refuses only one that is too new (or foreign): what it understands is
 * decided by the type's byte, so a value goes to an older server that knows its type.
 */
export function payloadVersion(source: RdbVersion, target: RdbVersion): number {
  if (source.engine === target.engine) return Math.min(source.version, target.version);
  return Math.min(source.version, target.version, lastCommon);
}

/** For shorter values, what a fold leaves for the table to reduce costs more than it saves. */
const foldFrom = 256 * 1024;
/** For longer values, a faster sum is worth a view. */
const shortBytes = 128;

/** Writes the footers of payloads, one after the other. */
export class PayloadFooter {
  readonly #state = { low: 0, high: 0 };
  readonly #crc = new Crc64();
  #update: Crc64Update | undefined;

  /** Writes the footer behind the value that ends at `to`; the payload begins at `from` with the type's byte. */
  write(bytes: Uint8Array, from: number, to: number, version: number): void {
    bytes[to] = version & 0xff;
    bytes[to + 1] = version >>> 8;
    const length = to + 2 - from;
    if (length >= foldFrom) {
      const sum = this.#crc.reset().update(bytes.subarray(from, to + 2));
      sum.write(bytes, to + 2);
      return;
    }
    const state = this.#state;
    state.low = 0;
    state.high = 0;
    if (length < shortBytes) updateShort(state, bytes, from, to + 2);
    else {
      this.#update ??= createCrc64Kernel() ?? updateByTable;
      this.#update(state, bytes.subarray(from, to + 2));
    }
    writeInt32(bytes, to + 2, state.low);
    writeInt32(bytes, to + 6, state.high);
  }
}

function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >>> 8) & 0xff;
  bytes[at + 2] = (value >>> 16) & 0xff;
  bytes[at + 3] = value >>> 24;
}
