import type { Known } from './collect/parts/collector.ts';

/** Before the first poll. */
export const nothingKnown: Known = {
  engine: undefined,
  version: undefined,
  runId: undefined,
  seenAt: undefined,
  mode: 'standalone',
  clients: 0,
  slow: { runId: undefined, id: undefined, present: false },
  slowMax: 128,
  masters: [],
  costs: undefined,
  busiest: [],
  histograms: undefined,
  replica: false,
  databases: [],
  workers: undefined,
  queues: { refs: [], memory: new Map(), now: 0, blindUntil: 0, detail: false, refused: new Map() },
};
