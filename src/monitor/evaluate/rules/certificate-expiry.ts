import { expiryRule, judgeExpiry } from '../../../redis/seen-by-both/judge-certificate.ts';
import type { Evaluator } from '../evaluator.ts';
import { latest, latestText, nowOf } from '../view.ts';

export const certificateExpiry: Evaluator = {
  rule: expiryRule,
  judge(view) {
    const seconds = latest(view, 'certificate_expiry_timestamp_seconds');
    if (seconds === undefined) return latestText(view, 'certificate_served') === '' ? [] : undefined;
    const subject = latestText(view, 'certificate_subject') ?? '';
    const bounds = view.thresholds.certificate_days;
    return judgeExpiry({ validTo: seconds * 1000, subject }, { now: nowOf(view).at, bounds });
  },
};
