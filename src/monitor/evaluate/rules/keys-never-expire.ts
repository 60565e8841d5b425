import { ofAll } from '../../../domain/pattern.ts';
import { patternRule } from '../queues/pattern-rule.ts';

export const keysNeverExpire = patternRule(
  {
    id: 'keys-never-expire',
    severity: 'warning',
    title: 'Keys that should expire have no time to live',
    why: 'A session that never ends stays valid, a counter of a limit blocks for ever, and both fill the memory.',
  },
  (reading) => {
    const { name, withoutTtl, settings, keys, sampled, example } = reading;
    if (withoutTtl === 0 || (settings.ttl === undefined && settings.limit === undefined)) return undefined;
    const about = sampled < keys ? 'about ' : '';
    return {
      severity: 'warning',
      summary: `${name}: ${about}${ofAll(reading, withoutTtl)} of ${keys} keys never expire, such as ${example ?? settings.match}`,
      remedy:
        'set the time to live with the value (SET … EX), and of counters in one script or transaction with INCR',
      evidence: { match: settings.match, keys, sampled, without_ttl: withoutTtl },
    };
  },
);
