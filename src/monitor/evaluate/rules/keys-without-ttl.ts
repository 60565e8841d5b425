import { percent, sampleRule, type Evaluator } from '../evaluator.ts';
import { minute, nowOf, within } from '../view.ts';

const span = 15 * minute;
/** Less than that is not judged yet. */
const least = 10 * minute;
const fewest = 100;
/** By how much the share has to grow within the span, percent of all keys. */
const step = 1;

export const keysWithoutTtl: Evaluator = {
  rule: sampleRule({
    id: 'keys-without-ttl',
    severity: 'warning',
    title: 'In a cache the share of keys that never expire grows',
    why: 'Somebody writes into the cache without a time to live: such keys are never old, and push the others out.',
    for: 45 * minute,
  }),
  judge(view) {
    // Elsewhere keys without an end are what is wanted.
    if (view.role !== 'cache') return [];
    const now = nowOf(view);
    const then = within(view, span).find(
      ({ runId, values }) => runId === now.runId && values['keys'] !== undefined,
    );
    if (then === undefined || now.elapsed - then.elapsed < least) return undefined;
    const before = countsOf(then.values);
    const after = countsOf(now.values);
    if (before === undefined || after === undefined) return undefined;
    // One that was empty then has had no share.
    if (before.keys === 0) return [];
    const more = after.kept - before.kept;
    if (more < fewest || after.share - before.share < step) return [];
    const spanned = Math.round((now.elapsed - then.elapsed) / minute);
    return [
      {
        severity: 'warning',
        summary: `${percent(after.share)} of ${after.keys} keys have no time to live, after ${percent(before.share)} ${spanned} min before`,
        remedy:
          'which they are: redis-agent keys latest; write them with SET … EX, or put what is to stay into another server',
        evidence: { keys: after.keys, without_ttl: after.kept, without_ttl_before: before.kept },
      },
    ];
  },
};

/** `share`: percent. */
function countsOf(
  values: Readonly<Record<string, number>>,
): { keys: number; kept: number; share: number } | undefined {
  const { keys, keys_expiring: expiring } = values;
  if (keys === undefined || expiring === undefined) return undefined;
  const kept = keys - expiring;
  return { keys, kept, share: keys === 0 ? 0 : (100 * kept) / keys };
}
