/** Whose numbering of types and opcodes a file uses: `VALKEY` in its magic since Valkey 9, else `REDIS`. */
export type Engine = 'redis' | 'valkey';

export interface RdbVersion {
  engine: Engine;
  version: number;
}

/** Magic and version: `REDIS` and four digits; since RDB version 80 (Valkey 9) `VALKEY` and three. */
export const headerBytes = 9;

/** The newest version of each engine that this reader was tested with; later ones are read as far as they are known. */
export const newestKnown: Record<Engine, number> = { redis: 12, valkey: 80 };

/** RDB files have a CRC64 at their end since this version (Redis 2.6). */
export const checksumSince = 5;

/** Reads the first 9 bytes of a file; undefined when they are no RDB's. */
export function readRdbVersion(header: Uint8Array): RdbVersion | undefined {
  const digits = /^(?:REDIS(\d{4})|VALKEY(\d{3}))$/.exec(
    String.fromCharCode(...header.subarray(0, headerBytes)),
  );
  if (digits === null) return undefined;
  return digits[1] === undefined
    ? { engine: 'valkey', version: Number(digits[2]) }
    : { engine: 'redis', version: Number(digits[1]) };
}
