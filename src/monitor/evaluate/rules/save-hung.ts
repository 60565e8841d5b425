import { formatDuration } from '../../../lib/time/duration.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, levelOf, minute, nowOf, within } from '../view.ts';

/** Without one more key written for this long, nothing is being written. */
const still = 3 * minute;

export const saveHung: Evaluator = {
  rule: sampleRule({
    id: 'save-hung',
    severity: 'high',
    title: 'A snapshot does not come to an end',
    why: 'Its child is stuck or slow: there are no snapshots meanwhile, no AOF rewrite, and memory is copied on write.',
    keepFiring: 0,
  }),
  judge(view) {
    const { values } = nowOf(view);
    const running = values['save_in_progress'];
    const seconds = values['save_current_seconds'] ?? 0;
    if (running === undefined) return undefined;
    if (running === 0) return slow(view);
    const keys = within(view, still).map((sample) => sample.values['save_current_keys']);
    const moves = new Set(keys).size > 1 || keys.length < 3;
    // Where the server does not count keys, ten times the last one's length is suspicious.
    const usual = Math.max(values['save_last_duration_seconds'] ?? 0, 60);
    const stuck =
      values['save_current_keys'] === undefined ? seconds > 10 * usual : !moves && seconds * 1000 >= still;
    if (!stuck) return slow(view);
    return [
      {
        severity: 'high',
        summary: `the snapshot under way began ${formatDuration(seconds * 1000)} ago and has written nothing for the last minutes`,
        remedy:
          'is its disk stuck (iostat, dmesg)? Else end the child (the pid in the server’s log) and BGSAVE; some versions hang here after fields of hashes expired: upgrade',
        evidence: { running_seconds: seconds, keys_written: values['save_current_keys'] ?? null },
      },
    ];
  },
};

function slow(view: Parameters<Evaluator['judge']>[0]): ReturnType<Evaluator['judge']> {
  const { values } = nowOf(view);
  const took =
    Math.max(values['save_current_seconds'] ?? -1, values['save_last_duration_seconds'] ?? -1) * 1000;
  const threshold = view.thresholds.save_duration;
  const severity = levelOf(took, threshold, { was: view.was('save-hung', view.instance) });
  if (severity === undefined) return [];
  return [
    {
      severity,
      summary: `a snapshot takes ${formatDuration(took)} (bound ${formatDuration(boundOf(threshold, severity))})`,
      remedy: 'is its disk slow, or the data set too large for it?',
      evidence: { took_seconds: took / 1000, threshold_ms: boundOf(threshold, severity) },
    },
  ];
}
