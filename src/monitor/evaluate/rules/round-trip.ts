import { formatDuration } from '../../../lib/time/duration.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, levelOf, minute, within } from '../view.ts';

const span = 5 * minute;
const fewest = 10;

export const roundTrip: Evaluator = {
  rule: sampleRule({
    id: 'round-trip',
    severity: 'critical',
    title: 'The way to the server and back takes long',
    why: 'It is what clients feel: network, queueing and execution together.',
  }),
  judge(view) {
    const took = within(view, span)
      .flatMap(({ values }) => values['round_trip_seconds'] ?? [])
      .toSorted((a, b) => a - b);
    if (took.length < fewest) return undefined;
    const p95 = (took[Math.ceil(took.length * 0.95) - 1] ?? 0) * 1000;
    const threshold = view.thresholds.round_trip_p95;
    const severity = levelOf(p95, threshold, { was: view.was('round-trip', view.instance) });
    if (severity === undefined) return [];
    return [
      {
        severity,
        summary: `a PING takes ${formatDuration(p95)} there and back (p95 of ${took.length}; bound ${formatDuration(boundOf(threshold, severity))})`,
        remedy:
          'how long commands themselves take: redis-agent latency; if that is little, look at the network, or the host’s load',
        evidence: { p95_ms: Math.round(p95), polls: took.length, threshold_ms: boundOf(threshold, severity) },
      },
    ];
  },
};
