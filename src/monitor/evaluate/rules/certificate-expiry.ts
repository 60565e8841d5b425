import { counted } from '../../../lib/counted.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { boundOf, latest, levelOf, nowOf } from '../view.ts';

const day = 86_400;

export const certificateExpiry: Evaluator = {
  rule: sampleRule({
    id: 'certificate-expiry',
    severity: 'critical',
    title: 'The server’s certificate expires, or was not loaded again',
    why: 'Clients that check it cannot connect any more, all at the same moment.',
    keepFiring: 0,
  }),
  judge(view) {
    const served = latest(view, 'certificate_expiry_timestamp_seconds');
    if (served === undefined) return [];
    const now = nowOf(view).at / 1000;
    const days = (served - now) / day;
    const file = latest(view, 'certificate_file_expiry_timestamp_seconds');
    // Renewed on disk, and the old one is served.
    const stale = file !== undefined && file > served + day;
    const threshold = view.thresholds.certificate_days;
    const severity = levelOf(days, threshold, {
      was: view.was('certificate-expiry', view.instance),
      below: true,
    });
    if (severity === undefined && !stale) return [];
    const when = new Date(served * 1000).toISOString().slice(0, 10);
    const left =
      days < 0
        ? `expired on ${when}`
        : `expires ${days < 1 ? 'within a day' : `in ${counted(Math.floor(days), 'day')}`}, on ${when}`;
    return [
      {
        severity: severity ?? 'warning',
        summary: stale
          ? `a newer certificate is on disk, and the one served ${left}`
          : `the served certificate ${left}`,
        remedy: stale
          ? 'have it loaded: CONFIG SET tls-cert-file with the same path'
          : 'renew it, then CONFIG SET tls-cert-file with its path: a new file alone is not loaded',
        evidence: {
          served: when,
          stale,
          threshold_days: severity === undefined ? null : boundOf(threshold, severity),
        },
      },
    ];
  },
};
