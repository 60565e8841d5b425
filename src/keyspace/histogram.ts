import type { Bucket } from '../domain/keyspace.ts';
import { heap, type Arena } from './arena.ts';

/** Keys and bytes by how large a number is. */
export class Histogram {
  readonly #bounds: readonly number[];
  /** Of each bucket its keys and their bytes. Others may add to them. */
  readonly sums: Float64Array;

  /** `bounds`: ascending; a number is counted below the first bound that it is less than. */
  constructor(bounds: readonly number[], arena: Arena = heap) {
    this.#bounds = bounds;
    this.sums = arena.doubles(2 * (bounds.length + 1));
  }

  add(value: number, bytes: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value >= bounds[bucket]!) bucket++;
    this.addTo(bucket, bytes);
  }

  /** For a bucket that is known. */
  addTo(bucket: number, bytes: number): void {
    this.sums[2 * bucket]! += 1;
    this.sums[2 * bucket + 1]! += bytes;
  }

  buckets(): Bucket[] {
    return Array.from({ length: this.#bounds.length + 1 }, (_, bucket) => ({
      below: this.#bounds[bucket] ?? null,
      keys: this.sums[2 * bucket]!,
      bytes: this.sums[2 * bucket + 1]!,
    }));
  }

  /** null when nothing was added. */
  bucketsIfAny(): Bucket[] | null {
    const buckets = this.buckets();
    return buckets.some(({ keys }) => keys > 0) ? buckets : null;
  }
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Seconds until a key expires; below 0 it has. */
export const ttlBounds = [0, minute, hour, day, 7 * day, 30 * day] as const;
/** Seconds since a key was used. */
export const idleBounds = [minute, hour, day, 7 * day, 30 * day] as const;
/** New keys start at 5. */
export const frequencyBounds = [1, 6, 11, 51, 101, 255] as const;
/** Bytes of a value: 64, then powers of four up to 64 MiB. */
export const sizeBounds: readonly number[] = Array.from({ length: 11 }, (_, power) => 64 * 4 ** power);

/** The bucket of a size by `sizeBounds`: every key has one, and to look for it costs more than to reckon it. */
export function sizeBucket(bytes: number): number {
  if (bytes >= 2 ** 26) return 11;
  return Math.max(0, (27 - Math.clz32(bytes)) >> 1);
}
