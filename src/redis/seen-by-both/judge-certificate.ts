import type { Severity } from '../../domain/finding.ts';
import type { Rule } from '../../domain/rule.ts';
import type { Threshold } from '../../domain/settings/monitor.ts';
import { counted } from '../../lib/text/counted.ts';
import { blinding, type SharedVerdict } from './verdict.ts';

export const expiryRule: Rule = {
  id: 'TLS04',
  severity: 'critical',
  title: 'the certificate ends soon',
  why: 'From that moment every client that verifies it is refused, all at once.',
  page: 'docs/findings/audit-tls.md',
  keepFiring: 0,
  inhibitedBy: blinding,
};

export const servedRule: Rule = {
  id: 'TLS06',
  severity: 'high',
  title: 'the certificate that is served is not the one on disk',
  why: 'It was renewed, and the server still has the old one: it goes on until that ends, and then all clients fail at once.',
  page: 'docs/findings/audit-tls.md',
  keepFiring: 0,
  inhibitedBy: blinding,
};

const day = 86_400_000;
const levels: readonly Severity[] = ['critical', 'high', 'warning', 'info'];

/** `bounds`: days that are left at which it is told. Times are milliseconds since the epoch. */
export function judgeExpiry(
  { validTo, subject }: { validTo: number; subject: string },
  { now, bounds }: { now: number; bounds: Threshold },
): SharedVerdict[] {
  const left = (validTo - now) / day;
  const reached = levels.find((level) => left < (bounds[level] ?? Number.NEGATIVE_INFINITY));
  const severity = left < 0 ? 'critical' : reached;
  if (severity === undefined) return [];
  const when = new Date(validTo).toISOString().slice(0, 10);
  const whose = `the certificate${subject === '' ? '' : ` of ${subject}`}`;
  return [
    {
      resource: 'certificate',
      severity,
      summary:
        left < 0
          ? `${whose} ended on ${when}`
          : `${whose} ends ${left < 1 ? 'within a day' : `in ${counted(Math.floor(left), 'day')}`}, on ${when}`,
      remedy:
        'put the new one where tls-cert-file and tls-key-file say, then CONFIG SET both: a new file alone is not read',
      evidence: { valid_to: new Date(validTo).toISOString(), threshold_days: bounds[severity] ?? null },
    },
  ];
}

/** `served`, `file`: SHA-256 of the certificate that a new connection is shown, and of the one at `path`. */
export function judgeServed({
  served,
  file,
  path,
}: {
  served: string;
  file: string;
  path: string;
}): SharedVerdict[] {
  if (served === file) return [];
  return [
    {
      resource: path,
      severity: 'high',
      summary: `the server serves another certificate than stands in ${path}`,
      remedy: `redis-agent harden apply has it read the files anew, after a trial start with them; by hand: CONFIG SET tls-cert-file ${path}`,
      evidence: {},
    },
  ];
}
