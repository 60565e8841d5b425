const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

/** How finely, in which stretches and for how long history is kept. */
export interface Tier {
  id: number;
  /** Between two rows, milliseconds; 0: as they were polled. */
  step: number;
  /** Of one chunk. */
  stretch: number;
  keep: number;
}

/**
 * Chunks of the coarser tiers are rewritten when an hour is sealed: few rows compress badly, and a chunk of one point an
 * hour would be larger than all the raw ones.
 */
export const raw: Tier = { id: 0, step: 0, stretch: hour, keep: 48 * hour };
export const middle: Tier = { id: 1, step: 5 * minute, stretch: day, keep: 14 * day };
export const coarse: Tier = { id: 2, step: hour, stretch: 32 * day, keep: 400 * day };
export const tiers: readonly Tier[] = [raw, middle, coarse];

/** An instance's chunks are kept below this: then the oldest raw ones go first. */
export const mostBytes = 30 * 2 ** 20;

export const startOf = (at: number, stretch: number): number => Math.floor(at / stretch) * stretch;
