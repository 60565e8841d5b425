import type { Rule } from '../../domain/rule.ts';
import { counted, verb } from '../../lib/text/counted.ts';
import type { Denial } from '../acl-log.ts';
import { blinding, type SharedVerdict } from './verdict.ts';

export const denialsRule: Rule = {
  id: 'ACL17',
  severity: 'warning',
  title: 'logins are refused',
  why: 'Somebody tries passwords, or an application has an old one.',
  page: 'docs/findings/audit-acl.md',
  keepFiring: 0,
  inhibitedBy: blinding,
};

const day = 86_400;
/** Fewer in a day are somebody’s slip. */
const fewest = 10;

/** Refused logins of the last day, as far as the log keeps them. */
export interface Denials {
  count: number;
  /** Addresses without their ports, those that come first in the log; `and 4 more`. */
  from: string;
}

export function denialsIn(log: readonly Denial[]): Denials {
  const failed = log.filter(({ reason, age }) => reason === 'auth' && (age === undefined || age < day));
  const from = [...new Set(failed.map(({ address }) => address.replace(/:\d+$/, '')))];
  return {
    count: failed.reduce((sum, each) => sum + each.count, 0),
    from: `${from.slice(0, 3).join(', ')}${from.length > 3 ? ` and ${from.length - 3} more` : ''}`,
  };
}

export function judgeDenials({ count, from }: Denials, instance: string): SharedVerdict[] {
  if (count < fewest) return [];
  return [
    {
      resource: instance,
      severity: 'warning',
      summary: `${counted(count, 'login')} of the last 24 hours ${verb(count, 'was', 'were')} refused${from === '' ? '' : `, from ${from}`}`,
      remedy:
        'ACL LOG shows who; change what uses an old password, close the port to strangers, then ACL LOG RESET',
      evidence: { count },
    },
  ];
}
