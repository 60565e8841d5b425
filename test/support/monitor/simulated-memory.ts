const hour = 3_600_000;

export const shapes = ['linear', 'daily', 'stepped', 'saturating', 'gaps'] as const;
export type Shape = (typeof shapes)[number];

export interface Simulated {
  /** Hourly, as they were measured. */
  points: { at: number; value: number }[];
  now: number;
  /** What the level comes to some day in the future. */
  limit: number;
  /** In how many days it first does. */
  truth: number;
}

/** Memory that grows in one of the ways in which memory grows: a level that strays, and noise of measuring on it. */
export function simulateMemory(shape: Shape, seed: number): Simulated {
  const random = randomFrom(seed);
  const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const history = 4 + Math.floor(random() * 40);
  const perDay = 0.5 + random() * 3;
  const future = 3 + random() * 60;
  const strays = perDay * (0.3 + random() * 1.2);
  const levels: number[] = [];
  let walk = 0;
  let steps = 20;
  for (let at = 0; at < (history + 64) * 24; at++) {
    const days = at / 24;
    walk += (gauss() * strays) / Math.sqrt(24);
    if (shape === 'stepped' && random() < 1 / 72) steps += perDay * 3 * (0.3 + 1.4 * random());
    const whole = (history + future) * perDay * 1.6;
    const grown =
      shape === 'stepped'
        ? steps
        : 20 +
          (shape === 'saturating'
            ? whole * (1 - Math.exp(-days / ((history + future) * 0.9)))
            : perDay * days);
    levels.push(grown + walk);
  }
  const now = history * 24;
  const points: Simulated['points'] = [];
  let blind = -1;
  for (let at = 0; at < now; at++) {
    if (shape === 'gaps' && random() < 1 / 60) blind = at + 4 + random() * 40;
    const daily = shape === 'daily' || shape === 'gaps' ? Math.sin((2 * Math.PI * at) / 24) * perDay * 2 : 0;
    if (at >= blind)
      points.push({ at: at * hour, value: (levels[at] ?? 0) + gauss() * perDay * 0.3 + daily });
  }
  const limit = levels[Math.floor(now + future * 24)] ?? 0;
  const first = levels.findIndex((level, at) => at >= now && level >= limit);
  return { points, now: now * hour, limit, truth: (first - now) / 24 };
}

/** mulberry32: the same numbers in every run. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
