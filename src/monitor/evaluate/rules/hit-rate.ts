import { percent, sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, covered, growth, isOff, levelOf, minute } from '../view.ts';

const span = 15 * minute;
const fewest = 100;

export const hitRate: Evaluator = {
  rule: sampleRule({
    id: 'hit-rate',
    severity: 'warning',
    title: 'Many look-ups find nothing',
    why: 'A cache that misses so often costs more than it saves; or keys are evicted or expire too early.',
    for: 15 * minute,
  }),
  judge(view) {
    const threshold = view.thresholds.hit_rate;
    if (isOff(threshold)) return [];
    const hits = growth(view, 'keyspace_hits_total', span);
    const misses = growth(view, 'keyspace_misses_total', span);
    if (hits === undefined || misses === undefined || covered(view, span) < 5 * minute) return undefined;
    const lookups = hits.amount + misses.amount;
    if (lookups < fewest) return [];
    const share = (100 * hits.amount) / lookups;
    const severity = levelOf(share, threshold, { was: view.was('hit-rate', view.instance), below: true });
    if (severity === undefined) return [];
    return [
      {
        severity,
        summary: `${percent(share)} of ${lookups} look-ups found their key in ${Math.round(hits.ms / minute)} min (bound ${boundOf(threshold, severity)} %)`,
        remedy: 'are keys evicted (redis-agent history evicted_keys_total) or their times to live too short?',
        evidence: {
          hits: hits.amount,
          misses: misses.amount,
          threshold_percent: boundOf(threshold, severity),
        },
      },
    ];
  },
};
