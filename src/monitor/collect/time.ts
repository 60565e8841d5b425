import type { Collector } from './parts/collector.ts';
import { listOf, numberOf } from './parts/numbers.ts';

/** The server's clock against ours; what the way there takes is part of it. */
export const timeCollector: Collector = {
  name: 'time',
  rights: ['+time'],
  every: 60_000,
  frugal: 3_600_000,
  commands: () => [['TIME']],
  read([reply], draft) {
    const [seconds, micros] = listOf(reply).map(numberOf);
    if (seconds === undefined || micros === undefined) return;
    draft.values['clock_skew_seconds'] = seconds + micros / 1e6 - draft.askedAt / 1000;
  },
};
