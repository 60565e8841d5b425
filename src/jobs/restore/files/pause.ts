const shortest = 20;
const longest = 500;
/** Looks at so many milliseconds' distance cost a busy host more than they save. */
const dense = 60;

/** Milliseconds before a server is looked at for the first time. */
export const firstPause = shortest;

/**
 * How long to wait before the next look at a server that stops or loads, which took `waited` until now: what the last pause
 * wastes nobody is served in, so it is a twentieth of the whole at most.
 */
export function nextPause(pause: number, waited: number): number {
  return Math.min(pause * 1.5, longest, Math.max(dense, waited / 20));
}
