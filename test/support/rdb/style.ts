/**
 * Makes the choices that the format leaves open: which length form, which encoding of an integer, how large a node.
 * `pick(n)` is a whole number below n; 0 stands for what a server writes.
 */
export interface Style {
  pick(choices: number): number;
}

/** What servers write. */
export const usual: Style = { pick: () => 0 };

/** Any choice, the same for the same seed. `oddity`: the share of choices that are not the usual one. */
export function anyStyle(seed: number, oddity = 0.3): Style {
  const random = randomNumbers(seed);
  return { pick: (choices) => (random() < oddity ? Math.floor(random() * choices) : 0) };
}

/** Numbers from 0 to below 1 (mulberry32): the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
